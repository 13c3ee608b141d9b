/* rules.js — a brand's approval rules: whose inquiries are accepted without it, and when. */
import { del, get, isBrand, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { money } from "../format.js";
import { confirm } from "../ui/dialog.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { campaignChoice, partnersOf } from "./campaign_choice.js";
import { campaignsOf } from "./inquiry/fields.js";

const days = (rule) => `${rule.Days} ${rule.Days === "1" ? "day" : "days"} after`;
const whenSays = (rule) => ({ IMMEDIATELY: "At once", AFTER_DAYS: `${days(rule)} the inquiry`, AFTER_END_OF_MONTH: `${days(rule)} the end of the month` }[rule.Approve]);
/* "if …, and …"; "" when there is no limit. */
const onlySays = (rule) => [
  rule.PayoutUnder && `the payout asked is under ${money(rule.PayoutUnder, rule.Currency)}`,
  rule.TotalUnder && `all it approved is under ${money(rule.TotalUnder, rule.Currency)}`,
].filter(Boolean).join(", and ");

async function remove(rule, reload) {
  if (!await confirm({ title: "Remove this rule?", text: "Inquiries that it has accepted stay accepted; those that wait for its day wait for you instead.", action: "Remove", tone: "danger" }))
    return;
  try {
    await del(own(`/ApprovalRules/${rule.Id}`));
    toast("The rule is removed.");
    await reload();
  } catch (error) {
    toast(error.message, "bad");
  }
}

function adding(campaigns, partners, reload) {
  const choose = campaignChoice(campaigns, partners);
  const waits = ({ Approve }) => Approve !== "IMMEDIATELY";
  const sheet = form({
    action: "Add rule",
    fields: [
      { name: "CampaignId", label: "Campaign", kind: "select", required: true, options: campaigns.map((one) => [one.Id, `${one.Name} (${one.Currency})`]) },
      { name: "PartnerSid", label: "Partner", kind: "select", options: [["", "Every partner"]] },
      { name: "ActionTrackerId", label: "Action tracker", kind: "select", required: true, options: [], hint: "What the new actions are counted as." },
      { name: "Approve", label: "Accept", kind: "select", options: [["IMMEDIATELY", "At once"], ["AFTER_DAYS", "Some days after the inquiry"], ["AFTER_END_OF_MONTH", "Some days after the end of the month"]] },
      { name: "Days", label: "Days", kind: "number", required: true, when: waits, check: (value) => (Number(value) >= 0 && Number(value) <= 365 ? "" : "From 0 to 365.") },
      { name: "PayoutUnder", label: "Only if the payout asked is under", kind: "money", hint: "In the campaign's currency. Empty: any." },
      { name: "TotalUnder", label: "Only while all it approved is under", kind: "money", hint: "In the campaign's currency. Empty: without end." },
    ],
    changed: ({ CampaignId }) => { choose(sheet, CampaignId); },
    submit: async (values) => {
      await post(own("/ApprovalRules"), values);
      ["Days", "PayoutUnder", "TotalUnder"].forEach((name) => sheet.set(name, ""));
      toast("The rule is there.");
      await reload();
    },
  });
  choose(sheet, campaigns[0].Id);
  return h("section.card", null, h("h2", null, "Add a rule"), sheet.node);
}

export async function page({ signal }) {
  const title = "Approval rules";
  if (!isBrand())
    return { title, node: h("div", null, heading(title), h("p.card", null, "Approval rules are a brand's.")) };
  const campaigns = await campaignsOf(signal), place = h("section.card"), known = new Map();
  const partners = async (id) => {
    if (!known.has(id))
      known.set(id, await partnersOf(id, signal));
    return known.get(id);
  };
  async function reload() {
    const { ApprovalRules } = await get(own("/ApprovalRules"), null, { signal });
    await Promise.all([...new Set(ApprovalRules.filter((rule) => rule.PartnerSid).map((rule) => rule.CampaignId))].map(partners));
    const partner = ({ CampaignId, PartnerSid }) => (PartnerSid ? known.get(CampaignId).find((one) => one.PartnerSid === PartnerSid)?.PartnerName ?? PartnerSid : "Every partner");
    fill(place, ApprovalRules.length ? h("ul.entries.rules", null, ApprovalRules.map((rule) => h("li.entry", null,
      h("div.entry-head", null, h("strong", null, `${campaigns.find((one) => one.Id === rule.CampaignId)?.Name ?? rule.CampaignId} · ${partner(rule)}`), h("span.gap"),
        mayChange() ? h("button.small.danger", { type: "button", "aria-label": `Remove rule ${rule.Id}`, onclick: () => remove(rule, reload) }, "Remove") : null),
      h("p", null, [whenSays(rule), onlySays(rule) && `if ${onlySays(rule)}`, `as “${rule.ActionTrackerName}”`].filter(Boolean).join(", ")))))
      : h("p.muted", null, "No rule yet: each inquiry waits for your review."));
  }
  await reload();
  return { title, node: h("div", null, heading(title), h("p.muted.lead", null, "A rule accepts inquiries without you. Of several that fit, one for the partner goes before one for all. What you decide first stays."),
    place, mayChange() && campaigns.length ? adding(campaigns, partners, reload) : null) };
}
