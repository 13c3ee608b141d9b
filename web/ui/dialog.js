/* dialog.js — a question that takes the whole attention: the browser's own <dialog>.
 *
 * confirm({ title, text, action, tone }) resolves to whether the action was chosen; `keep`: the words of the other button,
 * where "Cancel" could be taken for the action.
 * dialog(title, build) shows build(close)'s node, resolves to what close(value) was given; Escape gives undefined.
 */
import { h, icon, unique } from "../dom.js";

export function dialog(title, build) {
  return new Promise((done) => {
    let value;
    const id = unique("dialog");
    const box = h("dialog", { "aria-labelledby": id, onclose: () => { box.remove(); done(value); } });
    const close = (given) => { value = given; box.close(); };
    box.append(
      h("div.dialog-head", null, h("h2", { id }, title),
        h("button.plain", { type: "button", "aria-label": "Close", onclick: () => close() }, icon("close"))),
      build(close));
    document.body.append(box);
    box.showModal();
    box.querySelector("[autofocus]")?.focus();
  });
}

export function confirm({ title, text, action, tone = "primary", keep = "Cancel" }) {
  return dialog(title, (close) => h("div", null,
    h("p", null, text),
    h("div.actions", null,
      h("button", { type: "button", autofocus: true, onclick: () => close(false) }, keep),
      h("button", { type: "button", class: tone, onclick: () => close(true) }, action)))).then(Boolean);
}
