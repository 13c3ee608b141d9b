/* actions.js — an account's actions: a list with filters, and above it what they come to by currency and state. */
import { get, isBrand, mayChange, own, watch } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { counted, money, words } from "../format.js";
import { badge } from "../ui/badge.js";
import { exportButton } from "../ui/export_button.js";
import { heading } from "../ui/heading.js";
import { list } from "../ui/list.js";
import { actionFields, actionLink } from "./action/fields.js";
import { partnersOf } from "./campaign_choice.js";
import { campaignTitle, campaignsOf } from "./inquiry/fields.js";

/* All partners of a brand's campaigns, each once: [id, name]. */
async function allPartners(campaigns, signal) {
  const names = new Map();
  for (const { Id } of campaigns)
    for (const one of await partnersOf(Id, signal))
      names.set(one.Id, one.PartnerName);
  return [...names];
}

const filtersOf = (campaigns, partners) => [
  { name: "Oid", label: "Order", kind: "search", wide: true, placeholder: "The whole order id" },
  { name: "State", label: "State", kind: "select", options: [["", "All"], ...Object.entries(words.ActionState)] },
  { name: "CampaignId", label: isBrand() ? "Campaign" : "Brand and campaign", kind: "select", options: [["", "All"], ...campaigns.map((one) => [one.Id, campaignTitle(one)])] },
  ...(isBrand() ? [{ name: "MediaPartnerId", label: "Partner", kind: "select", options: [["", "All"], ...partners] }] : []),
  { name: "ActionDateStart", label: "Dated from", kind: "day" }, { name: "ActionDateEnd", label: "Dated to", kind: "day" },
  { name: "StartDate", label: "Changed from", kind: "date" }, { name: "EndDate", label: "Changed to", kind: "date", until: true },
  { name: "LockingDateStart", label: "Locking from", kind: "day" }, { name: "LockingDateEnd", label: "Locking to", kind: "day" },
];

const columns = () => [
  { key: "Id", title: "Action", always: true, cell: (row) => actionLink(row.Id) },
  ...actionFields().map(([key, title, cell, { end, shown } = {}]) => ({ key, title, cell, align: end ? "end" : null, hidden: !shown })),
];

const sumOf = (one) => h("li", null, badge("ActionState", one.State), h("span", null, counted(one.Count, "action")),
  h("strong", null, money(one.Amount, one.Currency)), h("span", null, `payout ${money(one.Payout, one.Currency)}`));

export async function page(context) {
  const { signal } = context;
  const campaigns = await campaignsOf(signal), partners = isBrand() ? await allPartners(campaigns, signal) : [];
  const sums = h("ul.sums", { "aria-label": "Sums of these actions" });
  let inForce = {};
  const actions = list({
    id: `actions-${isBrand() ? "brand" : "partner"}`, caption: "Actions", context, empty: "No action like that.",
    rowKey: (row) => row.Id, rowHref: (row) => `/actions/${row.Id}`, filters: filtersOf(campaigns, partners), columns: columns(),
    tools: mayChange() ? [exportButton([["Actions", "ACTIONS"]], () => inForce, context.go)] : [],
    load: async ({ Before, Sort, ...values }, still) => {
      const { Page, PageSize, ...filters } = values;
      inForce = filters;
      const [answer, all] = await Promise.all([get(own("/Actions"), { ...values, CampaignId: values.CampaignId || (isBrand() ? "ALL" : "") }, { signal: still }), get(own("/Actions/Sums"), filters, { signal: still })]);
      fill(sums, all.Sums.map(sumOf));
      return { rows: answer.Actions, total: Number(answer["@total"]) };
    },
  });
  watch(() => actions.reload(), signal);
  await actions.ready;
  return { title: "Actions", node: h("div", null, heading("Actions", { actions: [
    isBrand() && mayChange() ? h("a.button", { href: "/actions/import" }, icon("upload"), "Change many") : null, h("a.button", { href: "/terms" }, "Terms")] }), sums, actions.node) };
}
