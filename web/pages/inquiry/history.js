/* history.js — who did what to an inquiry, when, and with which reason. */
import { get } from "../../api.js";
import { fill, h } from "../../dom.js";
import { date, money } from "../../format.js";

const steps = {
  OPENED: "opened it", ACCEPTED: "accepted it", DECLINED: "declined it", ASKED: "asked for more information", REPLIED: "replied", REOPENED: "reopened it",
  CLOSED: "closed it", UNDONE: "took a decision back", LAPSED: "had decided, but it could not be done any more", ASSIGNED: "assigned it",
  ATTACHED: "attached a file", DETACHED: "took a file away",
};
const by = { PARTNER: "partner", BRAND: "brand", RULE: "" };

const line = (one, currency) => h("li", null,
  h("p", null, h("strong", null, one.User), by[one.By] ? h("span.muted", null, ` (${by[one.By]})`) : null, ` ${steps[one.Step] ?? one.Step}`,
    one.FinalPayout ? `, payout ${money(one.FinalPayout, currency)}` : null),
  one.RejectReason ? h("p", null, `Reason: ${one.RejectReason}`) : null,
  one.Text ? h("p.says", null, one.Text) : null,
  h("p.who", null, date(one.Date)));

/* { node, reload } for the inquiry at `uri`. */
export function historyOf(uri, currency, signal) {
  const place = h("div");
  let drawn = "";
  const reload = async () => {
    const { History } = await get(`${uri}/History`, null, { signal });
    const shown = JSON.stringify(History);
    if (shown === drawn)
      return;
    drawn = shown;
    fill(place, h("ol.thread.history", null, History.map((one) => line(one, currency()))));
  };
  return { reload, node: h("section.card", { "aria-label": "History" }, h("h2", null, "History"), place) };
}
