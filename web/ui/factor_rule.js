/* factor_rule.js — whether an account asks each of its users for a second factor, and taking away one that is lost.
 *
 * factorRule(uri, signal)   the switch, for who may set it; `uri`: of the account's people
 * resetFactor(uri, user)    asks, and takes the user's away
 */
import { del, get, put } from "../api.js";
import { h } from "../dom.js";
import { confirm } from "./dialog.js";
import { form } from "./form.js";
import { toast } from "./toast.js";

export async function factorRule(uri, signal) {
  const { Required } = await get(`${uri}/SecondFactor`, null, { signal });
  const sheet = form({
    action: "Save", values: { Required },
    fields: [{ name: "Required", label: "Each user has a second factor", kind: "checkbox", wide: true,
      hint: "Who has none sets one up before anything else, also in sessions that go on. Tokens are not asked." }],
    submit: async (values) => {
      await put(`${uri}/SecondFactor`, values);
      toast(values.Required === "true" || values.Required === true ? "Each user is asked for a second factor." : "A second factor is each user's own choice.");
    },
  });
  return h("section.card", null, h("h2", null, "Second factor"), sheet.node);
}

export async function resetFactor(uri, user) {
  if (!await confirm({ title: "Take the second factor away?", text: `${user.Email} signs in with the password alone until another one is set up, and is signed out now. For who has lost it and the recovery codes.`, action: "Take away", tone: "danger" }))
    return;
  await del(`${uri}/Users/${user.Id}/SecondFactor`);
  toast("The second factor is taken away.");
}
