/* tabs.js — a few views of one page, by links: each has an address of its own. */
import { h } from "../dom.js";

/* tabs("Inquiries", [["Open", "/inquiries"], ["Closed", "/inquiries?State=CLOSED"]], "/inquiries") */
export function tabs(label, links, here) {
  return h("nav.tabs", { "aria-label": label }, h("ul", null, links.map(([title, href]) =>
    h("li", null, h("a", { href, "aria-current": href === here ? "page" : null }, title)))));
}
