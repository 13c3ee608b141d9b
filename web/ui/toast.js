/* toast.js — a short message at the foot of the page, with an undo if there is one.
 *
 * toast("Saved.")                                says it for a few seconds
 * undoable("Inquiry 12 is being closed.", act)   acts after five seconds unless Undo is pressed; a page
 *                                                that is left meanwhile acts at once: nothing is forgotten
 */
import { h } from "../dom.js";

export const toastPlace = h("div.toasts", { role: "status", "aria-live": "polite" });

function show(text, tone, ...extra) {
  const box = h("div.toast", { class: tone }, h("span", null, text), extra);
  toastPlace.append(box);
  return box;
}

export function toast(text, tone = "") {
  const box = show(text, tone);
  setTimeout(() => box.remove(), tone === "bad" ? 12000 : 5000);
}

const UNDO_MS = 5000;

/* Resolves to true when it was done, false when it was undone; rejects as `act` does. */
export function undoable(text, act) {
  return new Promise((done, failed) => {
    let timer = null;
    const end = () => {
      clearTimeout(timer);
      box.remove();
      window.removeEventListener("pagehide", now);
    };
    const now = () => { end(); Promise.resolve(act()).then(() => done(true), failed); };
    const box = show(text, "", h("button", { type: "button", onclick: () => { end(); done(false); } }, "Undo"));
    timer = setTimeout(now, UNDO_MS);
    window.addEventListener("pagehide", now);
  });
}
