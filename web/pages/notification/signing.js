/* signing.js — how a receiver knows that a request is ours: the signing secret, the custom headers, the TLS identity. */
import { get, mayChange, post } from "../../api.js";
import { fill, h } from "../../dom.js";
import { date } from "../../format.js";
import { confirm } from "../../ui/dialog.js";
import { facts } from "../../ui/facts.js";
import { copy } from "../../ui/secret.js";
import { toast } from "../../ui/toast.js";
import { path } from "./health.js";
import { verification } from "./verification.js";

function secret(notification, { signal }) {
  const { Id: id } = notification, verify = verification(notification, { signal });
  const place = h("div.secret-place", { role: "status" });
  const button = (text, onclick, style = "button") => h(style, { type: "button", onclick }, text);
  function hidden() {
    verify.fillIn(null);
    fill(place, h("div.actions", null, button("Show the secret", () => show(get(path(id, "/SigningSecret"), null, { signal })))));
  }
  async function show(asked) {
    try {
      const { SigningSecret, OldSecretUntil } = await asked;
      const code = h("code.secret", null, SigningSecret);
      verify.fillIn(SigningSecret);
      fill(place, h("p", null, code),
        OldSecretUntil ? h("p.hint", null, `The secret before it signs too until ${date(OldSecretUntil)}: each request carries both signatures.`) : null,
        h("div.actions", null, button("Copy", () => copy(SigningSecret, () => getSelection().selectAllChildren(code))), button("Hide", hidden)));
    } catch (error) {
      if (error.name !== "AbortError")
        toast(error.message, "bad");
    }
  }
  async function rotate() {
    const sure = await confirm({ title: "Rotate the signing secret?", action: "Rotate",
      text: "A new secret is made. For a day the old one signs too, so that your receiver can change over without missing a request." });
    if (sure)
      await show(post(path(id, "/SigningSecret")));
  }
  if (mayChange())
    hidden();
  else
    fill(place, h("p.muted", null, "Shown to those who may change settings."));
  return h("section.card", { "aria-label": "Signing secret" },
    h("div.card-head", null, h("h2", null, "Signing secret"), h("span.gap"), mayChange() ? h("button.small", { type: "button", onclick: rotate }, "Rotate") : null),
    h("p", null, "Every request is signed with it in ", h("code", null, "webhook-signature"), ", as Standard Webhooks has it: HMAC-SHA256 over id, timestamp and body."),
    place, verify.element);
}

/* What was set for another receiver is not sent to the one that the URL leads to now. */
const waiting = (setFor, { Destination }) => (setFor && setFor !== Destination
  ? h("p.warning", { role: "note" }, `Set for ${setFor} and not used for ${Destination}, until the support agrees or the URL leads back.`) : null);

function headers(notification) {
  const ask = `/support?Kind=CUSTOM_HEADER&NotificationId=${notification.Id}&Subject=${encodeURIComponent("Custom header")}`;
  const names = notification.CustomHeaders;
  return h("section.card", { "aria-label": "Custom headers" }, h("h2", null, "Custom headers"),
    h("p", null, "Credentials that your receiver asks for. The support sets them; their values are shown to nobody."),
    names.length ? h("table", null, h("thead", null, h("tr", null, h("th", { scope: "col" }, "Header"), h("th", { scope: "col" }, "Value"))),
      h("tbody", null, names.map((one) => h("tr", null, h("td", null, h("code", null, one.Name)), h("td.muted", null, "hidden"))))) : h("p.muted", null, "None."),
    waiting(notification.CustomHeadersFor, notification),
    h("p", null, h("a", { href: ask }, "Ask the support for a header")));
}

/* What the operator set for TLS to this receiver, read-only. */
function identity(notification) {
  const { Tls } = notification;
  const certificates = (list) => h("ul.certificates", null, list.map((one) => h("li", null, h("code", null, one.Subject), h("span.muted", null, ` until ${date(one.EndDate)}`))));
  const { CaCertificates = [], ClientCertificates = [] } = Tls ?? {};
  return h("section.card", { "aria-label": "TLS identity" }, h("h2", null, "TLS identity"), facts([
    ["The receiver is trusted by", CaCertificates.length ? certificates(CaCertificates) : "The authorities that the server trusts"],
    ["It is shown the certificate", ClientCertificates.length ? certificates(ClientCertificates) : "None"],
  ]), waiting(notification.TlsFor, notification), h("p.hint", null, "Set by the support, on request."));
}

export const signing = (notification, context) => h("div.columns.signing", null, secret(notification, context), headers(notification), identity(notification));
