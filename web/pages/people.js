/* people.js — an account's users, invitations and sessions, for its ADMINs. */
import { current, del, get, own, put } from "../api.js";
import { fill, h } from "../dom.js";
import { date, words } from "../format.js";
import { dialog } from "../ui/dialog.js";
import { factorRule, resetFactor } from "../ui/factor_rule.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { ROLES, invitationsTable, inviteForm, sendPassword } from "../ui/invite.js";
import { sessionsTable } from "../ui/sessions_table.js";
import { simpleTable } from "../ui/simple_table.js";
import { toast } from "../ui/toast.js";

const change = (uri, user, reload) => dialog(`Change ${user.Email}`, (close) => form({
  values: user, cancel: () => close(), action: "Save",
  fields: [
    { name: "Name", label: "Name", required: true, maxlength: 200 },
    { name: "Role", label: "Role", kind: "select", options: ROLES },
    { name: "Active", label: "Active", kind: "checkbox", hint: "When it is off the user cannot sign in, and their sessions end." },
  ],
  submit: async (values) => {
    await put(`${uri}/Users/${user.Id}`, values);
    close();
    toast("The user is changed.");
    await reload();
  },
}).node);

const usersTable = (uri, users, reload) => simpleTable("Users", users, [
  ["Name", (user) => user.Name], ["Mail address", (user) => user.Email], ["Role", (user) => words.Role[user.Role]],
  ["State", (user) => (user.Active === "true" ? "Active" : h("span.badge.bad", null, "Not active"))], ["Since", (user) => date(user.CreationDate)],
  ["", (user) => h("div.row", null,
    h("button.small", { type: "button", "aria-label": `Change ${user.Email}`, onclick: () => change(uri, user, reload) }, "Change"),
    user.Active === "true" && user.Id !== current().User.Id
      ? h("button.small", { type: "button", "aria-label": `Another password for ${user.Email}`, onclick: () => sendPassword(uri, user) }, "New password") : null,
    user.Id !== current().User.Id
      ? h("button.small", { type: "button", "aria-label": `Take the second factor of ${user.Email} away`, onclick: () => resetFactor(uri, user) }, "Second factor") : null)],
], "Nobody can sign in yet.");

export async function page({ signal }) {
  const uri = own(""), users = h("div"), invitations = h("div"), sessions = h("div");
  async function end(one) {
    await del(`${uri}/Sessions/${one.Id}`);
    toast("The session has ended.");
    await reload();
  }
  async function reload() {
    const [a, b, c] = await Promise.all(["Users", "Invitations", "Sessions"].map((name) => get(`${uri}/${name}`, null, { signal })));
    fill(users, usersTable(uri, a.Users, reload));
    fill(invitations, invitationsTable(uri, b.Invitations, reload));
    fill(sessions, sessionsTable(c.Sessions, end, true));
  }
  await reload();
  return { title: "People", node: h("div", null,
    heading("People", { actions: [h("button.primary", { type: "button", onclick: () => inviteForm(uri, reload) }, "Invite")] }),
    h("section.card", null, h("h2", null, "Users"), users),
    h("section.card", null, h("h2", null, "Invitations"), invitations),
    await factorRule(uri, signal),
    h("section.card", null, h("h2", null, "Who is signed in"), sessions)) };
}
