/* replays.js — postbacks of a range sent again, or the events of a range to this event notification; how far each is. */
import { get, mayChange, post } from "../../api.js";
import { fill, h } from "../../dom.js";
import { counted, date, instant, number, wallTime, zone } from "../../format.js";
import { badge } from "../../ui/badge.js";
import { form } from "../../ui/form.js";
import { progress } from "../../ui/progress.js";
import { toast } from "../../ui/toast.js";
import { path, titleOf } from "./health.js";
import { takeBack } from "./recover.js";

const LOOK_MS = 700;
const STATES = [["ALL", "All that have ended"], ["DELIVERED", "Delivered"], ["CANCELLED", "Cancelled"], ["EXPIRED", "Given up"]];
const OTHERS = [["ALL", "All"], ...STATES.slice(1), ["WAITING", "Waiting"]];
const stateWords = Object.fromEntries([...OTHERS, STATES[0]]);

const local = (at) => wallTime(at.toISOString());

function source(replay, titles) {
  if (replay.From === "ALL")
    return "all events of the account";
  if (replay.From === "MISSING")
    return "events that it was never sent";
  if (replay.PostbackState === "FAILED")
    return "its own postbacks that failed";
  if (replay.From === replay.NotificationId)
    return `its own postbacks, ${stateWords[replay.PostbackState]?.toLowerCase() ?? replay.PostbackState}`;
  return `postbacks of “${titles.get(replay.From) ?? `Event notification ${replay.From}`}”, ${stateWords[replay.PostbackState]?.toLowerCase() ?? replay.PostbackState}`;
}

function asking(notification, others, started) {
  const itself = notification.Id;
  const sheet = form({
    action: "Replay", values: { From: itself, StartDate: local(new Date(Date.now() - 86400000)), EndDate: local(new Date()), State: "ALL", OtherState: "ALL" },
    fields: [
      { name: "From", label: "What to send again", kind: "select", wide: true, options: [[itself, "Its own postbacks"], ["ALL", "All events of the account that it wants"],
        ...others.map((one) => [one.Id, `Postbacks of “${titleOf(one)}”`])] },
      { name: "StartDate", label: "From", kind: "datetime", required: true, hint: `Times of ${zone()}.` },
      { name: "EndDate", label: "To", kind: "datetime", check: (value, { StartDate }) => (StartDate && value < StartDate ? "Must not be before From." : "") },
      { name: "State", label: "States", kind: "select", options: STATES, when: ({ From }) => From === itself },
      { name: "OtherState", label: "States", names: ["State"], kind: "select", options: OTHERS, when: ({ From }) => From !== itself && From !== "ALL" },
      { name: "Types", label: "Events", kind: "checks", wide: true, hint: "None ticked: all of them.", options: notification.EventTypes },
    ],
    submit: async ({ From, StartDate, EndDate, State, OtherState, Types }) => {
      await post(path(itself, "/Replays"), { From, StartDate: instant(StartDate), EndDate: instant(EndDate && `${EndDate}:59`), State: State ?? OtherState, Types: Types.length ? Types : undefined });
      toast("The replay has begun.");
      started();
    },
  });
  return sheet.node;
}

/* One replay, drawn again in place as it goes on: { node, draw(replay) }. */
function line(id, first, titles, changed) {
  const { NotificationId, StartDate, EndDate, Types, CreationDate } = first;
  const mark = h("div"), bar = h("div"), says = h("p.muted");
  const stop = h("button.small", { type: "button", onclick: async () => {
    stop.disabled = true;
    try {
      await post(path(NotificationId, `/Replays/${id}/Cancel`));
      toast("The replay is cancelled; what it has sent stays sent.");
    } catch (error) {
      stop.disabled = false;
      toast(error.message, "bad");
    }
    changed();
  } }, "Cancel");
  const back = h("button.small", { type: "button", onclick: async () => {
    back.disabled = true;
    try {
      toast(`Taken back: ${counted(await takeBack(NotificationId, id), "postback")} will not be sent.`);
    } catch (error) {
      toast(error.message, "bad");
    }
    back.disabled = false;
    changed();
  } }, "Undo");
  const what = `${date(StartDate)} to ${date(EndDate)}: ${source(first, titles)}${Types.length ? `; ${Types.join(", ")}` : ""}`;
  return {
    node: h("li.entry", null, h("div.entry-head", null, mark, h("strong", null, what), h("span.gap"), stop, back), bar, says),
    draw({ State, Total, Done, Sent, Waiting, FinishedDate }) {
      const running = State === "RUNNING";
      stop.hidden = !running || !mayChange();
      back.hidden = Number(Waiting) === 0 || !mayChange();
      fill(mark, badge("ReplayState", State));
      fill(bar, running ? progress(Number(Done), Number(Total), "Replay") : null);
      fill(says, `${number(Sent)} sent of ${Total === "" ? "a number not yet counted" : number(Total)}; begun ${date(CreationDate)}${FinishedDate ? `, ended ${date(FinishedDate)}` : ""}`);
    },
  };
}

export function replays(notification, others, { signal }) {
  const place = h("ul.entries"), none = h("p.muted", null, "None yet."), wrong = h("p.summary", { role: "alert" });
  const titles = new Map([...others, notification].map((one) => [one.Id, titleOf(one)]));
  const lines = new Map(); /* by id */
  let timer = null;
  function draw(list) {
    for (const one of [...list].reverse()) { /* the newest is first */
      if (!lines.has(one.Id)) {
        lines.set(one.Id, line(one.Id, one, titles, look));
        place.prepend(lines.get(one.Id).node);
      }
      lines.get(one.Id).draw(one);
    }
    none.hidden = lines.size > 0;
  }
  async function look() {
    clearTimeout(timer);
    try {
      const { Replays } = await get(path(notification.Id, "/Replays"), { PageSize: 20 }, { signal });
      clearTimeout(timer); /* two looks may be on their way */
      draw(Replays);
      fill(wrong);
      const running = Replays.some((one) => one.State === "RUNNING");
      if (running || Replays.some((one) => Number(one.Waiting)))
        timer = setTimeout(look, running ? LOOK_MS : 10 * LOOK_MS);
    } catch (error) {
      if (error.name === "AbortError")
        return;
      fill(wrong, error.message);
      timer = setTimeout(look, 10 * LOOK_MS);
    }
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
  look();
  return h("section.card", { "aria-label": "Replay" }, h("h2", null, "Replay"),
    mayChange() ? asking(notification, others, look) : null,
    h("h3", null, "Replays"), wrong, none, place);
}
