/* inquiry_new.js — Create New Inquiry: checked beside each field as one types, and by the server in place. */
import { isPartner, mayChange, own, post } from "../api.js";
import { h } from "../dom.js";
import { words } from "../format.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { campaignTitle, campaignsOf, checks, idOf } from "./inquiry/fields.js";

const BACK = ["Inquiries", "/inquiries"];

const fieldsOf = (campaigns) => [
  { name: "CampaignId", label: "Brand and campaign", kind: "select", required: true, options: [["", "Choose…"], ...campaigns.map((one) => [one.Id, campaignTitle(one)])] },
  { name: "InquiryType", label: "What is wrong", kind: "select", required: true, options: [["", "Choose…"], ...Object.entries(words.InquiryType)] },
  { name: "OrderId", label: "Order ID", required: true, maxlength: 200, hint: "The number of the order at the brand's shop." },
  { name: "TransactionDate", label: "Order date", kind: "date", required: true, check: checks.past },
  { name: "TransactionAmount", label: "Sale amount", kind: "money", required: true, check: checks.amount, placeholder: "49.90" },
  { name: "Currency", label: "Currency", maxlength: 3, check: checks.currency, hint: "Empty: the campaign's." },
  { name: "ExpectedPayout", label: "Expected payout", kind: "money", check: checks.payout },
  { name: "ResolutionDeadlineDate", label: "Resolution deadline", kind: "date", hint: "Until when you need the brand's answer." },
  { name: "more", kind: "group", label: "What helps to find it" },
  { name: "MediaPartnerInquiryId", label: "Inquiry ID", maxlength: 100, hint: "Your own reference. The brand does not see it." },
  { name: "CustomerId", label: "Customer ID", maxlength: 200, hint: "The brand does not see it." },
  { name: "InquiryDate", label: "Inquiry date", kind: "date", check: checks.past, hint: "When your customer asked. The brand does not see it." },
  { name: "TrackingLink", label: "Tracking link", maxlength: 2000, wide: true, check: checks.address, placeholder: "https://" },
  { name: "InquiryNotes", label: "Notes", kind: "textarea", maxlength: 4000, hint: "The first comment on the inquiry; the brand reads it." },
];

async function open(values) {
  try {
    return idOf((await post(own("/ActionInquiries"), values)).Uri);
  } catch (error) {
    if (error.status === 409 && error.body?.Uri) { /* one about the same is open: that is where to go on */
      const id = idOf(error.body.Uri);
      error.link = [`See inquiry ${id}`, `/inquiries/${id}`];
    }
    throw error;
  }
}

export async function page({ signal, go, guard }) {
  const title = "Create New Inquiry";
  if (!isPartner() || !mayChange())
    return { title, node: h("div", null, heading(title, { back: BACK }), h("p.card", null, "Only a partner's user who may make changes opens inquiries.")) };
  const campaigns = await campaignsOf(signal);
  let done = false;
  const sheet = form({
    action: "Create inquiry", cancel: "/inquiries", fields: fieldsOf(campaigns),
    values: campaigns.length === 1 ? { CampaignId: campaigns[0].Id } : {},
    submit: async (values) => {
      const id = await open(values);
      done = true;
      toast(`Inquiry ${id} is open.`);
      await go(`/inquiries/${id}`);
    },
  });
  const first = JSON.stringify(sheet.values());
  guard(() => !done && JSON.stringify(sheet.values()) !== first);
  return { title, node: h("div", null, heading(title, { back: BACK }),
    campaigns.length ? h("section.card", null, sheet.node) : h("p.card", null, "You are not a member of any campaign yet: there is nothing to ask about.")) };
}
