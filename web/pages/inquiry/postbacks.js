/* postbacks.js — what became of the events of an inquiry, or of an action: where each went, delivered when, or why not yet. Live. */
import { get, own, query, watch } from "../../api.js";
import { fill, h } from "../../dom.js";
import { date } from "../../format.js";
import { eventSays } from "../../postback_words.js";
import { notificationTitle, notificationsById, stateBadge } from "../postbacks.js";

const SHOWN = 100;

function host(notification) {
  try {
    return new URL(notification.Url).host;
  } catch {
    return "";
  }
}

const one = (row, to) => h("li", null,
  h("p.trip", null, h("a", { href: `/postbacks/${row.Id}` }, eventSays(row.EventType)), eventSays(row.EventType) === row.EventType ? null : h("code.machine", null, row.EventType), stateBadge(row)),
  h("p.trip.who", null, h("span", null, date(row.CreationDate)), h("span", null, "to ",
    to ? h("a", { href: `/notifications/${row.NotificationId}` }, notificationTitle(to, row.NotificationId)) : notificationTitle(null, row.NotificationId)),
  host(to) && to.Name ? h("span", null, host(to)) : null));

/* of: { InquiryId } or { ActionId }, as the list of postbacks is asked. */
export async function postbacksOf(of, signal, changed) {
  const place = h("div");
  let byId = await notificationsById(signal);
  async function load() {
    const answer = await get(own("/Postbacks"), { ...of, PageSize: SHOWN }, { signal });
    if (answer.Postbacks.some((one) => !byId.has(one.NotificationId)))
      byId = await notificationsById(signal); /* a new one, or one that was deleted */
    const to = (row) => byId.get(row.NotificationId);
    fill(place, answer.Postbacks.length ? h("ul.thread", null, answer.Postbacks.map((row) => one(row, to(row))))
      : h("p.muted", null, "None: no event notification wants its events, or they are older than the log is kept."),
    answer["@nextpageuri"] ? h("p", null, h("a", { href: `/postbacks${query(of)}` }, "All its postbacks")) : null);
  }
  await load();
  watch(() => Promise.all([load(), changed()]).catch(() => { /* the next change tells again */ }), signal);
  return { reload: load, node: h("section.card", null, h("div.card-head", null, h("h2", null, "Postbacks"), h("span.gap"), h("a", { href: "/notifications" }, "Event notifications")), place) };
}
