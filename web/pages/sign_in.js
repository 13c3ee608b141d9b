/* sign_in.js — email and password; and a code, for who has a second factor. */
import { post, use } from "../api.js";
import { fill, h } from "../dom.js";
import { forgetPlaces } from "../places.js";
import { form } from "../ui/form.js";
import { codeStep } from "../ui/second_factor.js";

export async function page({ query, go }) {
  const next = query.get("next");
  const place = h("div");
  async function enter(session) {
    use(session);
    forgetPlaces();
    /* only to a page of ours, never to another address */
    await go(/^\/[a-z]/.test(next ?? "") ? next : "/", { replace: true });
  }
  const sheet = form({
    action: "Sign in",
    fields: [
      { name: "Email", label: "Email", kind: "email", required: true, autocomplete: "username", wide: true },
      { name: "Password", label: "Password", kind: "password", required: true, autocomplete: "current-password", wide: true },
    ],
    submit: async (values) => {
      const answer = await post("/Session", values, { quiet: true });
      if (!answer.Ticket)
        return enter(answer);
      fill(place, codeStep(answer.Ticket, enter));
      place.querySelector("input").focus();
      return null;
    },
  });
  fill(place, sheet.node, h("p", null, h("a", { href: "/forgotten" }, "Forgotten password?")));
  return { title: "Sign in", node: h("section.card", null, h("h1", null, "Sign in"), place) };
}
