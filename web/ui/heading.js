/* heading.js — a page's head: where one is, its title, what can be done. */
import { h } from "../dom.js";

/* heading("Inquiry 12", { back: ["Inquiries", "/inquiries"], actions: [node…], beside: badge }) */
export function heading(title, { back, actions = [], beside } = {}) {
  return h("div.heading", null,
    back ? h("p.back", null, h("a", { href: back[1] }, `‹ ${back[0]}`)) : null,
    h("div.heading-line", null, h("h1", null, title), beside, h("span.gap"), h("div.actions", null, actions)));
}
