/* badge.js — a state in a word, with its tone. */
import { h } from "../dom.js";
import { tones, words } from "../format.js";

/* badge("ResolutionStatus", "VALID") */
export function badge(kind, value) {
  return value ? h("span.badge", { class: tones[value] ?? "" }, words[kind]?.[value] ?? value) : "";
}
