/* review.js — a brand's decision on one inquiry: accept, decline, or ask for more. */
import { get, own, put } from "../../api.js";
import { h } from "../../dom.js";
import { money } from "../../format.js";
import { lastSeen } from "../../places.js";
import { confirm } from "../../ui/dialog.js";
import { form } from "../../ui/form.js";
import { toast } from "../../ui/toast.js";
import { keyCap, keys } from "./keys.js";
import { beside, nextToReview } from "./next.js";
import { offerUndo } from "./undo.js";
import { REJECT_REASONS, checks } from "./fields.js";

const WILL = { VALID: "accepted", DECLINED: "declined", INCOMPLETE: "sent back with your question" };
const is = (status) => (values) => values.ResolutionStatus === status;

const DECISIONS = [["VALID", "Accept", "a"], ["DECLINED", "Decline", "d"], ["INCOMPLETE", "Ask for more", "q"]];

/* The three decisions as buttons, which stand for a control that is not seen. */
function choices(control) {
  control.hidden = true;
  const choose = (value) => { control.value = value; control.dispatchEvent(new Event("change")); };
  const buttons = DECISIONS.map(([value, words, key]) => h("button", { type: "button", class: `choice ${value.toLowerCase()}`, "aria-label": words, "aria-keyshortcuts": key.toUpperCase(), "aria-pressed": "false", onclick: () => choose(value) }, words, keyCap(key)));
  control.addEventListener("change", () => buttons.forEach((one, at) => one.setAttribute("aria-pressed", String(DECISIONS[at][0] === control.value))));
  return h("div.choices", { role: "group", "aria-label": "Decision" }, control, buttons);
}

function fieldsOf(inquiry, trackers) {
  const accept = is("VALID"), currency = inquiry.Currency;
  return [
    { name: "ResolutionStatus", label: "Decision", required: true, wide: true, dress: choices },
    { name: "ActionTrackerId", label: "Action tracker", kind: "select", required: true, when: accept, options: trackers.map((one) => [one.Id, one.Name]), hint: "What the new action is counted as." },
    { name: "FinalPayout", label: `Final payout, ${currency}`, kind: "money", when: accept, check: checks.payout, placeholder: inquiry.ExpectedPayout, hint: inquiry.ExpectedPayout ? "Empty: what the terms say, or without terms the payout expected." : "Empty: what the terms say." },
    { name: "TransactionAmount", label: `Sale amount, ${currency}`, kind: "money", required: true, when: accept, check: checks.amount },
    { name: "TransactionDate", label: "Order date", kind: "date", when: accept, check: checks.past, hint: "Empty: as it is." },
    { name: "CustomerId", label: "Customer ID", when: accept, maxlength: 200 },
    { name: "PromoCode", label: "Promo code", when: accept, maxlength: 200 },
    { name: "RejectReason", label: "Reason", kind: "select", required: true, wide: true, when: is("DECLINED"), options: [["", "Choose…"], ...REJECT_REASONS.map((one, at) => [one, `${at + 1}. ${one}`])], hint: "Its number chooses a reason." },
    { name: "ResolutionNotes", label: "Notes", kind: "textarea", maxlength: 4000, hint: "The partner reads them.", when: (values) => ["VALID", "DECLINED"].includes(values.ResolutionStatus) },
    { name: "Question", names: ["ResolutionNotes"], label: "What do you need to know?", kind: "textarea", required: true, maxlength: 4000, hint: "The partner reads it, and the inquiry comes back with the answer.", when: is("INCOMPLETE") },
  ];
}

/* Of the fields shown, those that say something new. */
function decision(inquiry, { Question, ...given }) {
  const asked = Question === undefined ? given : { ...given, ResolutionNotes: Question };
  if (asked.TransactionAmount === inquiry.TransactionAmount)
    delete asked.TransactionAmount;
  return { Id: inquiry.Id, ...Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== "")) };
}

/* Decimal strings of one currency, as numbers to compare them by. */
const more = (one, other, times = 1n) => {
  const [a, b] = [one, other].map((text) => { const [whole, part = ""] = text.split("."); return BigInt(whole + part.padEnd(4, "0").slice(0, 4)); });
  return a >= b * times && (times > 1n || a > b);
};

const far = (one, other) => Number(one) > 0 && Number(other) > 0 && (more(one, other, 10n) || more(other, one, 10n));

/* What is likely to be a slip in a decision, looked at twice; "" for nothing.  `terms`: what they pay, or "". */
function doubtOf({ ResolutionStatus, FinalPayout, TransactionAmount }, inquiry, { Payout, ByTerms }) {
  const terms = ByTerms === "true" ? Payout : "", pays = FinalPayout || Payout, sale = TransactionAmount || inquiry.TransactionAmount;
  if (ResolutionStatus !== "VALID" || !pays)
    return "";
  const told = money(pays, inquiry.Currency);
  if (more(pays, sale))
    return `The payout is more than the sale: ${told} of ${money(sale, inquiry.Currency)}.`;
  if (far(pays, inquiry.ExpectedPayout))
    return `The payout, ${told}, is ten times what was expected or more, or a tenth of it: ${money(inquiry.ExpectedPayout, inquiry.Currency)}.`;
  return far(pays, terms) ? `The payout, ${told}, is ten times what the terms say or more, or a tenth of it: ${money(terms, inquiry.Currency)}.` : "";
}

/* `trackers` of the inquiry's campaign; `decided` is called when it is done and one stays, `overtaken` with what refused it;
 * `kept`: what was typed before.  changed(): something is chosen; values() that. */
export function review(inquiry, trackers, { go, decided, overtaken, kept, signal }) {
  let changed = Boolean(kept);
  const submit = async (values) => {
    changed = false; /* the page may move before the answer is here */
    await put(own("/ActionInquiries"), decision(inquiry, values)).catch((error) => { changed = true; return overtaken(error); });
    offerUndo(`Inquiry ${inquiry.Id} will be ${WILL[values.ResolutionStatus]}.`, [inquiry.Id], decided);
  };
  /* A slip is asked about first; the form is free while it is asked. */
  const sure = (act) => async (values) => {
    const pays = values.ResolutionStatus === "VALID"
      ? await get(own(`/ActionInquiries/${inquiry.Id}/Payout`), { ActionTrackerId: values.ActionTrackerId }, { signal }).catch(() => ({})) : {};
    const text = doubtOf(values, inquiry, pays);
    if (!text)
      return act(values);
    confirm({ title: "Are you sure?", text, action: "Accept it all the same", tone: "danger", keep: "Leave it" })
      .then((yes) => yes && act(values)).catch((error) => sheet.show(error));
    return null;
  };
  const sheet = form({
    action: "Submit", fields: fieldsOf(inquiry, trackers), values: kept ?? { TransactionAmount: inquiry.TransactionAmount },
    changed: (values) => { changed = values.ResolutionStatus !== ""; },
    submit: sure(async (values) => { await submit(values); await decided(); }),
    extra: [{ text: "Submit and review next", submit: sure(async (values) => {
      const next = await nextToReview(inquiry.Id);
      await submit(values);
      const one = await next();
      if (!one)
        toast("Nothing more waits for your review.");
      await go(one ? `/inquiries/${one}` : lastSeen("/inquiries"));
    }) }],
  });
  if (kept)
    sheet.field("ResolutionStatus").dispatchEvent(new Event("change"));
  const decide = (value) => { /* and on to what is still to be said, or to the button that sends it */
    sheet.set("ResolutionStatus", value);
    sheet.field("ResolutionStatus").dispatchEvent(new Event("change"));
    ({ DECLINED: sheet.field("RejectReason"), INCOMPLETE: sheet.field("Question") }[value] ?? last()).focus();
  };
  const last = () => sheet.node.querySelector(".actions button:last-child");
  const turn = (step) => async () => {
    const one = await beside(inquiry.Id, step);
    one ? await go(`/inquiries/${one}`) : toast(step > 0 ? "This is the last one of the list." : "This is the first one of the list.");
  };
  const reason = (at) => () => { if (sheet.values().RejectReason !== undefined) { sheet.set("RejectReason", REJECT_REASONS[at]); last().focus(); } };
  const hint = keys("Keys", [...DECISIONS.map(([value, words, key]) => [key, words, () => decide(value)]),
    ["Ctrl+Enter", "Submit and review next", () => last().click()], ["n", "The next inquiry", turn(1)], ["p", "The one before", turn(-1)]], signal);
  sheet.node.addEventListener("keydown", (event) => { /* in the list of reasons: its number, then Enter */
    if (event.target !== sheet.field("RejectReason") || event.ctrlKey || event.altKey || event.metaKey)
      return;
    if (event.key >= "1" && event.key <= String(REJECT_REASONS.length)) {
      event.preventDefault();
      reason(Number(event.key) - 1)();
    }
  });
  const node = h("section.card", { id: "review" }, h("div.card-head", null, h("h2", null, "Review"), h("span.gap"), hint),
    trackers.length ? null : h("p.muted", null, "This campaign has no action tracker yet, so nothing can be accepted: the operator adds one."), sheet.node);
  return { node, changed: () => changed, values: () => sheet.values() };
}
