/* toast.js — a short message at the foot of the page, with an undo if there is one.
 *
 * toast("Saved.")                                says it for a few seconds
 * undoable("Inquiry 12 is being closed.", act)   acts after ten seconds unless Undo or Escape is pressed; a page
 *                                                that is left for good meanwhile acts at once: nothing is forgotten
 * offer("Inquiry 12 will be declined.", "Undo", act)   offers that for ten seconds, over whatever pages; the server has it already
 * settle()                                       acts at once on all that could still be undone
 *
 * Undo takes the focus from the button that was pressed, and while it has it by keyboard, time stands still for up to
 * a minute.
 */
import { h, icon } from "../dom.js";

export const toastPlace = h("div.toasts", { role: "status", "aria-live": "polite" });

function show(text, tone, ...extra) {
  const box = h("div.toast", { class: tone }, h("span", null, text), extra);
  toastPlace.append(box);
  return box;
}

export function toast(text, tone = "") {
  const box = show(text, tone, h("button.plain", { type: "button", "aria-label": "Put this message away", onclick: () => box.remove() }, icon("close")));
  setTimeout(() => box.remove(), tone === "bad" ? 12000 : 5000);
}

const UNDO_MS = 10000, LOOK_MS = 250, UNDO_MOST_MS = 60000;
const waiting = new Map(); /* acts that can still be undone → what undoes them; the latest is last */

/* Resolves when they are done, well or not. */
export const settle = () => Promise.all([...waiting.keys()].map((act) => act()));
window.addEventListener("pagehide", settle);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !(waiting.size || offers.size) || document.querySelector("dialog[open], details[open] > .pop"))
    return;
  event.preventDefault();
  (waiting.size ? [...waiting.values()] : [...offers]).at(-1)();
});

const offers = new Set();
/* Resolves when the act was done, or its time is over. */
export function offer(text, words, act, ms = UNDO_MS, from = document.activeElement) {
  return new Promise((done) => {
    const keyboard = from?.matches?.(":focus-visible");
    const end = () => { clearTimeout(timer); offers.delete(now); box.remove(); done(); };
    const now = async () => {
      button.disabled = true;
      await act();
      end();
    };
    const button = h("button", { type: "button", onclick: now }, words);
    const box = show(text, "", button);
    const timer = setTimeout(end, ms);
    offers.add(now);
    if (keyboard && !document.activeElement?.matches?.("input, textarea, select"))
      button.setAttribute("aria-keyshortcuts", "Escape");
  });
}

/* Resolves to true when it was done, false when it was undone; rejects as `act` does.  `from`: the button that was pressed. */
export function undoable(text, act, from = document.activeElement) {
  return new Promise((done, failed) => {
    const keyboard = from?.matches?.(":focus-visible");
    let timer = null, left = UNDO_MS, most = UNDO_MOST_MS;
    const end = () => {
      clearInterval(timer);
      waiting.delete(now);
    };
    const now = async () => {
      end();
      box.remove();
      try {
        await act(); /* called at once: a page that is left waits for nothing */
        done(true);
      } catch (error) {
        failed(error);
      }
    };
    const undo = () => {
      end();
      done(false);
      setTimeout(() => box.remove()); /* when the button is itself again, to have the focus */
    };
    const button = h("button", { type: "button", onclick: undo }, "Undo");
    const box = show(text, "", button);
    timer = setInterval(() => {
      most -= LOOK_MS;
      left = button.matches(":focus-visible, :hover") ? UNDO_MS : left - LOOK_MS;
      if (left <= 0 || most <= 0)
        now();
    }, LOOK_MS);
    waiting.set(now, undo);
    if (keyboard)
      button.focus({ preventScroll: true, focusVisible: true });
  });
}
