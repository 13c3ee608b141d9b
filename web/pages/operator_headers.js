/* operator_headers.js — what only the operator sets of accounts' event notifications: custom headers with
 * credentials, own authority and client certificate. */
import { del, get, mayChange, post, put } from "../api.js";
import { h } from "../dom.js";
import { day } from "../format.js";
import { badge } from "../ui/badge.js";
import { confirm, dialog } from "../ui/dialog.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";
import { toast } from "../ui/toast.js";

const HIDDEN = "(hidden)";

function headerLine(header) {
  const name = h("input", { value: header.Name ?? "", "aria-label": "Name", placeholder: "X-Api-Key" });
  const value = h("input", { type: "password", value: "", "aria-label": `Value${header.Name ? ` of ${header.Name}` : ""}`, autocomplete: "new-password", placeholder: header.Name ? "As it is (hidden)" : "" });
  const node = h("div.header-line", null, name, value, h("button.small", { type: "button", "aria-label": `Remove ${header.Name ?? "this header"}`, onclick: () => node.remove() }, "Remove"));
  return { node, value: () => ({ Name: name.value.trim(), Value: value.value || (header.Name ? HIDDEN : "") }) };
}

const headers = (notification, done) => dialog("Custom headers", (close) => {
  const lines = [], place = h("div.header-lines");
  const add = (header) => { const line = headerLine(header); lines.push(line); place.append(line.node); return line; };
  notification.CustomHeaders.forEach(add);
  const waits = notification.CustomHeaders.length && notification.CustomHeadersFor !== notification.Destination;
  const sheet = form({
    cancel: () => close(),
    fields: [{ name: "CustomHeaders", label: `Sent with each postback to ${notification.Url}`, kind: "static", wide: true, hint: `${waits ? `Those that are there were set for ${notification.CustomHeadersFor}: give their values anew, or remove them. ` : ""}Values are sealed on disk and never shown again; the account sees the names alone.`,
      node: h("div", null, place, h("button.small", { type: "button", onclick: () => add({}).node.querySelector("input").focus() }, "Add a header")) }],
    submit: async () => {
      await put(`/Operator/Notifications/${notification.Id}/Headers`, { CustomHeaders: lines.filter((line) => line.node.isConnected).map((line) => line.value()), For: notification.Destination });
      close();
      toast("The custom headers are set.");
      done();
    },
  });
  return sheet.node;
});

const subjects = (title, certificates) => (certificates.length ? h("p", null, h("strong", null, `${title}: `), certificates.map((one) => `${one.Subject}, until ${day(one.EndDate)}`).join("; ")) : null);

async function identity(notification, done, signal) {
  const uri = `/Operator/Notifications/${notification.Id}/Tls`;
  const now = await get(uri, null, { signal }).catch((error) => { if (error.status === 404) return null; throw error; });
  await dialog("TLS: own authority, client certificate", (close) => h("div", null,
    now ? [subjects("Authorities", now.CaCertificates), subjects("Client certificate", now.ClientCertificates)] : null,
    form({
      action: "Set", cancel: () => close(),
      fields: [
        { name: "CaCertificate", label: "Authorities (PEM)", kind: "textarea", code: true, hint: "Who signs the receiver's certificate. They replace the system's for this event notification.", spellcheck: "false" },
        { name: "ClientCertificate", label: "Client certificate and its chain (PEM)", kind: "textarea", code: true, spellcheck: "false" },
        { name: "ClientKey", label: "Its key (PEM, no passphrase)", kind: "textarea", code: true, hint: "Sealed on disk, never shown again.", spellcheck: "false" },
      ],
      extra: now ? [{ text: "Remove", submit: async () => { await del(uri); close(); toast("The system's authorities are used again."); done(); } }] : [],
      submit: async (values) => {
        await put(uri, { ...Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim())), For: notification.Destination });
        close();
        toast("The TLS identity is set.");
        done();
      },
    }).node));
}

/* Credentials that the account's change of its URL took out of use. */
async function agree(notification, done) {
  const what = [notification.CustomHeaders.length ? "custom headers" : null, notification.TlsFor ? "TLS identity" : null].filter(Boolean).join(" and ");
  const sure = await confirm({ title: `Send them to ${notification.Destination}?`, action: "Agree",
    text: `The ${what} of ${notification.Name || notification.Id} were set for ${[...new Set([notification.CustomHeadersFor, notification.TlsFor].filter(Boolean))].join(", ")}. The account's URL leads to ${notification.Destination} now.` });
  if (!sure)
    return;
  await post(`/Operator/Notifications/${notification.Id}/Agree`, { For: notification.Destination });
  toast("They go to the new receiver from now on.");
  done();
}

const waiting = (setFor, row) => (setFor && setFor !== row.Destination ? h("div.hint", null, `set for ${setFor}, waiting for agreement`) : null);

export async function page(context) {
  const may = mayChange();
  const again = () => all.reload();
  const open = (act) => act.catch((error) => toast(error.message, "bad"));
  const all = list({
    id: "operator-notifications", caption: "Event notifications of all accounts", context, turn: ["Previous", "Next"], rowKey: (row) => row.Id,
    filters: [{ name: "AccountSid", label: "Account (SID)", wide: true }],
    columns: [
      { key: "name", title: "Event notification", always: true, cell: (row) => row.Name || row.Url || row.Id },
      { key: "id", title: "Id", hidden: true, cell: (row) => row.Id },
      { key: "account", title: "Account", cell: (row) => h("a", { href: `/operator/accounts/${row.AccountSid}` }, h("code", null, row.AccountSid)) },
      { key: "url", title: "URL", hidden: true, cell: (row) => row.Url },
      { key: "state", title: "State", cell: (row) => badge("NotificationState", row.State) },
      { key: "headers", title: "Custom headers", cell: (row) => [(row.CustomHeaders ?? []).map((one) => one.Name).join(", "), waiting(row.CustomHeadersFor, row)] },
      { key: "tls", title: "TLS", cell: (row) => [row.TlsFor ? "of its own" : "", waiting(row.TlsFor, row)] },
      ...(may ? [{ key: "set", title: "Set", always: true, cell: (row) => (row.State === "DAMAGED" ? "" : h("div.actions", null,
        row.CredentialsWait === "true" ? h("button.small", { type: "button", "aria-label": `Agree to the receiver of ${row.Name || row.Id}`, onclick: () => open(agree(row, again)) }, "Agree") : null,
        h("button.small", { type: "button", "aria-label": `Headers of ${row.Name || row.Id}`, onclick: () => open(headers(row, again)) }, "Headers"),
        h("button.small", { type: "button", "aria-label": `TLS of ${row.Name || row.Id}`, onclick: () => open(identity(row, again, context.signal)) }, "TLS"))) }] : []),
    ],
    load: pageOf("/Operator/Notifications", "Notifications", "After"),
  });
  await all.ready;
  return { title: "Custom headers", node: h("div", null, heading("Custom headers"), all.node) };
}
