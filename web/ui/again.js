/* again.js — in place of something that did not load: what was wrong, and a button that tries it again. */
import { h } from "../dom.js";

/* tryAgain(error, again): `again` is called by the button. */
export const tryAgain = (error, again) => h("div.summary.failed", { role: "alert" },
  h("p", null, error.message, (error.errors ?? []).map((one) => ` ${one.Field}: ${one.Message}`)),
  h("button.small", { type: "button", onclick: again }, "Try again"));
