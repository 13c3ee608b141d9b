/* inquiry.js — one inquiry: its fields, its comments, what can be done about it now, its postbacks. */
import { get, isBrand, isPartner, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date, exact, words } from "../format.js";
import { badge } from "../ui/badge.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { attachmentsOf } from "./inquiry/attachments.js";
import { closeButton } from "./inquiry/closing.js";
import { historyOf } from "./inquiry/history.js";
import { campaignsOf, inquiryFields, mayReview } from "./inquiry/fields.js";
import { postbacksOf } from "./inquiry/postbacks.js";
import { review } from "./inquiry/review.js";

/* What the partner writes in, by where the inquiry stands. */
function writing(inquiry) {
  const partner = isPartner() && inquiry.State === "OPEN";
  if (partner && inquiry.ResolutionStatus === "INCOMPLETE")
    return { label: "Your reply", action: "Reply", hint: "The inquiry goes back to the brand's review.", done: "The brand has your reply." };
  if (partner && inquiry.ResolutionStatus === "DECLINED")
    return { label: "Comment", action: "Comment", hint: "An inquiry that was declined can be reopened once: say what the brand has overlooked.", reopen: true };
  return { label: "Comment", action: "Comment" };
}

function writer(inquiry, uri, { reload, overtaken, typed }) {
  const { label, action, hint, done = "Your comment is there.", reopen } = writing(inquiry);
  const send = (path, said) => async (values) => {
    typed.sending = true; /* the page may move before the answer is here */
    try {
      await post(`${uri}/${path}`, values);
      typed.sending = false;
      typed.set("");
    } catch (error) {
      typed.sending = false;
      typed.set(values.Comment);
      await overtaken(error);
    }
    toast(said);
    await reload();
  };
  const sheet = form({
    values: { Comment: typed.get() }, action, tone: reopen ? "" : "primary", submit: send("Comments", done),
    fields: [{ name: "Comment", label, hint, kind: "textarea", required: true, maxlength: 4000 }],
    extra: reopen ? [{ text: "Reopen with this comment", submit: send("Reopen", `Inquiry ${inquiry.Id} is open for review again.`) }] : [],
  });
  return sheet.node;
}

const thread = (comments) => (comments.length ? h("ul.thread", null, comments.map((one) => h("li", null,
  h("p.who", null, `${one.User} · ${date(one.Date)}`), h("p.says", null, one.Comment)))) : h("p.muted", null, "None yet."));

/* What there is to say first: the brand's question, or its no. */
function said(inquiry) {
  const { ResolutionStatus: status, ResolutionNotes: notes, HeldStatus: held } = inquiry;
  if (held)
    return h("section.card.said.warn", { role: "status" }, h("h2", null, `Decided: ${words.ResolutionStatus[held]}`), h("p", null, `It is sent at ${exact(inquiry.HeldUntilDate)}. Until then it can be taken back, and the partner is told nothing.`));
  if (status === "INCOMPLETE")
    return h("section.card.said.warn", null, h("h2", null, isBrand() ? "You asked" : "The brand asks"), h("p.lines", null, notes || "For more information, without saying which."));
  if (status === "DECLINED")
    return h("section.card.said.bad", null, h("h2", null, "Declined"), h("p", null, inquiry.RejectReason), notes ? h("p.lines", null, notes) : null);
  return null;
}

/* What a brand had chosen and typed when somebody else decided. */
const notSent = (values) => h("section.card", { "aria-label": "Not sent" }, h("h2", null, "Not sent"),
  h("p", null, "This inquiry was decided while you were reviewing it. This is what you had typed:"),
  facts([["Decision", words.ResolutionStatus[values.ResolutionStatus]], ["Reason", values.RejectReason], ["Final payout", values.FinalPayout],
    ["Promo code", values.PromoCode], ["Notes", h("span.lines", null, values.ResolutionNotes ?? values.Question)]].filter(([, value]) => value && value.textContent !== "")));

export async function page(context) {
  const { params, signal, guard } = context;
  const uri = own(`/ActionInquiries/${encodeURIComponent(params.Id)}`);
  const head = h("div"), first = h("div"), about = h("section.card"), comments = h("div"), write = h("div"), decide = h("div");
  const area = () => write.querySelector("textarea");
  const typed = { sending: false, get: () => (typed.sending ? "" : area()?.value ?? ""), set: (text) => { if (area()) area().value = text; } };
  let drawn = "", currency = "", stands = "", campaigns = null, decision = null, kept = null;

  const files = attachmentsOf(uri, signal, () => historyOfIt.reload());
  const historyOfIt = historyOf(uri, () => currency, signal);
  async function drawForms(inquiry) { /* only when it stands elsewhere than before; a comment that is being typed stays */
    const now = `${inquiry.State} ${inquiry.ResolutionStatus} ${inquiry.HeldStatus ?? ""}`;
    if (now === stands || !mayChange())
      return;
    stands = now;
    fill(write, writer(inquiry, uri, { reload, overtaken, typed }));
    if (decision?.changed())
      kept = decision.values();
    decision = null;
    if (isBrand() && mayReview(inquiry)) {
      campaigns ??= await campaignsOf(signal);
      const trackers = campaigns.find((one) => one.Id === inquiry.CampaignId)?.Trackers ?? [];
      decision = review(inquiry, trackers, { ...context, overtaken, decided: reload, kept });
      kept = null;
      fill(decide, decision.node);
    } else {
      fill(decide, kept ? notSent(kept) : null);
    }
  }
  /* A step was refused because another one came before it: the page shows what is so now, with what was typed. */
  async function overtaken(error) {
    if (error.status === 409) {
      await reload();
      toast(`Not sent: ${error.message}`, "bad");
    }
    throw error;
  }
  async function reload() { /* what is the same stays as it is: it may have the focus, or be closing */
    const inquiry = await get(uri, null, { signal }), now = JSON.stringify(inquiry);
    currency = inquiry.Currency;
    Promise.all([files.reload(inquiry), historyOfIt.reload()]).catch(() => { /* the next change tells again */ });
    if (now === drawn)
      return;
    drawn = now;
    const print = h("button.no-print", { type: "button", onclick: () => window.print() }, "Print");
    const closing = isPartner() && mayChange() && inquiry.State === "OPEN"
      ? [closeButton(inquiry, reload)] : [];
    fill(head, heading(`Inquiry ${inquiry.Id}`, { back: ["Inquiries", "/inquiries"], actions: [...closing, print],
      beside: h("span.badges", null, badge("ResolutionStatus", inquiry.ResolutionStatus), inquiry.State === "CLOSED" ? badge("InquiryState", "CLOSED") : null) }));
    fill(first, said(inquiry));
    const told = ["ResolutionStatus", "State", ...(inquiry.ResolutionStatus === "VALID" ? [] : ["RejectReason", "ResolutionNotes"])];
    fill(about, facts(inquiryFields().filter(([key]) => inquiry[key] && !told.includes(key)).map(([, title, value]) => [title, value(inquiry)])));
    fill(comments, thread(inquiry.Comments));
    await drawForms(inquiry);
  }
  await reload();
  guard(() => typed.get().trim() !== "" || Boolean(decision?.changed()));
  const postbacks = await postbacksOf({ InquiryId: params.Id }, signal, reload);
  return { title: `Inquiry ${params.Id}`, node: h("div.stack", null, head, first, about, decide,
    h("section.card", null, h("h2", null, "Comments"), comments, write), files.node, historyOfIt.node, postbacks.node) };
}
