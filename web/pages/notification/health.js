/* health.js — how an event notification fares, at a glance; its pause, resume and delete. */
import { del, own, post } from "../../api.js";
import { h } from "../../dom.js";
import { ago, exact, moment, number, span } from "../../format.js";
import { errorWords } from "../../postback_words.js";
import { badge } from "../../ui/badge.js";
import { toast, undoable } from "../../ui/toast.js";

const TITLE_MOST = 60;

export const path = (id, rest = "") => own(`/EventNotifications/${encodeURIComponent(id)}${rest}`);
/* Its name, or where it goes. */
export function titleOf({ Id, Name, Url }) {
  const title = Name || (Url ?? "").replace(/^https?:\/\//, "") || `Event notification ${Id}`;
  return title.length > TITLE_MOST ? `${title.slice(0, TITLE_MOST)}…` : title;
}

const age = (text) => (text ? span((Date.now() - new Date(text)) / 1000) : "");

/* State, and what is wrong if something is. */
export const badges = (state, health) => h("span.badges", null,
  badge("NotificationState", health?.State ?? state),
  health?.Failing === "true" ? h("span.badge.bad", null, "Failing") : null,
  health && health.Lateness !== "ON_TIME" ? badge("Lateness", health.Lateness) : null);

const milliseconds = (text) => (text ? `${Number(text) >= 10 ? number(Math.round(Number(text))) : Number(text).toFixed(1)} ms` : "");

export function glance(health) {
  const pending = Number(health.Pending), { Attempts, ErrorPercentage, LatencyP50, LatencyP99 } = health.LastHour;
  const items = [
    ["Pending", number(health.Pending), pending ? "warn" : ""],
    ["Oldest pending", age(health.OldestPendingDate), health.Lateness === "ON_TIME" ? "" : "bad"],
    ["Delivered", number(health.Delivered), ""],
    ["Failed attempts", number(health.FailedAttempts), ""],
    ["Last delivered", health.LastDeliveredDate ? time(health.LastDeliveredDate) : "", ""],
    ["Errors, last hour", Number(Attempts) ? `${ErrorPercentage} %` : "", Number(ErrorPercentage) >= 50 ? "bad" : Number(ErrorPercentage) ? "warn" : ""],
    ["p50", milliseconds(LatencyP50), ""], ["p99", milliseconds(LatencyP99), ""],
  ];
  return h("dl.glance", null, items.filter(([, value]) => value !== "").map(([name, value, tone]) =>
    h("div", null, h("dt", null, name), h("dd", { class: tone && `tone-${tone}` }, value))));
}

const time = (text) => h("time", { datetime: text, title: exact(text) }, ago(text));
const outcome = ({ Status, Error }) => Status || (Error ? errorWords(Error) : "other outcomes");

/* How the attempts of the last hour ended: "503 ×12", "the receiver did not answer in time ×3". */
function outcomes({ Outcomes }) {
  return Outcomes.length ? h("ul.outcomes", { "aria-label": "Attempts of the last hour" }, Outcomes.map((one) =>
    h("li", { class: /^2/.test(one.Status) ? "good" : "bad" }, outcome(one), h("span.muted", null, ` ×\u202f${number(one.Attempts)}`)))) : null;
}

/* Why it fails and since when, and what comes next; null when nothing is wrong. */
export function trouble(health) {
  const failing = health.Failing === "true" || health.DownSinceDate, state = health.State;
  if (!health.LastError || !(failing || state === "HELD" || Number(health.LastHour.Failed)))
    return null;
  const since = health.FailingSinceDate || health.DownSinceDate;
  return h("div.why", { class: failing || state === "HELD" ? "bad" : null }, h("p", null,
    h("strong", null, failing ? ["Failing", since ? [" since ", h("time", { datetime: since, title: exact(since) }, moment(since))] : null, ": "] : "Last error: "),
    `${health.LastErrorText} (`, time(health.LastErrorDate), ").",
    health.NextProbeDate && state === "ACTIVE" ? [" Tried again at ", h("time", { datetime: health.NextProbeDate, title: exact(health.NextProbeDate) }, moment(health.NextProbeDate)), "."] : null),
  outcomes(health.LastHour));
}

const sentence = (text) => (text ? `${text.trim().replace(/\.$/, "")}. ` : "");

/* Why it stands still; null when it does not. */
export function heldReason(state, reason) {
  if (state === "HELD")
    return h("p.held", null, h("strong", null, "Held by the system. "), sentence(reason), "Events wait and go out once it is resumed.");
  if (state === "PAUSED")
    return h("p.held", null, h("strong", null, "Paused. "), "Events wait and go out once it is resumed; nothing is lost.");
  return null;
}

/* Pause or resume, by what it is; `changed` is called once it is done. */
export function stateButton(notification, changed, kind = "button") {
  const run = notification.State === "ACTIVE" ? "Pause" : "Resume";
  return h(kind, { type: "button", "aria-label": `${run} ${titleOf(notification)}`, onclick: async (event) => {
    event.target.disabled = true;
    try {
      await post(path(notification.Id, `/${run}`));
      toast(run === "Pause" ? "Paused: its events wait." : "Resumed: what waited goes out now.");
      await changed();
    } catch (error) {
      toast(error.message, "bad");
    }
    event.target.disabled = false;
  } }, run);
}

/* Deletes unless it is undone; resolves to whether it was deleted. */
export async function remove(notification, pending) {
  const waiting = Number(pending ?? 0) ? `; ${Number(pending) === 1 ? "its pending postback" : `its ${number(pending)} pending postbacks`} will not be sent` : "";
  try {
    return await undoable(`“${titleOf(notification)}” is being deleted${waiting}.`, () => del(path(notification.Id), { keepalive: true }));
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}
