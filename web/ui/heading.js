/* heading.js — a page's head: where one is, its title, what can be done. */
import { h } from "../dom.js";
import { lastSeen } from "../places.js";

/* The way back leads to the list as it was last seen.
 * heading("Inquiry 12", { back: ["Inquiries", "/inquiries"], actions: [node…], beside: badge }) */
export function heading(title, { back, actions = [], beside } = {}) {
  return h("div.heading", null,
    back ? h("p.back", null, h("a", { href: lastSeen(back[1]) }, `‹ ${back[0]}`)) : null,
    h("div.heading-line", null, h("h1", null, title), beside, h("span.gap"), h("div.actions", null, actions)));
}
