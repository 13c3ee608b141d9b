/* change.js — a brand changes a pending action, approves it or takes it back.  What that means in money is asked of the
 * server and said first; what looks like a slip is asked once more. */
import { own, post, put } from "../../api.js";
import { h } from "../../dom.js";
import { confirm } from "../../ui/dialog.js";
import { form } from "../../ui/form.js";
import { toast } from "../../ui/toast.js";
import { checks } from "../inquiry/fields.js";
import { DISPOSITIONS, REVERSALS } from "./fields.js";

const DONE = { MODIFIED: "changed", REVERSED: "taken back", APPROVED: "approved" };
const ACTS = { MODIFIED: "Change it", REVERSED: "Take it back", APPROVED: "Approve it" };
const does = (...kinds) => (values) => kinds.includes(values.Kind);
const whole = (value) => (/^\d{1,7}$/.test(value) ? "" : "A whole number from 0.");
const signed = (value) => (/^-?\d{1,12}(\.\d{1,4})?$/.test(value) ? "" : "An amount such as -9.90.");

function fieldsOf(action) {
  const skus = action.Items.map((item) => item.Sku).filter(Boolean);
  return [
    { name: "Kind", label: "What to do", kind: "select", required: true, wide: true, options: [["", "Choose…"], ["AMOUNT", "Change the amount"],
      ...(skus.length ? [["ITEM", "Change an item"]] : []), ["APPROVE", "Approve it now"], ["REVERSE", "Take it back"]] },
    { name: "Amount", label: `New amount, ${action.Currency}`, kind: "money", required: true, when: does("AMOUNT"), check: checks.payout, hint: "0 takes the action back." },
    { name: "Sku", label: "Item", kind: "select", required: true, when: does("ITEM"), options: skus },
    { name: "Quantity", label: "New quantity", kind: "number", when: does("ITEM"), check: whole, hint: "Without a difference the item's amount goes with it." },
    { name: "ItemSubTotalDelta", label: `Difference, ${action.Currency}`, when: does("ITEM"), check: signed, hint: "What is added to the item's amount; -9.90 takes away." },
    { name: "Reason", label: "Reason", kind: "select", when: does("AMOUNT", "ITEM"), options: DISPOSITIONS },
    { name: "DispositionCode", label: "Reason", kind: "select", required: true, when: does("REVERSE"), options: [["", "Choose…"], ...REVERSALS] },
  ];
}

/* What the server takes. */
function changeOf(action, { Kind, ...given }) {
  const state = { APPROVE: { State: "APPROVED" }, REVERSE: { State: "REVERSED" } }[Kind];
  return { ActionId: action.Id, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "")), ...state };
}

/* Says what it means; false: it is better left. */
async function agreed(foreseen) {
  const action = ACTS[foreseen.Step], tone = foreseen.Step === "REVERSED" ? "danger" : "primary";
  if (!await confirm({ title: `${action}?`, text: foreseen.Text, action, tone, keep: "Leave it" }))
    return false;
  return !foreseen.Doubt || confirm({ title: "Are you sure?", text: foreseen.Doubt, action: `${action} all the same`, tone: "danger", keep: "Leave it" });
}

/* `decided` is called when it is done. */
export function changing(action, decided) {
  async function ask(change, foreseen) {
    if (!await agreed(foreseen))
      return;
    await put(own("/Actions"), change);
    toast(`Action ${action.Id} is ${DONE[foreseen.Step]}.`);
    await decided();
  }
  const sheet = form({
    action: "Go on", fields: fieldsOf(action), values: { Amount: action.Amount },
    submit: async (values) => {
      const change = changeOf(action, values), foreseen = await post(own("/Actions/Preview"), change);
      if (foreseen.Step === "")
        toast(foreseen.Text);
      else
        ask(change, foreseen).catch((error) => sheet.show(error)); /* the form is free again while it is asked */
    },
  });
  return h("section.card", { id: "change" }, h("h2", null, "Change"),
    h("p.muted", null, "The partner and you get an event of each change. Once it is locked, nothing can be changed."), sheet.node);
}
