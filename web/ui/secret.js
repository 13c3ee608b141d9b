/* secret.js — a secret that is shown once, with a button to copy it. */
import { h } from "../dom.js";
import { toast } from "./toast.js";

export function secret(text, label) {
  const box = h("input.code", { readonly: true, value: text, "aria-label": label, onfocus: (event) => event.target.select() });
  return h("div.secret", null, box, h("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch { /* no clipboard without https: the text is selected, to be copied by hand */
      box.focus();
      box.select();
    }
  } }, "Copy"));
}
