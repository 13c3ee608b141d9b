/* facts.js — names and values of one thing; what is empty is left out. */
import { h } from "../dom.js";

/* facts([["Order", "A-1"], ["Note", ""], …]) */
export function facts(pairs) {
  return h("dl.facts", null, pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}
