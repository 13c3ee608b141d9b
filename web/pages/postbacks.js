/* postbacks.js — the log of postbacks, live: new ones and new outcomes appear by themselves. */
import { all, get, inPortal, mayChange, own, watch } from "../api.js";
import { h } from "../dom.js";
import { date, exact, tones } from "../format.js";
import { postbackSays } from "../postback_words.js";
import { manyOf } from "./postbacks/many.js";
import { activity } from "../ui/activity.js";
import { exportButton } from "../ui/export_button.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";
import { openedView, sameFilters, viewsMenu } from "../ui/views.js";

const STATES = [["", "All"], ["DELIVERING", "Being sent"], ["WAITING", "Waiting"], ["DELIVERED", "Delivered"], ["CANCELLED", "Cancelled"], ["EXPIRED", "Given up"]];

export const stateBadge = (postback) => h("span.badge", { class: tones[postback.State] ?? "" }, postbackSays(postback));

/* All of the account's event notifications by id. */
export async function notificationsById(signal) {
  return new Map((await all(own("/EventNotifications"), "EventNotifications", signal)).map((one) => [one.Id, one]));
}

export const notificationTitle = (notification, id) => (notification ? notification.Name || notification.Url || `Event notification ${id}` : `Event notification ${id} (deleted)`);

const filtersOf = (byId, types) => [
  { name: "NotificationId", label: "Event notification", kind: "select", wide: true, options: [["", "All"], ...[...byId.values()].map((one) => [one.Id, notificationTitle(one, one.Id)])] },
  { name: "State", label: "State", kind: "select", options: STATES },
  { name: "EventType", label: "Event", kind: "select", options: [["", "All"], ...types] },
  { name: "WebhookId", label: "webhook-id", placeholder: "As the receiver has it" },
  { name: "OrderId", label: "Order", placeholder: "Its whole id" },
  { name: "Status", label: "Answered with", placeholder: "503, 5xx or none" },
  { name: "Error", label: "Error", placeholder: "timeout, certificate, any" },
  { name: "InquiryId", label: "Inquiry", placeholder: "Id" },
  { name: "ActionId", label: "Action", placeholder: "Id" },
  { name: "StartDate", label: "From", kind: "date" }, { name: "EndDate", label: "To", kind: "date", until: true },
];

const SEARCHES_MOST = 20; /* of 5,000 postbacks each, a fraction of a second: then it is for the person to go on */

/* Goes on by itself where an answer had to stop before its page was full. */
const searching = (load) => async (values, signal) => {
  const rows = [];
  let before = values.Before, loaded;
  for (let times = 0; times < SEARCHES_MOST; times++) {
    loaded = await load({ ...values, Before: before, PageSize: values.PageSize - rows.length }, signal);
    rows.push(...loaded.rows);
    before = loaded.next;
    if (!loaded.next || rows.length >= values.PageSize)
      return { rows, next: loaded.next };
  }
  return { rows, next: before, note: `Searched back to ${exact(loaded.answer.SearchedBackToDate)}. “Older” goes on from there.` };
};

export async function page(context) {
  const { signal } = context;
  const [byId, catalog] = await Promise.all([notificationsById(signal), get("/EventCatalog", null, { signal })]);
  const types = catalog.Categories.flatMap((category) => category.EventTypes.map((type) => type.EventType));
  const load = searching(pageOf(own("/Postbacks"), "Postbacks", "Before"));
  let inForce = {}, log = null;
  const filters = filtersOf(byId, types), view = await openedView(filters.map(({ name }) => name), context);
  const many = mayChange() ? manyOf({ filters: () => inForce, done: () => { log.unpick(); return log.reload(); }, go: context.go, signal }) : null;
  const views = viewsMenu({ page: "POSTBACKS", path: "/postbacks", opened: view.of, filters: () => log.values(), columns: () => log.columns(), context });
  log = list({
    id: "postbacks", caption: "Postbacks, newest first", context: view.context, chosen: view.columns, pageSize: 50, rowKey: (row) => row.Id, rowHref: (row) => `/postbacks/${row.Id}`,
    picks: many?.picks,
    empty: "No postback like that. One is made when an event happens that an event notification wants.",
    filters,
    columns: [
      { key: "created", title: "Made", always: true, cell: (row) => h("a", { href: `/postbacks/${row.Id}` }, date(row.CreationDate)) },
      { key: "type", title: "Event", cell: (row) => row.EventType },
      { key: "to", title: "Event notification", cell: (row) => notificationTitle(byId.get(row.NotificationId), row.NotificationId) },
      { key: "state", title: "State", always: true, cell: (row) => stateBadge(row) },
      { key: "inquiry", title: "Inquiry", cell: (row) => (row.InquiryId ? h("a", { href: `/inquiries/${row.InquiryId}` }, row.InquiryId) : "") },
      { key: "attempts", title: "Attempts", align: "end", cell: (row) => row.Attempts },
      { key: "id", title: "Id", hidden: true, cell: (row) => h("code", null, row.Id) },
      { key: "due", title: "Due", hidden: true, cell: (row) => date(row.DueDate) },
      { key: "resent", title: "Sends again", hidden: true, cell: (row) => (row.ResentFrom ? h("a", { href: `/postbacks/${row.ResentFrom}` }, row.ResentFrom) : "") },
    ],
    tools: inPortal() ? [] : [many?.menu, views, mayChange() ? exportButton([["Postbacks", "POSTBACKS"], ["Attempts", "ATTEMPTS"]], () => inForce, context.go) : null],
    load: async (values, still) => {
      const { Page, PageSize, Sort, Before, ...filters } = values;
      inForce = filters;
      if (log && view.of && !sameFilters(log.values(), view.of.Filters))
        context.setQuery({ view: "" }); /* it is another one by now */
      return load(values, still);
    },
  });
  const charts = activity(own("/Series"), context);
  watch(() => Promise.all([log.atTop() ? log.reload() : null, charts.reload()]), signal);
  await log.ready;
  return { title: "Postbacks", node: h("div", null, heading("Postbacks"), log.node, charts.node) };
}
