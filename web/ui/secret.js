/* secret.js — a secret that is shown once, with a button to copy it. */
import { h } from "../dom.js";
import { toast } from "./toast.js";

/* Without https a browser keeps the clipboard to itself: then select() selects the text, to be copied by hand. */
export async function copy(text, select) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    select();
    toast("Selected: copy it with your keyboard.");
  }
}

export function secret(text, label) {
  const box = h("input.code", { readonly: true, value: text, "aria-label": label, onfocus: (event) => event.target.select() });
  return h("div.secret", null, box, h("button", { type: "button", onclick: () => copy(text, () => { box.focus(); box.select(); }) }, "Copy"));
}
