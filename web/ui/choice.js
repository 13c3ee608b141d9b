/* choice.js — a choice among many that is searched as one types, by the ARIA combobox pattern, in place of a select
 * that would hold them all.
 *
 * A field of form.js of kind "choice" with `find`:
 *   find(text, signal) → a promise of [[value, words, remark]…], at most a few dozen;  `chosen` [value, words] at first
 *   `free`: [value, words] that stands first in each answer, such as ["", "Every partner"]
 * Arrows choose, Enter or a click takes, Escape closes; what is typed and not taken names nothing.
 * An answer that did not come says so in the list, with *Try again*.
 *
 * const c = choice({ id, name, described, required, find, free, placeholder, changed }); c.node, c.input, c.get(), c.set(value, words)
 */
import { fill, h, unique } from "../dom.js";

const REST_MS = 200;

export function choice({ id = unique("choice"), name, described, required, find, free, placeholder = "Type to search", changed }) {
  const boxId = unique("choices");
  const box = h("ul.choices", { id: boxId, role: "listbox", "aria-label": "Matches", hidden: true }), says = h("p.away", { role: "status" });
  const failed = h("p.choices.failed", { hidden: true });
  let value = free?.[0] ?? "", shown = free?.[1] ?? "", options = [], at = -1, timer = null, asking = null;

  function close() {
    clearTimeout(timer);
    asking?.abort();
    box.hidden = failed.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function mark(index) {
    at = index;
    [...box.children].forEach((one, i) => one.setAttribute("aria-selected", String(i === at)));
    const option = box.children[at];
    option ? input.setAttribute("aria-activedescendant", option.id) : input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
  function set(to, words) {
    value = to ?? "";
    shown = value === free?.[0] ? words || free[1] : words ?? "";
    input.value = shown;
  }
  function take(index) {
    set(options[index][0], options[index][1]);
    close();
    changed?.();
  }
  function draw() {
    fill(box, options.map(([, words, remark], i) => h("li", { id: `${boxId}-${i}`, role: "option", "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), onclick: () => take(i) }, h("span", null, words), remark ? h("span.muted", null, ` ${remark}`) : null)));
    box.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!box.hidden));
    fill(says, options.length ? `${options.length} found; arrow keys choose.` : "Nothing found.");
    failed.hidden = options.length > 0;
    fill(failed, "Nothing found.");
    mark(input.value.trim() !== "" && options.length ? 0 : -1);
  }
  async function look() {
    asking?.abort();
    const mine = asking = new AbortController();
    const text = input.value.trim() === shown ? "" : input.value.trim();
    try {
      const found = await find(text, mine.signal);
      if (mine.signal.aborted || document.activeElement !== input)
        return;
      options = [...(free && (!text || free[1].toLowerCase().includes(text.toLowerCase())) ? [free] : []), ...found];
      draw();
    } catch (error) {
      if (mine.signal.aborted)
        return;
      box.hidden = true;
      failed.hidden = false;
      fill(failed, error.message, " ", h("button.small", { type: "button", onmousedown: (event) => event.preventDefault(), onclick: look }, "Try again"));
    }
  }
  function onInput() {
    clearTimeout(timer);
    if (value !== "" && input.value !== shown) {
      value = "";
      shown = "";
    }
    timer = setTimeout(look, REST_MS);
  }
  function onKey(event) {
    const open = !box.hidden, { length } = options;
    if (event.isComposing || event.ctrlKey || event.metaKey)
      return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp")
      open ? mark(event.key === "ArrowDown" ? (at + 1) % length : (at <= 0 ? length : at) - 1) : look();
    else if (event.key === "Enter" && open && at >= 0)
      take(at);
    else if (event.key === "Escape" && (open || !failed.hidden))
      close();
    else
      return;
    event.preventDefault();
    event.stopPropagation();
  }
  const input = h("input", { id, name, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder, "aria-describedby": described, required, value: shown,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": boxId, oninput: onInput, onkeydown: onKey,
    onclick: () => { if (box.hidden) look(); }, onblur: () => { close(); if (value === "" && input.value.trim() === "") set(free?.[0] ?? "", free?.[1]); } });
  return { node: h("div.choice", null, input, box, failed, says), input, set, get: () => value, typed: () => value === "" && !free && input.value.trim() !== "" };
}
