/* forgotten.js — a link for another password is asked for. */
import { post } from "../api.js";
import { fill, h } from "../dom.js";
import { form } from "../ui/form.js";

export async function page() {
  const place = h("div");
  const sheet = form({
    action: "Send a link", cancel: "/sign-in",
    fields: [{ name: "Email", label: "Email", kind: "email", required: true, autocomplete: "username", wide: true }],
    submit: async ({ Email }) => {
      await post("/Session/Forgotten", { Email }, { quiet: true });
      fill(place, h("p", { role: "status" }, `If ${Email} signs in here, a link is on its way to it. It works once, for an hour.`),
        h("p", null, "Nothing comes? Ask an admin of your account, who can make a link for you."),
        h("p", null, h("a", { href: "/sign-in" }, "Back to signing in")));
    },
  });
  fill(place, h("p", null, "We send a link to your mail address, by which you choose another password."), sheet.node);
  return { title: "Forgotten password", node: h("section.card", null, h("h1", null, "Forgotten password"), place) };
}
