/* complete.js — suggestions below a text control while one types.
 *
 * complete(input, { label, find }) gives the node of the list, to be put behind the control.
 *   find(text, caret) → null, or { from, to, options: [{ insert, title, text, more }], eager }: what may stand in place
 *   of text[from…to]; `eager`: the first is chosen already, so that Enter takes it
 * The focus stays in the control: arrows choose, Enter, Tab or a click takes, Escape closes.  Debian's awesomplete
 * was tried: it gives a textarea the role combobox, which it may not have, completes whole values only, and parses
 * its items as markup.
 */
import { fill, h, unique } from "../dom.js";

/* Puts text in place of a range, as if typed: undo takes it back. */
export function insertText(input, text, from = input.selectionStart, to = input.selectionEnd) {
  input.focus();
  input.setSelectionRange(from, to);
  if (!document.execCommand("insertText", false, text)) {
    input.setRangeText(text, from, to, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

export function complete(input, { label, find }) {
  const id = unique("completions");
  const box = h("ul.completions", { id, role: "listbox", "aria-label": label, hidden: true });
  const says = h("p.away", { role: "status" });
  let found = null, chosen = -1, taking = false;

  function close() {
    found = null;
    box.hidden = true;
    input.removeAttribute("aria-activedescendant");
    fill(says);
  }
  function choose(index) {
    chosen = index;
    [...box.children].forEach((one, i) => one.setAttribute("aria-selected", String(i === chosen)));
    const option = box.children[chosen];
    if (!option)
      return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }
  function take(index, ending) {
    const { from, to, options } = found, option = options[index];
    taking = true;
    insertText(input, ending ? option.more + ending : option.insert, from, ending ? input.selectionStart : to);
    taking = false;
    ending ? open() : close();
  }
  function open() {
    if (taking)
      return;
    const at = input.selectionStart;
    found = at === input.selectionEnd ? find(input.value, at) : null;
    if (!found?.options.length)
      return close();
    fill(box, found.options.map((one, i) => h("li", {
      id: `${id}-${i}`, role: "option", "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), onclick: () => take(i),
    }, h("code", null, one.title), h("span", null, one.text))));
    box.hidden = false;
    box.scrollTop = 0;
    fill(says, `${found.options.length} suggestions; arrow keys choose.`);
    choose(found.eager ? 0 : -1);
  }
  function onKey(event) {
    if (!found || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const { length } = found.options;
    const moves = { ArrowDown: () => choose((chosen + 1) % length), ArrowUp: () => choose((chosen <= 0 ? length : chosen) - 1), Escape: close };
    const takes = { Enter: "", Tab: "", "|": "|" };
    if (moves[event.key])
      moves[event.key]();
    else if (event.key in takes && chosen >= 0 && (takes[event.key] === "" || found.options[chosen].more))
      take(chosen, takes[event.key]);
    else
      return;
    event.preventDefault();
    event.stopPropagation();
  }
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", id);
  input.addEventListener("input", open);
  input.addEventListener("click", open);
  input.addEventListener("keydown", onKey);
  input.addEventListener("keyup", (event) => { if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) open(); });
  input.addEventListener("blur", close);
  return h("div.complete", null, box, says);
}
