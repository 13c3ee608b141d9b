/* link.js — whoever has a link comes here: an invitation, another password, another mail address.  Its token stands
 * behind the '#', which no server is told; it is taken out of the address at once.
 */
import { post } from "../api.js";
import { fill, h } from "../dom.js";
import { date } from "../format.js";
import { form } from "../ui/form.js";

const KINDS = {
  INVITATION: { title: "Invitation", action: "Accept", text: (link) => `You are invited to ${link.AccountName}, to sign in as ${link.Email}.`, done: "Welcome. Sign in with your mail address and the password." },
  PASSWORD: { title: "New password", action: "Save the password", text: (link) => `Choose another password for ${link.Email} at ${link.AccountName}. All sessions end with it.`, done: "The password is changed. Sign in with it." },
  EMAIL: { title: "Confirm the address", action: "Confirm", text: (link) => `${link.Email} is to be your mail address at ${link.AccountName}.`, done: "The address is confirmed: from now on you sign in with it." },
};
const passwords = [
  { name: "Password", label: "Password", kind: "password", required: true, autocomplete: "new-password", hint: "At least 12 characters.",
    check: (value) => (value.length < 12 ? "At least 12 characters." : "") },
  { name: "Again", label: "Password again", kind: "password", required: true, autocomplete: "new-password",
    check: (value, values) => (value === values.Password ? "" : "The two are not the same.") },
];

const said = (title, ...nodes) => ({ title, node: h("section.card", null, h("h1", null, title), ...nodes) });
const ways = () => h("p", null, h("a", { href: "/sign-in" }, "Sign in"), " · ", h("a", { href: "/forgotten" }, "Forgotten password?"));

export async function page() {
  const Link = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  let link;
  try {
    link = await post("/Session/Link", { Link: Link || "-" }, { quiet: true });
  } catch (error) {
    if (error.status !== 404)
      throw error;
    return said("This link is not good", h("p", null, "It was used, it has expired, or a newer one was sent. Ask for another."), ways());
  }
  const kind = KINDS[link.Kind], place = h("div");
  const sheet = form({
    action: kind.action, values: { Name: link.Name },
    fields: [
      ...(link.Kind === "INVITATION" ? [{ name: "Name", label: "Your name", required: true, maxlength: 200, autocomplete: "name", wide: true }] : []),
      ...(link.Kind === "EMAIL" ? [] : passwords),
    ],
    submit: async ({ Name, Password }) => {
      await post("/Session/Accept", { Link, Name, Password }, { quiet: true });
      fill(place, h("p", { role: "status" }, kind.done), h("p", null, h("a.button.primary", { href: "/sign-in" }, "Sign in")));
    },
  });
  fill(place, h("p", null, kind.text(link)), sheet.node, h("p.muted", null, `This link works once, until ${date(link.ExpiryDate)}.`));
  return said(kind.title, place);
}
