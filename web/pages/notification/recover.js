/* recover.js — after an outage: what failed, what was never sent, or all of a range, each with its count before one
 * presses; then how far it is, and the way back while something waits.
 *
 * recover(notification, health, changed) opens the dialog; `changed` is called when something was sent or taken back.
 */
import { get, post } from "../../api.js";
import { fill, h, unique } from "../../dom.js";
import { counted, instant, number, wallTime, zone } from "../../format.js";
import { confirm, dialog } from "../../ui/dialog.js";
import { progress } from "../../ui/progress.js";
import { path, titleOf } from "./health.js";

const LOOK_MS = 500, PAUSE_MS = 300, ASK_OVER = 100, DAY_MS = 86400000;

const local = (at) => wallTime(at.toISOString());

/* What can be sent: [key, heading, words, the replay's own members]. */
const WAYS = [
  ["failed", "Failed", "Its postbacks that were given up or cancelled, and of which nothing came since.", { State: "FAILED" }],
  ["missing", "Missing", "Events that it wants and was never sent: it was not there yet, or did not want them then.", { From: "MISSING" }],
  ["all", "Everything", "All its postbacks of that time once more, also those that were delivered.", { State: "ALL" }],
];

/* Adds the counts of a long range; `told` hears of each part.  Resolves to the sum. */
async function count(id, body, signal, told) {
  let sum = 0, Next = "";
  do {
    const answer = await post(path(id, "/Replays/Count"), { ...body, Next }, { signal });
    sum += Number(answer.Count);
    Next = answer.Next;
    told(sum, !Next);
  } while (Next);
  return sum;
}

/* Takes back all that waits: resolves to how many postbacks. */
export async function takeBack(id, replay) {
  let sum = 0, more = true;
  while (more) {
    const answer = await post(path(id, `/Replays/${replay}/Undo`));
    sum += Number(answer.Cancelled);
    more = answer.More === "true";
  }
  return sum;
}

/* A replay under way: its bar, and Undo while something can be taken back. */
function underWay(id, replay, signal, changed) {
  const bar = h("div"), says = h("p", { role: "status" });
  let back = null; /* how many were taken back */
  const undo = h("button", { type: "button", onclick: async () => {
    undo.disabled = true;
    try {
      back = (back ?? 0) + await takeBack(id, replay);
      changed();
      look();
    } catch (error) {
      fill(says, error.message);
    }
    undo.disabled = false;
  } }, "Undo");
  let timer = null;
  function words({ State, Total, Sent, Waiting }) {
    if (State === "RUNNING")
      return `${number(Sent)} on their way of ${Total === "" ? "a number not yet counted" : number(Total)}.`;
    if (back !== null)
      return `Taken back: ${counted(back, "postback")} will not be sent.`;
    return `${State === "DONE" ? "Done" : "Ended"}: ${counted(Sent, "postback")}${Number(Waiting) ? `, of which ${number(Waiting)} wait to be delivered` : " sent"}.`;
  }
  async function look() {
    clearTimeout(timer);
    try {
      const now = await get(path(id, `/Replays/${replay}`), null, { signal });
      clearTimeout(timer); /* two looks may be on their way */
      const running = now.State === "RUNNING", waits = Number(now.Waiting);
      fill(bar, running ? progress(Number(now.Done), Number(now.Total), "Recovery") : null);
      undo.hidden = !running && !waits;
      if (says.textContent !== words(now)) /* what is the same is not said again */
        fill(says, words(now));
      if (running || waits)
        timer = setTimeout(look, running ? LOOK_MS : 4 * LOOK_MS);
      else
        changed();
    } catch (error) {
      if (error.name === "AbortError")
        return;
      fill(says, error.message);
      timer = setTimeout(look, 10 * LOOK_MS);
    }
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
  look();
  return h("div.recovery", null, bar, says, h("div.actions", null, undo));
}

/* One way, with how many it would send: { node, aim(range) }. */
function way([, title, text, what], notification, started) {
  const id = notification.Id, says = h("p.count", { role: "status" }, "Counting…");
  let running = null, body = null, found = null;
  const button = h("button", { type: "button", disabled: true, "aria-label": `Send ${title.toLowerCase()}`, onclick: async () => {
    const sure = found <= ASK_OVER || await confirm({ title: `Send ${counted(found, "postback")}?`, action: "Send them",
      text: `“${titleOf(notification)}” gets ${counted(found, "request")}, no faster than its receiver takes them. What has not gone out can be taken back.` });
    if (sure)
      await started(body);
  } }, "Send");
  async function aim(range, signal) {
    const mine = running = new AbortController();
    body = { ...range, ...what };
    button.disabled = true;
    fill(says, "Counting…");
    try {
      found = await count(id, body, AbortSignal.any([signal, mine.signal]), (sum, end) => {
        if (running === mine)
          fill(says, `${number(sum)}${end ? "" : " so far…"}`);
      });
      if (running === mine)
        button.disabled = found === 0;
    } catch (error) {
      if (error.name !== "AbortError" && running === mine)
        fill(says, (error.errors ?? []).map((one) => one.Message).join(" ") || error.message);
    }
  }
  return { aim, stop: () => running?.abort(), node: h("li.way", null, h("div", null, h("h3", null, title), h("p.muted", null, text)), says, button) };
}

export function recover(notification, health, changed) {
  const left = new AbortController(), { signal } = left, fromId = unique("from"), toId = unique("to");
  const since = health?.FailingSinceDate || health?.DownSinceDate;
  const from = h("input", { id: fromId, type: "datetime-local", required: true, value: local(since ? new Date(since) : new Date(Date.now() - DAY_MS)), autofocus: true });
  const to = h("input", { id: toId, type: "datetime-local" });
  const wrong = h("p.summary", { role: "alert" }), place = h("div");
  let timer = null;
  const ways = WAYS.map((one) => way(one, notification, start));
  async function start(body) {
    fill(wrong);
    try {
      const { Id } = await post(path(notification.Id, "/Replays"), body);
      changed();
      clearTimeout(timer);
      ways.forEach((one) => one.stop());
      fill(place, underWay(notification.Id, Id, signal, changed));
      place.querySelector("button").focus();
    } catch (error) {
      fill(wrong, error.message, (error.errors ?? []).map((one) => ` ${one.Field}: ${one.Message}.`));
    }
  }
  function aim() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (from.value)
        ways.forEach((one) => { one.stop(); one.aim({ StartDate: instant(from.value), EndDate: instant(to.value && `${to.value}:59`) }, signal); });
    }, PAUSE_MS);
  }
  from.addEventListener("input", aim);
  to.addEventListener("input", aim);
  aim();
  return dialog(`Recover “${titleOf(notification)}”`, (close) => h("div.recover", null,
    h("div.fields", null,
      h("div.field", null, h("label", { for: fromId }, "Since"), from, h("p.hint", null, `Times of ${zone()}.`)),
      h("div.field", null, h("label", { for: toId }, "Until"), to, h("p.hint", null, "Empty: until now."))),
    wrong, fill(place, h("ul.ways", null, ways.map((one) => one.node))),
    h("div.actions", null, h("button", { type: "button", onclick: () => close() }, "Close"))))
    .finally(() => { clearTimeout(timer); left.abort(); });
}
