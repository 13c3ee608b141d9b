/* closing.js — a partner closes an inquiry, and may think better of it for a moment. */
import { own, post } from "../../api.js";
import { toast, undoable } from "../../ui/toast.js";

/* The button is the inquiry's Close; `closed` is called when it is done. */
export async function close(inquiry, button, closed) {
  button.disabled = true;
  button.textContent = "Closing…";
  try {
    const done = await undoable(`Inquiry ${inquiry.Id} is being closed.`,
      () => post(own(`/ActionInquiries/${inquiry.Id}/Close`), undefined, { keepalive: true }));
    if (done) {
      toast(`Inquiry ${inquiry.Id} is closed.`);
      closed();
      return;
    }
  } catch (error) {
    toast(`Inquiry ${inquiry.Id} is not closed: ${error.message}`, "bad");
  }
  button.disabled = false;
  button.textContent = "Close";
}
