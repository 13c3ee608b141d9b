/* simple_table.js — a short table that is shown whole.
 *
 * simpleTable("Users", rows, [["Email", (row) => node or text], …], "What to say when there is none")
 */
import { h } from "../dom.js";

export function simpleTable(caption, rows, columns, empty) {
  if (!rows.length)
    return h("p.muted", null, empty);
  return h("div.scroll", { tabindex: "0", role: "region", "aria-label": caption }, h("table", null,
    h("thead", null, h("tr", null, columns.map(([title]) => (title ? h("th", { scope: "col" }, title) : h("td"))))),
    h("tbody", null, rows.map((row) => h("tr", null, columns.map(([, cell]) => h("td", null, cell(row))))))));
}
