/* simple_table.js — a short table that is shown whole.
 *
 * simpleTable("Users", rows, [["Email", (row) => node or text], …], "What to say when there is none")
 */
import { h } from "../dom.js";
import { cell, headCell, scroller, table } from "./table.js";

export function simpleTable(caption, rows, columns, empty) {
  if (!rows.length)
    return h("p.muted", null, empty);
  return h("div.stacks.fits", null, scroller(caption, table(caption, columns.map(([title]) => headCell(title)),
    rows.map((row) => h("tr", { role: "row" }, columns.map(([title, value]) => cell(title, value(row))))))));
}
