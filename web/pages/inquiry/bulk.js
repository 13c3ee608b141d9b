/* bulk.js — what can be done with many inquiries at once: close; accept on terms, decline with one reason; assign. */
import { get, isBrand, own, post } from "../../api.js";
import { h } from "../../dom.js";
import { counted } from "../../format.js";
import { dialog } from "../../ui/dialog.js";
import { form } from "../../ui/form.js";
import { toast, undoable } from "../../ui/toast.js";
import { REJECT_REASONS } from "./fields.js";
import { offerUndo } from "./undo.js";

const idsOf = (rows) => rows.map((one) => one.Id);

/* What was refused, each with its reason. */
function tell(answer, verb) {
  const refused = answer.Results.filter((one) => one.Status !== "OK");
  if (!refused.length)
    return;
  dialog(`${counted(refused.length, "inquiry", "inquiries")} not ${verb}`, () => h("ul.plain-list.refused", null, refused.map((one) =>
    h("li", null, h("a", { href: `/inquiries/${one.Id}` }, `Inquiry ${one.Id}`), `: ${one.Errors?.length ? one.Errors.map((wrong) => `${wrong.Field} ${wrong.Message}`).join("; ") : one.Message}`))));
}

async function send(rows, body, verb, done) {
  const answer = await post(own("/ActionInquiries/Bulk"), { Ids: idsOf(rows), ...body });
  const taken = answer.Results.filter((one) => one.Status === "OK").map((one) => one.Id);
  if (taken.length && ["accepted", "declined"].includes(verb))
    offerUndo(`${counted(taken.length, "inquiry", "inquiries")} will be ${verb}.`, taken, done);
  else if (taken.length)
    toast(`${counted(taken.length, "inquiry is", "inquiries are")} ${verb}.`);
  tell(answer, verb);
  done();
}

/* A form in a dialog. */
function ask(title, action, fields, submit) {
  return dialog(title, (close) => form({ action, fields, submit: async (values) => { await submit(values); close(); }, cancel: () => close() }).node);
}

async function close(rows, done, button) {
  const sure = await undoable(`${counted(rows.length, "inquiry is", "inquiries are")} being closed.`, () => send(rows, { Step: "CLOSE" }, "closed", done), button)
    .catch((error) => { toast(`Not closed: ${error.message}`, "bad"); return true; });
  if (!sure)
    toast("They stay open.");
}

const notes = { name: "ResolutionNotes", label: "Notes", kind: "textarea", maxlength: 4000, hint: "The partners read them." };

const accept = (rows, done) => ask(`Accept ${counted(rows.length, "inquiry", "inquiries")}`, "Accept", [
  { kind: "static", name: "says", label: "Payout", wide: true, text: "What the terms say; without terms the payout expected. The sale stays as it was told." }, notes,
], ({ ResolutionNotes }) => send(rows, { Step: "ACCEPT", ResolutionNotes }, "accepted", done));

const decline = (rows, done) => ask(`Decline ${counted(rows.length, "inquiry", "inquiries")}`, "Decline", [
  { name: "RejectReason", label: "Reason", kind: "select", required: true, wide: true, options: [["", "Choose…"], ...REJECT_REASONS] }, notes,
], ({ RejectReason, ResolutionNotes }) => send(rows, { Step: "DECLINE", RejectReason, ResolutionNotes }, "declined", done));

async function assign(rows, done) {
  const { Assignees } = await get(own("/ActionInquiries/Assignees"));
  return ask(`Assign ${counted(rows.length, "inquiry", "inquiries")}`, "Assign", [
    { name: "AssigneeId", label: "Who sees to it", kind: "select", wide: true, options: [["", "Nobody"], ...Assignees.map((one) => [one.Id, one.Name])] },
  ], ({ AssigneeId }) => send(rows, { Step: "ASSIGN", ...(AssigneeId ? { AssigneeId } : {}) }, "assigned", done));
}

/* The buttons for these rows; `done` is called when something was done. */
export function bulk(rows, done) {
  const button = (words, act) => h("button", { type: "button", onclick: (event) => act(rows, done, event.currentTarget) }, words);
  return [...(isBrand() ? [button("Accept on terms…", accept), button("Decline…", decline)] : [button("Close them", close)]), button("Assign…", assign)];
}
