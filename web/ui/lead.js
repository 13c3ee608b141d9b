/* lead.js — what stands in place of an empty list: what it is for, and the next step.
 *
 * lead(text, step, …): a step is [words, address] or [words, function], or null; the first is the main one.
 */
import { h } from "../dom.js";

export const lead = (text, ...steps) => [h("p", null, text), steps.some(Boolean) ? h("div.actions", null, steps.filter(Boolean).map(([words, to], at) =>
  (typeof to === "string" ? h("a.button", { href: to, class: at ? null : "primary" }, words) : h("button", { type: "button", onclick: to, class: at ? null : "primary" }, words)))) : null];
