/* toast.js — a short message at the foot of the page, with an undo if there is one.
 *
 * toast("Saved.")                                says it for a few seconds
 * undoable("Inquiry 12 is being closed.", act)   acts after five seconds unless Undo is pressed; a page
 *                                                that is left meanwhile acts at once: nothing is forgotten
 * settle()                                       acts at once on all that could still be undone
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
const waiting = new Set(); /* acts that can still be undone */

/* Resolves when they are done, well or not. */
export const settle = () => Promise.all([...waiting].map((act) => act()));
window.addEventListener("pagehide", settle);

/* Resolves to true when it was done, false when it was undone; rejects as `act` does. */
export function undoable(text, act) {
  return new Promise((done, failed) => {
    let timer = null;
    const end = () => {
      clearTimeout(timer);
      box.remove();
      waiting.delete(now);
    };
    const now = async () => {
      end();
      try {
        await act(); /* called at once: a page that is left waits for nothing */
        done(true);
      } catch (error) {
        failed(error);
      }
    };
    const box = show(text, "", h("button", { type: "button", onclick: () => { end(); done(false); } }, "Undo"));
    timer = setTimeout(now, UNDO_MS);
    waiting.add(now);
  });
}
