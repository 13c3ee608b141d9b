/* inquiries.js — an account's action inquiries: a partner's open and closed ones, or what a brand has to review. */
import { get, isBrand, mayChange, own, query as queryOf, watch } from "../api.js";
import { h, icon } from "../dom.js";
import { ago, date, words } from "../format.js";
import { exportButton } from "../ui/export_button.js";
import { heading } from "../ui/heading.js";
import { list } from "../ui/list.js";
import { tabs } from "../ui/tabs.js";
import { partnersOf } from "./campaign_choice.js";
import { bulk } from "./inquiry/bulk.js";
import { closeButton } from "./inquiry/closing.js";
import { campaignTitle, campaignsOf, inquiryFields, mayReview } from "./inquiry/fields.js";

const all = (kind) => [["", "All"], ...Object.entries(words[kind])];

/* The two views of each role: their tab, what they always ask for, what may be filtered besides, which
 * columns they show at first beyond or short of the usual. */
const views = () => (isBrand() ? {
  "": { tab: "To review", fixed: { State: "OPEN", ResolutionStatus: "UNRESOLVED", Held: "NO" }, shown: ["Age", "ResolutionDeadlineDate"], hidden: ["ResolutionStatus"], empty: "Nothing waits for your review." },
  ALL: { tab: "All inquiries", fixed: {}, filters: ["ResolutionStatus", "State"], shown: ["State"], empty: "No inquiry like that." },
} : {
  "": { tab: "Inquiries", fixed: { State: "OPEN" }, filters: ["ResolutionStatus"], empty: "No open inquiry like that." },
  CLOSED: { tab: "Closed Inquiries", fixed: { State: "CLOSED" }, filters: ["ResolutionStatus"], shown: ["ClosedDate"], empty: "No closed inquiry like that." },
});

const address = (view) => (view ? `/inquiries?View=${view}` : "/inquiries");

const CAMPAIGNS_LOOKED_AT = 20;
/* The partners of a brand's campaigns, to choose from; of many campaigns none: then one gives the partner's id. */
async function partnerFilter(campaigns, signal) {
  const filter = { name: "MediaPartnerId", label: "Partner" };
  if (!isBrand())
    return [];
  if (campaigns.length > CAMPAIGNS_LOOKED_AT)
    return [{ ...filter, kind: "text", placeholder: "Partner's id" }];
  const found = new Map((await Promise.all(campaigns.map((one) => partnersOf(one.Id, signal)))).flat().map((one) => [one.PartnerId, one.PartnerName]));
  return [{ ...filter, kind: "select", options: [["", "All"], ...[...found].sort(([, one], [, other]) => one.localeCompare(other))] }];
}

function filtersOf(view, campaigns, partners) {
  const status = { name: "ResolutionStatus", label: "Resolution", kind: "select", options: all("ResolutionStatus") };
  const state = { name: "State", label: "State", kind: "select", options: all("InquiryState") };
  return [
    { name: "Search", label: "Search", kind: "search", wide: true, placeholder: isBrand() ? "Order, partner, comment…" : "Order, customer, comment…" },
    { name: "CampaignId", label: isBrand() ? "Campaign" : "Brand and campaign", kind: "select", options: [["", "All"], ...campaigns.map((one) => [one.Id, campaignTitle(one)])] },
    ...partners,
    { name: "InquiryType", label: "Type", kind: "select", options: all("InquiryType") },
    ...[status, state].filter(({ name }) => view.filters?.includes(name)),
    { name: "StartDate", label: "Opened from", kind: "date" }, { name: "EndDate", label: "Opened to", kind: "date", until: true },
    { name: "TransactionDateStart", label: "Ordered from", kind: "day" }, { name: "TransactionDateEnd", label: "Ordered to", kind: "day" },
  ];
}

function columnsOf(view, reload) {
  const doing = (row) => {
    if (isBrand())
      return mayReview(row) ? h("a.button.small", { href: `/inquiries/${row.Id}`, "aria-label": `Review inquiry ${row.Id}` }, "Review") : "";
    return row.State === "OPEN" ? closeButton(row, reload, "button.small") : "";
  };
  const fields = inquiryFields().map(([key, title, cell, { sort, end, shown } = {}]) =>
    ({ key, title, cell, sort, align: end ? "end" : null, hidden: view.hidden?.includes(key) || (!shown && !view.shown?.includes(key)) }));
  return [
    { key: "Id", title: "Inquiry", always: true, sort: "Id", cell: (row) => h("a", { href: `/inquiries/${row.Id}` }, row.Id) },
    ...(mayChange() ? [{ key: "doing", title: "", align: "doing", always: true, cell: doing }] : []), /* beside the id: in sight however wide the rest is */
    ...(isBrand() ? [{ key: "Age", title: "Waiting", hidden: !view.shown?.includes("Age"), sort: "CreationDate", cell: (row) => h("time", { datetime: row.CreationDate, title: date(row.CreationDate) }, ago(row.CreationDate)) }] : []),
    ...fields,
    { key: "CampaignId", title: "Campaign Id", align: "end", hidden: true, sort: "CampaignId", cell: (row) => row.CampaignId },
    ...(isBrand() ? [{ key: "MediaPartnerId", title: "Partner Id", align: "end", hidden: true, sort: "MediaPartnerId", cell: (row) => row.MediaPartnerId }] : []),
    { key: "Currency", title: "Currency", hidden: true, cell: (row) => row.Currency },
    { key: "Assignee", title: "Assigned to", hidden: true, cell: (row) => row.Assignee },
    { key: "Comments", title: "Comments", align: "end", hidden: true, cell: (row) => String(row.Comments.length) },
  ];
}

export async function page(context) {
  const { query, signal } = context;
  const which = Object.hasOwn(views(), query.get("View") ?? "") ? query.get("View") ?? "" : "";
  const view = views()[which], campaigns = await campaignsOf(signal), partners = await partnerFilter(campaigns, signal);
  const asked = (values) => ({ ...values, ...view.fixed, CampaignId: values.CampaignId || (isBrand() ? "ALL" : "") });
  const download = h("a.button", { download: true }, icon("download"), "Download CSV");
  let inForce = asked({});
  const inquiries = list({
    id: `inquiries-${isBrand() ? "brand" : "partner"}${which}`, caption: view.tab, context, empty: view.empty,
    sort: "-CreationDate", rowKey: (row) => row.Id, rowHref: (row) => `/inquiries/${row.Id}`, tools: [download, mayChange() ? exportButton([["Inquiries", "INQUIRIES"]], () => inForce, context.go) : null],
    picks: mayChange() ? (rows) => bulk(rows, () => { inquiries.unpick(); inquiries.reload(); }) : null,
    filters: filtersOf(view, campaigns, partners), columns: columnsOf(view, () => inquiries.reload()),
    load: async ({ Before, ...values }, still) => {
      const { Page, PageSize, Sort, ...filters } = values;
      inForce = asked(filters);
      download.setAttribute("href", own("/ActionInquiries.csv") + queryOf(inForce));
      const answer = await get(own("/ActionInquiries"), asked(values), { signal: still });
      return { rows: answer.ActionInquiries, total: Number(answer["@total"]) };
    },
  });
  watch(() => inquiries.reload(), signal);
  await inquiries.ready;
  const actions = mayChange() ? [
    h("a.button", { href: "/inquiries/import" }, icon("upload"), isBrand() ? "Bulk processing" : "Import"),
    isBrand() ? null : h("a.button.primary", { href: "/inquiries/new" }, icon("plus"), "Create New Inquiry")] : [];
  return { title: "Inquiries", node: h("div", null, heading("Inquiries", { actions }),
    tabs("Inquiries", Object.entries(views()).map(([name, { tab }]) => [tab, address(name)]), address(which)), inquiries.node) };
}
