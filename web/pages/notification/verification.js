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

const FORMATS = { JSON: "JSON", XML: "XML", FORM: "a form", TEXT: "text" };

/* What the code is for, as a comment of its language: nothing in a name or a URL ends the line, or means anything there. */
function purpose(file, { Method, BodyFormat, Url }) {
  const mark = /\.(py|rb)$/.test(file) ? "#" : "//", url = Url.replace(/\s+/g, " ").replaceAll("\\", "/").replaceAll("?>", "? >");
  const body = Method === "GET" ? "it has no body: give none" : `its body is ${FORMATS[BodyFormat] ?? BodyFormat}: give it as it came`;
  return `${mark} For ${Method} ${url} (${body}).\n${mark} Signed in the header webhook-signature, over webhook-id, webhook-timestamp and the body.\n`;
}

/* The comment stands first; in PHP behind its opening. */
function withPurpose(file, text, notification) {
  const at = file.endsWith(".php") ? text.indexOf("\n") + 1 : 0;
  return text.slice(0, at) + purpose(file, notification) + text.slice(at);
}

/* verification(): { element, fillIn(secret or null) }.  A file is asked for when its language is chosen. */
export function verification(notification, { signal }) {
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
    text = answer.ok ? withPurpose(file, found, notification) : found;
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
