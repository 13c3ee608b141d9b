/* inquiry.js — one inquiry: its fields, its comments, what can be done about it now, its postbacks. */
import { get, isBrand, isPartner, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date } from "../format.js";
import { badge } from "../ui/badge.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { close } from "./inquiry/closing.js";
import { campaignsOf, inquiryFields, mayReview } from "./inquiry/fields.js";
import { inquiryPostbacks } from "./inquiry/postbacks.js";
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

function writer(inquiry, uri, reload, typed) {
  const { label, action, hint, done = "Your comment is there.", reopen } = writing(inquiry);
  const send = (path, said) => async (values) => {
    await post(`${uri}/${path}`, values);
    sheet.set("Comment", "");
    toast(said);
    await reload();
  };
  const sheet = form({
    values: { Comment: typed }, action, tone: reopen ? "" : "primary", submit: send("Comments", done),
    fields: [{ name: "Comment", label, hint, kind: "textarea", required: true, maxlength: 4000 }],
    extra: reopen ? [{ text: "Reopen with this comment", submit: send("Reopen", `Inquiry ${inquiry.Id} is open for review again.`) }] : [],
  });
  return sheet.node;
}

const thread = (comments) => (comments.length ? h("ul.thread", null, comments.map((one) => h("li", null,
  h("p.who", null, `${one.User} · ${date(one.Date)}`), h("p.says", null, one.Comment)))) : h("p.muted", null, "None yet."));

/* What there is to say first: the brand's question, or its no. */
function said(inquiry) {
  const { ResolutionStatus: status, ResolutionNotes: notes } = inquiry;
  if (status === "INCOMPLETE")
    return h("section.card.said.warn", null, h("h2", null, isBrand() ? "You asked" : "The brand asks"), h("p.lines", null, notes || "For more information, without saying which."));
  if (status === "DECLINED")
    return h("section.card.said.bad", null, h("h2", null, "Declined"), h("p", null, inquiry.RejectReason), notes ? h("p.lines", null, notes) : null);
  return null;
}

export async function page(context) {
  const { params, signal, guard } = context;
  const uri = own(`/ActionInquiries/${encodeURIComponent(params.Id)}`);
  const head = h("div"), first = h("div"), about = h("section.card"), comments = h("div"), write = h("div"), decide = h("div");
  const typed = () => write.querySelector("textarea")?.value ?? "";
  let drawn = "", stands = "", campaigns = null, decision = null;

  async function drawForms(inquiry) { /* only when it stands elsewhere than before; a comment that is being typed stays */
    const now = `${inquiry.State} ${inquiry.ResolutionStatus}`;
    if (now === stands || !mayChange())
      return;
    stands = now;
    fill(write, writer(inquiry, uri, reload, typed()));
    decision = null;
    fill(decide);
    if (isBrand() && mayReview(inquiry)) {
      campaigns ??= await campaignsOf(signal);
      const trackers = campaigns.find((one) => one.Id === inquiry.CampaignId)?.Trackers ?? [];
      decision = review(inquiry, trackers, { ...context, decided: reload });
      fill(decide, decision.node);
    }
  }
  async function reload() { /* what is the same stays as it is: it may have the focus, or be closing */
    const inquiry = await get(uri, null, { signal }), now = JSON.stringify(inquiry);
    if (now === drawn)
      return;
    drawn = now;
    const closing = isPartner() && mayChange() && inquiry.State === "OPEN"
      ? [h("button", { type: "button", onclick: (event) => close(inquiry, event.currentTarget, reload) }, "Close")] : [];
    fill(head, heading(`Inquiry ${inquiry.Id}`, { back: ["Inquiries", "/inquiries"], actions: closing,
      beside: h("span.badges", null, badge("ResolutionStatus", inquiry.ResolutionStatus), inquiry.State === "CLOSED" ? badge("InquiryState", "CLOSED") : null) }));
    fill(first, said(inquiry));
    const told = ["ResolutionStatus", "State", ...(inquiry.ResolutionStatus === "VALID" ? [] : ["RejectReason", "ResolutionNotes"])];
    fill(about, facts(inquiryFields().filter(([key]) => inquiry[key] && !told.includes(key)).map(([, title, value]) => [title, value(inquiry)])));
    fill(comments, thread(inquiry.Comments));
    await drawForms(inquiry);
  }
  await reload();
  guard(() => typed().trim() !== "" || Boolean(decision?.changed()));
  const postbacks = await inquiryPostbacks(params.Id, signal, reload);
  return { title: `Inquiry ${params.Id}`, node: h("div.stack", null, head, first, about, decide,
    h("section.card", null, h("h2", null, "Comments"), comments, write), postbacks.node) };
}
