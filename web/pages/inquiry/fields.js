/* fields.js — what an action inquiry says, in words: for the list's columns and the inquiry's own page alike. */
import { get, isBrand, own } from "../../api.js";
import { h } from "../../dom.js";
import { calendarDay, date, money, words } from "../../format.js";
import { badge } from "../../ui/badge.js";

export const REJECT_REASONS = [
  "This transaction has been tracked successfully",
  "Another marketing channel was credited with the sale",
  "Another marketing channel was credited with the sale, due to a voucher/discount code used",
  "Did not meet terms and conditions set by merchant",
  "Transaction not completed - Order cancelled, changed, or returned",
  "Transaction cannot be traced",
  "Transaction not fully completed online",
  "Enquiry does not provide complete information required for evaluation",
  "Other",
];
const AMOUNT_MOST = 5000000;

const CAMPAIGNS_A_PAGE = 1000;
/* All campaigns of the account: a brand's own, or those that the partner is a member of. */
export async function campaignsOf(signal) {
  const all = [];
  for (let After = ""; ;) {
    const { Campaigns } = await get(own("/Campaigns"), { PageSize: CAMPAIGNS_A_PAGE, After }, { signal });
    all.push(...Campaigns);
    if (Campaigns.length < CAMPAIGNS_A_PAGE)
      return all;
    After = Campaigns.at(-1).Id;
  }
}
export const campaignTitle = (campaign) => (isBrand() ? campaign.Name : `${campaign.BrandName} · ${campaign.Name}`);

/* "/Mediapartners/…/ActionInquiries/12" → "12" */
export const idOf = (uri) => uri.split("/").at(-1);

const amount = (name) => (inquiry) => money(inquiry[name], inquiry.Currency);
const link = (address) => (/^https?:\/\//.test(address) ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address) : address);

/* Every field: [key, title, value(inquiry) → node or text, { sort, end, shown: in the list at first }]. */
export const inquiryFields = () => [
  ...(isBrand() ? [["MediaPartnerName", "Partner", (one) => one.MediaPartnerName, { sort: "MediaPartnerId", shown: true }]]
    : [["MediaPartnerInquiryId", "Inquiry ID", (one) => one.MediaPartnerInquiryId, { sort: "MediaPartnerInquiryId", shown: true }]]),
  ["CampaignName", "Campaign", (one) => one.CampaignName, { sort: "CampaignId", shown: true }],
  ["OrderId", "Order", (one) => one.OrderId, { sort: "OrderId", shown: true }],
  ["TransactionDate", "Order date", (one) => calendarDay(one.TransactionDate), { sort: "TransactionDate", shown: true }],
  ["TransactionAmount", "Sale amount", amount("TransactionAmount"), { sort: "TransactionAmount", end: true, shown: true }],
  ["InquiryType", "Type", (one) => words.InquiryType[one.InquiryType], { sort: "InquiryType", shown: true }],
  ["ResolutionStatus", "Resolution", (one) => badge("ResolutionStatus", one.ResolutionStatus), { sort: "ResolutionStatus", shown: true }],
  ["ExpectedPayout", "Expected payout", amount("ExpectedPayout"), { sort: "ExpectedPayout", end: true }],
  ["FinalPayout", "Final payout", amount("FinalPayout"), { sort: "FinalPayout", end: true }],
  ["RejectReason", "Reason", (one) => one.RejectReason],
  ["ResolutionNotes", "Brand's notes", (one) => h("span.lines", null, one.ResolutionNotes)],
  ["ResolutionDate", "Resolved", (one) => date(one.ResolutionDate), { sort: "ResolutionDate" }],
  ["ResolutionDeadlineDate", "Resolution deadline", (one) => calendarDay(one.ResolutionDeadlineDate), { sort: "Urgency" }],
  ["AutoApprovalDate", "Accepted by a rule on", (one) => date(one.AutoApprovalDate)],
  ...(isBrand() ? [] : [
    ["CustomerId", "Customer", (one) => one.CustomerId, { sort: "CustomerId" }],
    ["InquiryDate", "Inquiry date", (one) => calendarDay(one.InquiryDate), { sort: "InquiryDate" }],
    ["InquiryNotes", "Notes", (one) => h("span.lines", null, one.InquiryNotes)]]),
  ["TrackingLink", "Tracking link", (one) => link(one.TrackingLink)],
  ["PromoCode", "Promo code", (one) => one.PromoCode],
  ["ActionId", "Action", (one) => one.ActionId && h("a", { href: `/actions/${one.ActionId}` }, one.ActionId)],
  ["CreationDate", "Opened", (one) => date(one.CreationDate), { sort: "CreationDate" }],
  ["Assignee", "Assigned to", (one) => one.Assignee],
  ["State", "State", (one) => badge("InquiryState", one.State)],
  ["ClosedDate", "Closed", (one) => date(one.ClosedDate), { sort: "ClosedDate" }],
];

export const mayReview = (inquiry) => inquiry.State === "OPEN" && inquiry.ResolutionStatus === "UNRESOLVED" && !inquiry.HeldStatus;

/* ---- checks as the server makes them, said while one types ---- */

const DAY_MS = 86400000;
const exceeds = (text, most) => { /* decimal strings, never floating point */
  const [whole, part = ""] = text.split(".");
  return BigInt(whole) > BigInt(most) || (BigInt(whole) === BigInt(most) && /[1-9]/.test(part));
};
export const checks = {
  amount: (value) => (/^0*(\.0*)?$/.test(value) ? "More than 0." : exceeds(value, AMOUNT_MOST) ? "At most 5,000,000." : ""),
  payout: (value) => (exceeds(value, AMOUNT_MOST) ? "At most 5,000,000." : ""),
  past: (value) => (Date.parse(value) > Date.now() + DAY_MS ? "This is in the future." : ""),
  address: (value) => (/^https?:\/\//i.test(value) ? "" : "A web address that starts with http:// or https://."),
  currency: (value) => (/^[A-Za-z]{3}$/.test(value) ? "" : "Three letters, such as EUR."),
};
