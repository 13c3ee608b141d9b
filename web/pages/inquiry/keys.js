/* keys.js — a page's own keys, which `?` shows.
 *
 * keys(title, [[key, words, act], …], signal): act() is called when the key is pressed where nothing is typed,
 * while the hint that it gives stands in the page.
 */
import { h } from "../../dom.js";
import { dialog } from "../../ui/dialog.js";

const typed = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
const shownAs = (key) => ({ Enter: "Enter", "Ctrl+Enter": "Ctrl + Enter" }[key] ?? key.toUpperCase());

export const keyCap = (key) => h("kbd", { "aria-hidden": "true" }, shownAs(key));

export function keys(title, all, signal) {
  const show = () => dialog(title, () => h("dl.keys", null, [...all, ["?", "Show these keys"]].map(([key, words]) => [h("dt", null, h("kbd", null, shownAs(key))), h("dd", null, words)])));
  const hint = h("p.hint.keys-hint", null, "Keys: press ", h("kbd", null, "?"), " to see them.");
  document.addEventListener("keydown", (event) => {
    if (!hint.isConnected || event.defaultPrevented || event.altKey || event.metaKey || document.querySelector("dialog[open], details[open] > .pop"))
      return;
    const pressed = (event.ctrlKey ? "Ctrl+" : "") + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!event.ctrlKey && typed(event.target))
      return;
    const act = pressed === "?" ? show : all.find(([key]) => key === pressed)?.[2];
    if (!act)
      return;
    event.preventDefault();
    act();
  }, { signal });
  return hint;
}
