/* terms.js — what actions earn, when they lock and clear: a brand and the operator set it, a partner reads what applies. */
import { del, get, isOperator, isPartner, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { day, money } from "../format.js";
import { confirm } from "../ui/dialog.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { campaignChoice, partnersOf } from "./campaign_choice.js";
import { campaignsOf } from "./inquiry/fields.js";

const DAYS_MOST = 3650;
const days = (count) => `${count} ${count === "1" ? "day" : "days"}`;
const within = (most, least = 0) => (value) => (Number(value) >= least && Number(value) <= most ? "" : `From ${least} to ${most}.`);

/* ---- in words ---- */

const paysSays = (one) => (one.PayoutPercentage !== "" ? `pays ${one.PayoutPercentage} % of the amount` : `pays ${money(one.PayoutAmount, one.Currency)} for each`);
function locksSays(one) {
  if (one.Locking === "NEVER")
    return "never locks by itself";
  const from = one.Locking === "AFTER_EVENT" ? "the event's date" : "the end of its month";
  const after = one.LockingDays === "0" ? `locks at ${from}` : `locks ${days(one.LockingDays)} after ${from}`;
  return one.LockingDayOfMonth ? `${after}, on the next ${one.LockingDayOfMonth}. of a month` : after;
}
const clearsSays = (one) => (one.ClearingDays === "" ? "never clears by itself" : `clears ${days(one.ClearingDays)} after locking`);

const entry = (one, reload) => h("li.entry", null,
  h("div.entry-head", null, h("strong", null, `${one.CampaignName} · ${one.ActionTrackerName}`), h("span", null, one.PartnerSid ? one.PartnerName : "Every partner"), h("span.gap"),
    mayChange() && !isPartner() ? h("button.small.danger", { type: "button", "aria-label": `Remove terms ${one.Id}`, onclick: () => remove(one, reload) }, "Remove") : null),
  h("p", null, `From ${day(one.StartDate)}: ${paysSays(one)}, ${locksSays(one)}, ${clearsSays(one)}.`));

async function remove(one, reload) {
  if (!await confirm({ title: "Remove these terms?", text: "Actions that are there go on by them. New ones go by those that are left; without any they earn nothing and never lock by themselves.", action: "Remove", tone: "danger" }))
    return;
  try {
    await del(own(`/Terms/${one.Id}`));
    toast("The terms are removed.");
    await reload();
  } catch (error) {
    toast(error.message, "bad");
  }
}

/* ---- adding ---- */

/* Under the form: what a sale would earn by what is typed. */
function preview(values, place, signal) {
  const sheet = form({
    action: "Preview", tone: "", values: { Amount: "89.90" },
    fields: [{ name: "Amount", label: "A sale of", kind: "money", required: true }, { name: "EventDate", label: "Made on", kind: "date" }],
    submit: async (sale) => {
      const { Text } = await post(own("/Terms/Preview"), { ...values(), ...sale }, { signal });
      fill(place, h("p.said", { role: "status" }, Text));
    },
  });
  return sheet.node;
}

function adding(campaigns, reload, signal) {
  const choose = campaignChoice(campaigns, (id) => partnersOf(id, signal));
  const locks = ({ Locking }) => Locking !== "NEVER", by = (kind) => ({ Pays }) => Pays === kind;
  const asked = ({ Pays, ...values }) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  const sheet = form({
    action: "Add terms",
    fields: [
      { name: "CampaignId", label: "Campaign", kind: "select", required: true, options: campaigns.map((one) => [one.Id, `${one.Name} (${one.Currency})`]) },
      { name: "ActionTrackerId", label: "Action tracker", kind: "select", required: true, options: [] },
      { name: "PartnerSid", label: "Partner", kind: "select", options: [["", "Every partner"]], hint: "Terms for one partner go before those for all." },
      { name: "StartDate", label: "From", kind: "date", hint: "For actions of that day or later. Empty: from now on." },
      { name: "Pays", label: "Payout", kind: "select", options: [["PERCENT", "A percentage of the amount"], ["FIXED", "A fixed sum"]] },
      { name: "PayoutPercentage", label: "Percentage", required: true, when: by("PERCENT"), check: (value) => (/^\d{1,3}(\.\d{1,4})?$/.test(value) && Number(value) <= 100 ? "" : "From 0 to 100, with at most 4 decimals.") },
      { name: "PayoutAmount", label: "Sum", kind: "money", required: true, when: by("FIXED"), hint: "In the campaign's currency." },
      { name: "Locking", label: "Locks", kind: "select", options: [["AFTER_EVENT", "Some days after the event's date"], ["AFTER_END_OF_MONTH", "Some days after the end of its month"], ["NEVER", "Never by itself"]] },
      { name: "LockingDays", label: "Days to locking", kind: "number", required: true, when: locks, check: within(DAYS_MOST) },
      { name: "LockingDayOfMonth", label: "Then on day of the month", kind: "number", when: locks, check: within(31, 1), hint: "Empty: at once. A month that lacks it: its last day." },
      { name: "ClearingDays", label: "Days from locking to clearing", kind: "number", check: within(DAYS_MOST), hint: "Empty: never by itself." },
    ],
    values: { LockingDays: "30", ClearingDays: "15" },
    changed: ({ CampaignId }) => { choose(sheet, CampaignId); },
    submit: async (values) => {
      await post(own("/Terms"), asked(values));
      toast("The terms are there.");
      await reload();
    },
  });
  choose(sheet, campaigns[0].Id);
  const said = h("div");
  return h("section.card", null, h("h2", null, "Add terms"), sheet.node, h("h3", null, "What a sale would earn by them"), preview(() => asked(sheet.values()), said, signal), said);
}

async function allCampaigns(signal) {
  return isOperator() ? (await get("/Operator/Campaigns", { PageSize: 1000 }, { signal })).Campaigns : campaignsOf(signal);
}

export async function page({ signal }) {
  const title = "Terms", place = h("section.card"), campaigns = isPartner() ? [] : await allCampaigns(signal);
  async function reload() {
    const { Terms } = await get(own("/Terms"), null, { signal });
    fill(place, Terms.length ? h("ul.entries.rules", null, Terms.map((one) => entry(one, reload)))
      : h("p.muted", null, "No terms: actions earn nothing unless a payout is granted, and never lock by themselves."));
  }
  await reload();
  return { title, node: h("div", null, heading(title),
    h("p.muted.lead", null, "What an action earns, when it locks and when it clears. An action keeps the terms it was made by; a change of terms touches none that is there."),
    place, mayChange() && campaigns.length ? adding(campaigns, reload, signal) : null) };
}
