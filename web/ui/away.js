/* away.js — a page in place of one that could not be shown because the server was not reached: it says so, and tries
 * again by itself, when the browser is online again, and by a button.
 *
 * away({ text, again, signal }): `again` is called once, when the server answers or the button is pressed; until the
 * signal is aborted.
 */
import { h } from "../dom.js";

const LOOK_MS = 3000;

export function away({ text, again, signal }) {
  let done = false;
  const stop = () => {
    clearInterval(timer);
    window.removeEventListener("online", look);
  };
  function now() {
    if (done || signal.aborted)
      return;
    done = true;
    stop();
    again();
  }
  async function look() {
    const there = await fetch("/healthz", { cache: "no-store", signal }).then((answer) => answer.ok, () => false);
    if (there)
      now();
  }
  const timer = setInterval(look, LOOK_MS);
  window.addEventListener("online", look);
  signal.addEventListener("abort", stop);
  return h("section.card", null,
    h("h1", null, navigator.onLine ? "The server cannot be reached" : "You are offline"),
    h("p", { role: "status" }, text, " It is tried again by itself, as soon as the server answers."),
    h("div.actions", null, h("button.primary", { type: "button", onclick: now }, "Try again"), h("a.button", { href: "/" }, "Start page")));
}
