/* table.js — a table that covers nothing and cuts nothing: what is wider than the page scrolls, and says so.
 *
 * scroller(caption, table(caption, heads, rows)), of headCell(title) and rows of cell(title, value).  Within an element
 * of class `stacks` each row is a card of its own on a phone, with the columns' titles beside the values; so the roles
 * are written out, for a browser forgets them with another display.
 */
import { h } from "../dom.js";

const LONG = /\S{21}/; /* a word that no column has room for: it breaks anywhere */

export const headCell = (title, attributes, ...children) => (title
  ? h("th", { scope: "col", role: "columnheader", ...attributes }, children.length ? children : title)
  : h("td", { role: "cell", ...attributes }));

export function cell(title, value, kind = "") {
  const node = h("td", { role: "cell", class: kind, "data-label": title }, h("div", null, value));
  node.classList.toggle("long", LONG.test(node.textContent));
  return node;
}

export const table = (caption, heads, rows) => h("table", { role: "table" }, h("caption.away", null, caption),
  h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)), h("tbody", { role: "rowgroup" }, rows));

/* A region that scrolls sideways; while there is more on a side, a button above says so and goes there. */
export function scroller(caption, node, kind = "") {
  const place = h("div.scroll", { class: kind, tabindex: "0", role: "region", "aria-label": caption }, node);
  const to = (way) => () => place.scrollBy({ left: way * place.clientWidth * .8 });
  const left = h("button.plain.small", { type: "button", onclick: to(-1) }, "‹ More to the left");
  const right = h("button.plain.small", { type: "button", onclick: to(1) }, "More to the right ›");
  const sign = h("div.more-beside", { hidden: true }, left, h("span.gap"), right);
  function look() {
    const most = place.scrollWidth - place.clientWidth;
    sign.hidden = most <= 1;
    left.disabled = place.scrollLeft <= 1;
    right.disabled = place.scrollLeft >= most - 1;
  }
  place.addEventListener("scroll", look);
  const watcher = new ResizeObserver(look);
  watcher.observe(place);
  watcher.observe(node);
  return h("div.scroller", null, sign, place);
}
