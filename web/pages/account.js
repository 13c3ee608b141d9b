/* account.js — the signed-in person: who they are, change of password. */
import { current, put } from "../api.js";
import { h } from "../dom.js";
import { words } from "../format.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { secondFactor } from "../ui/second_factor.js";
import { toast } from "../ui/toast.js";

export async function page({ signal }) {
  const { User, Account } = current();
  const sheet = form({
    action: "Change password",
    fields: [
      { name: "Password", label: "Password now", kind: "password", required: true, autocomplete: "current-password" },
      { name: "NewPassword", label: "New password", kind: "password", required: true, autocomplete: "new-password", hint: "At least 12 characters.",
        check: (value) => (value.length < 12 ? "At least 12 characters." : "") },
      { name: "Again", label: "New password again", kind: "password", required: true, autocomplete: "new-password",
        check: (value, values) => (value === values.NewPassword ? "" : "The two are not the same.") },
    ],
    submit: async ({ Password, NewPassword }) => {
      await put("/Session/Password", { Password, NewPassword });
      ["Password", "NewPassword", "Again"].forEach((name) => sheet.set(name, ""));
      toast("The password is changed; your other sessions have ended.");
    },
  });
  return { title: "Password and profile", node: h("div", null, heading("Password and profile"),
    h("section.card", null, facts([["Name", User.Name], ["Email", User.Email], ["Role", words.Role[User.Role]], ["Account", Account.Name], ["Account SID", Account.Sid], ["Kind", words.Kind[Account.Kind]]])),
    h("section.card", null, h("h2", null, "Change password"), sheet.node),
    secondFactor({ signal })) };
}
