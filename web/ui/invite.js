/* invite.js — invitations to an account and links for another password: made, shown once where no mail is sent,
 * sent again, taken back.
 */
import { del, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date, words } from "../format.js";
import { confirm, dialog } from "./dialog.js";
import { form } from "./form.js";
import { secret } from "./secret.js";
import { simpleTable } from "./simple_table.js";
import { toast } from "./toast.js";

export const ROLES = [["ADMIN", "Admin: users and tokens too"], ["USER", "User: sees and changes"], ["READ_ONLY", "Read only"]];
const button = (text, label, onclick, tone) => h("button.small", { type: "button", "aria-label": label, class: tone, onclick }, text);

/* What became of a link: the letter, or itself, which is shown now and never again. */
function outcome(made, email, close) {
  const whole = made.Link?.startsWith("/") ? location.origin + made.Link : made.Link;
  return h("div", null,
    made.Link ? [h("p", null, `This is the link for ${email}. It is shown only now, works once, and until ${date(made.ExpiryDate)}. Give it to nobody else.`), secret(whole, "Link")]
      : h("p", null, `A link is on its way to ${email}. It works once, until ${date(made.ExpiryDate)}.`),
    h("div.actions", null, h("button.primary", { type: "button", onclick: () => close() }, "Done")));
}

const tell = (title, made, email) => dialog(title, (close) => outcome(made, email, close));

/* `uri`: of the account's people. */
export const inviteForm = (uri, reload) => dialog("Invite somebody", (close) => {
  const place = h("div"), sheet = form({
    action: "Invite", cancel: () => close(), values: { Role: "USER" },
    fields: [
      { name: "Email", label: "Mail address", kind: "email", required: true, maxlength: 254 },
      { name: "Name", label: "Name", maxlength: 200, hint: "They can change it." },
      { name: "Role", label: "Role", kind: "select", options: ROLES },
    ],
    submit: async (values) => {
      const made = await post(`${uri}/Invitations`, values);
      fill(place, outcome(made, values.Email, close));
      await reload();
    },
  });
  return fill(place, sheet.node);
});

export async function sendPassword(uri, user) {
  if (await confirm({ title: "A link for another password?", text: `${user.Email} gets a link that works once, for an hour. Until it is used the password stays.`, action: "Send link" }))
    await tell("Another password", await post(`${uri}/Users/${user.Id}/PasswordLink`), user.Email);
}

async function again(uri, one, reload) {
  const made = await post(`${uri}/Invitations/${one.Id}/Resend`);
  await reload();
  await tell("Sent again", made, one.Email);
}

async function takeBack(uri, one, reload) {
  if (!await confirm({ title: "Take the invitation back?", text: `The link that ${one.Email} has is worth nothing then.`, action: "Take back", tone: "danger" }))
    return;
  await del(`${uri}/Invitations/${one.Id}`);
  toast("The invitation is taken back.");
  await reload();
}

export const invitationsTable = (uri, invitations, reload) => simpleTable("Invitations", invitations, [
  ["Mail address", (one) => one.Email], ["Role", (one) => words.Role[one.Role]], ["By", (one) => one.InvitedBy], ["Sent", (one) => date(one.SentDate)],
  ["Until", (one) => (one.Expired === "true" ? h("span.badge.warn", null, "Expired") : date(one.ExpiryDate))],
  ["", (one) => h("div.row", null, button("Send again", `Send the invitation of ${one.Email} again`, () => again(uri, one, reload)),
    button("Take back", `Take the invitation of ${one.Email} back`, () => takeBack(uri, one, reload), "danger"))],
], "Nobody is invited at the moment.");
