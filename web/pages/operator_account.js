/* operator_account.js — one account: what it is, its users, its tokens, the data points opened to it. */
import { get, isAdmin, mayChange, post, put } from "../api.js";
import { fill, h } from "../dom.js";
import { date, words } from "../format.js";
import { badge } from "../ui/badge.js";
import { dialog } from "../ui/dialog.js";
import { facts } from "../ui/facts.js";
import { factorRule, resetFactor } from "../ui/factor_rule.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { lookInto } from "../ui/look.js";
import { ROLES, invitationsTable, inviteForm } from "../ui/invite.js";
import { simpleTable } from "../ui/simple_table.js";
import { toast } from "../ui/toast.js";
import { tokenForm, tokensTable } from "../ui/tokens_table.js";

const PASSWORD_LEAST = 12;
const longEnough = (value) => (value.length < PASSWORD_LEAST ? `At least ${PASSWORD_LEAST} characters.` : "");
const button = (text, onclick, tone) => h("button.small", { type: "button", class: tone, onclick }, text);

function change(uri, account, reload) {
  return dialog("Change the account", (close) => form({
    values: account, cancel: () => close(),
    fields: [
      { name: "Name", label: "Name", required: true, maxlength: 200 },
      { name: "Email", label: "Mail address for notices", kind: "email", maxlength: 254 },
      { name: "Active", label: "Active", kind: "checkbox", hint: "When it is off nobody signs in, no token works, and its postbacks wait." },
    ],
    submit: async (values) => { await put(uri, values); close(); toast("The account is changed."); await reload(); },
  }).node);
}

/* ---- users ---- */

function userForm(uri, user, reload) {
  return dialog(user ? `Change ${user.Email}` : "New user", (close) => form({
    values: user ?? { Role: "USER" }, cancel: () => close(), action: user ? "Save" : "Add user",
    fields: [
      ...(user ? [] : [{ name: "Email", label: "Email, to sign in with", kind: "email", required: true, maxlength: 254 }]),
      { name: "Name", label: "Name", required: true, maxlength: 200 },
      { name: "Role", label: "Role", kind: "select", options: ROLES },
      { name: "Password", label: user ? "New password" : "Password", kind: "password", required: !user, autocomplete: "new-password", check: longEnough,
        hint: user ? "Leave empty to keep the one there is. A new one ends the user's sessions." : `At least ${PASSWORD_LEAST} characters; the user can change it.` },
      ...(user ? [{ name: "Active", label: "Active", kind: "checkbox", hint: "When it is off the user cannot sign in, and their sessions end." }] : []),
    ],
    submit: async (values) => {
      const body = Object.fromEntries(Object.entries(values).filter(([name, value]) => name !== "Password" || value));
      await (user ? put(`${uri}/Users/${user.Id}`, body) : post(`${uri}/Users`, body));
      close();
      toast(user ? "The user is changed." : "The user can sign in.");
      await reload();
    },
  }).node);
}

const users = (uri, list, reload) => simpleTable("Users", list, [
  ["Email", (user) => user.Email], ["Name", (user) => user.Name], ["Role", (user) => words.Role[user.Role]],
  ["State", (user) => (user.Active === "true" ? "Active" : h("span.badge.bad", null, "Not active"))], ["Since", (user) => date(user.CreationDate)],
  ...(isAdmin() ? [["", (user) => h("button.small", { type: "button", "aria-label": `Change ${user.Email}`, onclick: () => userForm(uri, user, reload) }, "Change")],
    ["", (user) => h("button.small", { type: "button", "aria-label": `Take the second factor of ${user.Email} away`, onclick: () => resetFactor(uri, user) }, "Second factor")]] : []),
], "Nobody can sign in for this account yet.");

/* ---- data points ---- */

async function dataPoints(uri, signal) {
  const [catalog, opened] = await Promise.all([get("/EventCatalog", null, { signal }), get(`${uri}/DataPoints`, null, { signal })]);
  const closed = new Map();
  for (const type of catalog.Categories.flatMap((category) => category.EventTypes))
    for (const point of type.DataPoints)
      if (point.OnRequest === "true")
        closed.set(point.Name, point);
  if (!closed.size)
    return h("p.muted", null, "No data point of the catalog is on request: all are open to everybody.");
  const sheet = form({
    action: "Save", values: { DataPoints: opened.DataPoints },
    fields: [{ name: "DataPoints", label: "Open to this account", kind: "checks", wide: true, options: [...closed.values()].map((point) => [point.Name, point.Name, point.Meaning]) }],
    submit: async (values) => { await put(`${uri}/DataPoints`, values); toast("Saved."); },
  });
  if (!mayChange())
    sheet.node.querySelectorAll("input, button").forEach((one) => { one.disabled = true; });
  return sheet.node;
}

export async function page({ params, signal }) {
  const uri = `/Operator/Accounts/${encodeURIComponent(params.Sid)}`;
  const head = h("div"), about = h("section.card"), people = h("div"), keys = h("div"), points = h("div");
  const may = mayChange(), admin = isAdmin(), invited = h("div");
  let account;

  async function reload() {
    const [seen, userList, tokenList] = await Promise.all([get(uri, null, { signal }), get(`${uri}/Users`, null, { signal }), get(`${uri}/Tokens`, null, { signal })]);
    account = seen;
    fill(head, heading(account.Name, { back: ["Accounts", "/operator/accounts"], beside: badge("Kind", account.Kind), actions: may ? [
      account.Kind !== "OPERATOR" && account.Active === "true" ? h("button", { type: "button", onclick: () => lookInto(account.Sid) }, "Look into it") : null,
      h("button", { type: "button", onclick: () => change(uri, account, reload) }, "Change")] : [] }));
    fill(about, facts([
      ["SID", h("code", null, account.Sid)], ["Id", account.Id], ["Mail address", account.Email], ["State", account.Active === "true" ? "Active" : h("span.badge.bad", null, "Not active")], ["Made", date(account.CreationDate)],
      ["Its event notifications", account.Kind === "OPERATOR" ? "" : h("a", { href: `/operator/headers?AccountSid=${account.Sid}` }, "Custom headers and TLS")],
      ["Its pages", account.Kind === "OPERATOR" || account.Active !== "true" ? "" : h("div.actions", null, [["Postbacks", "/postbacks"], ["Inquiries", "/inquiries"]].map(([text, to]) =>
        button(text, () => lookInto(account.Sid, to))))],
      ["Its changes", h("a", { href: `/operator/audit?AccountSid=${account.Sid}` }, "Audit log")],
      ["Its requests", account.Kind === "OPERATOR" ? "" : h("a", { href: `/operator/support?State=&AccountSid=${account.Sid}` }, "Support")],
    ]));
    fill(people, users(uri, userList.Users, reload));
    if (admin)
      fill(invited, h("h3", null, "Invitations"), invitationsTable(uri, (await get(`${uri}/Invitations`, null, { signal })).Invitations, reload));
    fill(keys, tokensTable(uri, tokenList.Tokens, reload, admin));
  }
  await reload();
  if (account.Kind !== "OPERATOR")
    fill(points, await dataPoints(uri, signal));
  return { title: account.Name, node: h("div", null, head, about,
    h("section.card", null, h("div.card-head", null, h("h2", null, "Users"), h("span.gap"), admin ? [button("Invite", () => inviteForm(uri, reload)), button("New user", () => userForm(uri, null, reload))] : null), people, invited),
    admin ? await factorRule(uri, signal) : null,
    h("section.card", null, h("div.card-head", null, h("h2", null, "Tokens"), h("span.gap"), admin ? button("New token", () => tokenForm(uri, reload)) : null), keys),
    account.Kind === "OPERATOR" ? null : h("section.card", null, h("h2", null, "Data points on request"), points)) };
}
