/* tokens_table.js — an account's tokens: made, shown once, revoked. */
import { del, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date } from "../format.js";
import { confirm, dialog } from "./dialog.js";
import { form } from "./form.js";
import { secret } from "./secret.js";
import { simpleTable } from "./simple_table.js";
import { toast } from "./toast.js";

const SCOPES = [["API", "API: everything of the account"], ["READ", "READ: only reading"], ["EVENTS", "EVENTS: only POST /Events"]];

export const tokenForm = (uri, reload) => dialog("New token", (close) => {
  const place = h("div"), sheet = form({
    action: "Make token", cancel: () => close(),
    fields: [
      { name: "Scope", label: "Scope", kind: "select", options: SCOPES },
      { name: "Label", label: "Label", maxlength: 60, hint: "Shown in the audit log, and as the author of comments." },
      { name: "ExpiryDate", label: "Works until", kind: "date", hint: "Empty: until it is revoked." },
    ],
    submit: async (values) => {
      const made = await post(`${uri}/Tokens`, values);
      fill(place, h("p", null, "This is the token. It is shown only now; it is the password of HTTP Basic, with the SID as the user."), secret(made.Token, "Token"),
        h("div.actions", null, h("button.primary", { type: "button", onclick: () => close() }, "Done")));
      await reload();
    },
  });
  return fill(place, sheet.node);
});

async function revoke(uri, token, reload) {
  if (!await confirm({ title: "Revoke this token?", text: "Whoever uses it is refused from then on. This cannot be undone.", action: "Revoke", tone: "danger" }))
    return;
  await del(`${uri}/Tokens/${token.Id}`);
  toast("The token is revoked.");
  await reload();
}

const ended = (token) => token.ExpiryDate && new Date(token.ExpiryDate) <= new Date();
function last(uri, token, reload, may) {
  if (token.RevokedDate)
    return h("span.muted", null, `Revoked ${date(token.RevokedDate)}`);
  return may ? h("button.small.danger", { type: "button", "aria-label": `Revoke ${token.Label || "the token"} ${token.Id}`, onclick: () => revoke(uri, token, reload) }, "Revoke") : "";
}

export const tokensTable = (uri, tokens, reload, may) => simpleTable("Tokens", tokens, [
  ["Label", (token) => token.Label], ["Scope", (token) => token.Scope], ["Made", (token) => date(token.CreationDate)],
  ["Last used", (token) => (token.LastUseDate ? date(token.LastUseDate) : "Never")],
  ["Until", (token) => (ended(token) ? h("span.badge.warn", null, "Expired") : date(token.ExpiryDate) || "No end")],
  ["", (token) => last(uri, token, reload, may)],
], "No token yet.");
