/* audit.js — who changed what in one's account, when, from where. */
import { own } from "../api.js";
import { h } from "../dom.js";
import { date } from "../format.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";

const short = (object) => object.replace(/^\/(Mediapartners|Advertisers)\/[^/]+\//, "");

export async function page(context) {
  const entries = list({
    id: "own-audit", caption: "Changes, newest first", context, pageSize: 100, rowKey: (row) => row.Id,
    columns: [
      { key: "date", title: "When", always: true, align: "nowrap", cell: (row) => date(row.Date) },
      { key: "actor", title: "Who", cell: (row) => row.Actor || "the system" },
      { key: "action", title: "What", align: "nowrap", always: true, cell: (row) => row.Action },
      { key: "object", title: "Of", cell: (row) => h("code", null, short(row.Object)) },
      { key: "address", title: "From where", cell: (row) => row.Address },
      { key: "detail", title: "Detail", hidden: true, cell: (row) => h("code", null, row.Detail) },
    ],
    load: pageOf(own("/Audit"), "Entries", "Before"),
  });
  await entries.ready;
  return { title: "Audit log", node: h("div", null, heading("Audit log"), entries.node) };
}
