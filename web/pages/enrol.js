/* enrol.js — in place of every page, for who must set up a second factor before anything else. */
import { get, use } from "../api.js";
import { h } from "../dom.js";
import { secondFactor } from "../ui/second_factor.js";

export async function page({ signal, go }) {
  const done = async () => {
    use(await get("/Session"));
    await go(location.pathname + location.search, { replace: true });
  };
  return { title: "Set up your second factor", node: h("div", null,
    h("h1", null, "Set up your second factor"),
    h("p", null, "Your account asks each of its users for one. All else is there once it is on."),
    secondFactor({ signal, done })) };
}
