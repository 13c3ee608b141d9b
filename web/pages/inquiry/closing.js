/* closing.js — a partner closes an inquiry, and may think better of it for a moment. */
import { own, post } from "../../api.js";
import { h } from "../../dom.js";
import { toast, undoable } from "../../ui/toast.js";

const closing = new Set(); /* ids of those that can still be undone, whatever is drawn anew meanwhile */

async function close(inquiry, button, changed) {
  closing.add(inquiry.Id);
  const waits = undoable(`Inquiry ${inquiry.Id} is being closed.`,
    () => post(own(`/ActionInquiries/${inquiry.Id}/Close`), undefined, { keepalive: true }), button);
  show(button, inquiry);
  try {
    const done = await waits;
    toast(done ? `Inquiry ${inquiry.Id} is closed.` : `Inquiry ${inquiry.Id} stays open.`);
  } catch (error) {
    toast(`Inquiry ${inquiry.Id} is not closed: ${error.message}`, "bad");
  }
  closing.delete(inquiry.Id);
  show(button, inquiry);
  changed();
}

function show(button, { Id }) {
  button.disabled = closing.has(Id);
  button.textContent = button.disabled ? "Closing…" : "Close";
}

/* The inquiry's Close; `changed` is called when it is done, or undone. */
export function closeButton(inquiry, changed, kind = "button") {
  const button = h(kind, { type: "button", "aria-label": kind === "button" ? null : `Close inquiry ${inquiry.Id}`, onclick: () => close(inquiry, button, changed) });
  show(button, inquiry);
  return button;
}
