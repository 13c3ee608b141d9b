/* sign_in.js — email and password. */
import { post, use } from "../api.js";
import { h } from "../dom.js";
import { forgetPlaces } from "../places.js";
import { form } from "../ui/form.js";

export async function page({ query, go }) {
  const next = query.get("next");
  const sheet = form({
    action: "Sign in",
    fields: [
      { name: "Email", label: "Email", kind: "email", required: true, autocomplete: "username", wide: true },
      { name: "Password", label: "Password", kind: "password", required: true, autocomplete: "current-password", wide: true },
    ],
    submit: async (values) => {
      use(await post("/Session", values, { quiet: true }));
      forgetPlaces();
      /* only to a page of ours, never to another address */
      await go(/^\/[a-z]/.test(next ?? "") ? next : "/", { replace: true });
    },
  });
  return { title: "Sign in", node: h("section.card", null, h("h1", null, "Sign in"), sheet.node) };
}
