/* operator_audit.js — who changed what, when, from where. */
import { h } from "../dom.js";
import { date } from "../format.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";

export async function page(context) {
  const entries = list({
    id: "audit", caption: "Changes, newest first", context, pageSize: 100, rowKey: (row) => row.Id,
    filters: [{ name: "AccountSid", label: "Account (SID)", wide: true }],
    columns: [
      { key: "date", title: "When", always: true, cell: (row) => date(row.Date) },
      { key: "actor", title: "Who", cell: (row) => row.Actor || "the system" },
      { key: "account", title: "Account", cell: (row) => (row.AccountSid ? h("a", { href: `/operator/accounts/${row.AccountSid}` }, h("code", null, row.AccountSid)) : "") },
      { key: "action", title: "What", always: true, cell: (row) => row.Action },
      { key: "object", title: "Of", cell: (row) => h("code", null, row.Object) },
      { key: "address", title: "From where", cell: (row) => row.Address },
      { key: "detail", title: "Detail", hidden: true, cell: (row) => h("code", null, row.Detail) },
    ],
    load: pageOf("/Operator/Audit", "Entries", "Before"),
  });
  await entries.ready;
  return { title: "Audit log", node: h("div", null, heading("Audit log"), entries.node) };
}
