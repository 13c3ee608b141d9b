/* operator_audit.js — who changed what, when, from where. */
import { get } from "../api.js";
import { h } from "../dom.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";
import { when } from "../ui/when.js";

/* The account is told beside it: its part of the address is left out. */
const short = ({ Object: object, AccountSid }) => object.replace(new RegExp(`^/(Mediapartners|Advertisers)/${AccountSid || "-"}/`), "").replace(/^\/Operator\//, "");

export async function page(context) {
  const names = new Map((await get("/Operator/Accounts", { PageSize: 1000 }, { signal: context.signal })).Accounts.map((one) => [one.Sid, one.Name]));
  const entries = list({
    id: "audit", caption: "Changes, newest first", context, pageSize: 100, rowKey: (row) => row.Id,
    filters: [{ name: "AccountSid", label: "Account (SID)", wide: true }],
    columns: [
      { key: "date", title: "When", always: true, align: "nowrap", cell: (row) => when(row.Date) },
      { key: "actor", title: "Who", cell: (row) => row.Actor || "the system" },
      { key: "account", title: "Account", align: "nowrap", cell: (row) => (row.AccountSid ? h("a", { href: `/operator/accounts/${row.AccountSid}`, "aria-label": `Account ${row.AccountSid}` }, names.get(row.AccountSid) ?? h("code", null, row.AccountSid)) : "") },
      { key: "action", title: "What", align: "nowrap", always: true, cell: (row) => row.Action },
      { key: "object", title: "Of", cell: (row) => h("code", null, short(row)) },
      { key: "address", title: "From where", cell: (row) => row.Address },
      { key: "detail", title: "Detail", hidden: true, cell: (row) => h("code", null, row.Detail) },
    ],
    empty: "No change like that. Each change of the operator's or an account's is noted here: who, what, when and from where.",
    load: pageOf("/Operator/Audit", "Entries", "Before"),
  });
  await entries.ready;
  return { title: "Audit log", node: h("div", null, heading("Audit log"), entries.node) };
}
