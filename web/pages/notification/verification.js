/* verification.js — code that verifies a postback's signature, in the receiver's language, with the secret filled in. */
import { fill, h } from "../../dom.js";
import { copy } from "../../ui/secret.js";

const PLACEHOLDER = "whsec_YOUR_SECRET";

/* Language, file: as they stand in web/verify, where tests run them. */
const CODES = [
  ["C", "verify.c"], ["Go", "verify.go"], ["Java", "Verify.java"], ["JavaScript", "verify.mjs"],
  ["PHP", "verify.php"], ["Python", "verify.py"], ["Ruby", "verify.rb"], ["C#", "Verify.cs"],
];

/* The one that was chosen last, where the browser keeps such things. */
const KEPT = "verification.language";
function kept() {
  try { return localStorage.getItem(KEPT); } catch { return null; }
}
function keep(file) {
  try { localStorage.setItem(KEPT, file); } catch { /* the next page begins with the first */ }
}

/* verification(): { element, fillIn(secret or null) }.  A file is asked for when its language is chosen. */
export function verification({ signal }) {
  let secret = null, text = "";
  const code = h("code"), place = h("pre", { tabindex: "0", "aria-label": "Verification code" }, code);
  const select = h("select", { "aria-label": "Language", onchange: () => choose(select.value) },
    CODES.map(([name, file]) => h("option", { value: file }, name)));
  const shown = () => (secret ? text.replace(PLACEHOLDER, secret) : text);
  const show = () => fill(code, shown());
  async function choose(file) {
    keep(file);
    const answer = await fetch(`/assets/verify/${file}`, { signal });
    const found = answer.ok ? await answer.text() : "The code could not be read: choose the language again.";
    if (select.value !== file)
      return; /* another one was chosen meanwhile */
    text = found;
    show();
  }
  const details = h("details.verification", {
    ontoggle: () => {
      if (details.open && !text)
        choose(select.value).catch(() => {});
    },
  }, h("summary", null, "Verification code"),
  h("div.actions", null, select, h("button", { type: "button", onclick: () => copy(shown(), () => getSelection().selectAllChildren(code)) }, "Copy the code")),
  place);
  if (CODES.some(([, file]) => file === kept()))
    select.value = kept();
  return { element: details, fillIn: (found) => { secret = found; show(); } };
}
