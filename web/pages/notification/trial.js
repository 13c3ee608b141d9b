/* trial.js — a test postback: really sent, the receiver's answer shown at once; a clock runs meanwhile, and it can be
 * stopped.
 *
 * const t = trial(id, context); t.node; t.send(body): { EventType } or { EventId }, and settings that are not saved.
 * id: null for a new one, of which all is in the body.
 */
import { own, post } from "../../api.js";
import { fill, h } from "../../dom.js";
import { errorSays } from "../../postback_words.js";
import { exchange } from "../../ui/exchange.js";
import { path } from "./health.js";

const milliseconds = (text) => (Number(text) >= 10 ? Math.round(Number(text)) : Number(text).toFixed(1));

/* The verdict in plain words. */
function verdict({ Verdict, Response }) {
  const answered = Number(Response.Status) > 0, took = `in ${milliseconds(Response.DurationMs)} ms`;
  if (Verdict === "delivered")
    return ["good", `Delivered: the receiver answered ${Response.Status} ${took}.`];
  if (!answered)
    return ["bad", `Not delivered. ${errorSays(Response)} A postback would be tried again until it is delivered.`];
  if (Verdict === "gone")
    return ["bad", "Not delivered: the receiver answered 410, so a postback would hold this event notification until you resume it."];
  const why = Response.Status === "200" || Response.Status === "201" ? ", but its body does not hold to Success Response or Error Response" : "";
  const wants = why ? "" : " Only 200 and 201 count, or any 2xx where you say so.";
  return ["bad", `Not delivered: the receiver answered ${Response.Status} ${took}${why}.${wants} A postback would be tried again until it is delivered.`];
}

/* Tenths of a second, as they pass. */
function clock(signal) {
  const began = performance.now(), node = h("span.clock", { "aria-hidden": "true" });
  const draw = () => fill(node, `${((performance.now() - began) / 1000).toFixed(1)} s`);
  const timer = setInterval(draw, 100);
  signal.addEventListener("abort", () => clearInterval(timer));
  draw();
  return node;
}

export function trial(id, { signal }) {
  const place = h("div.trial", { role: "region", "aria-label": "Result of the test" });
  const node = h("section.card", { "aria-label": "Test", hidden: true }, h("h2", null, "Test"), place);
  let running = null;
  const failed = (error) => fill(place, h("p.summary", { role: "alert" }, error.message, (error.errors ?? []).map((one) => ` ${one.Field}: ${one.Message}.`)));
  async function send(body) {
    running?.abort();
    const mine = running = new AbortController(), ended = new AbortController();
    node.hidden = false;
    node.setAttribute("aria-busy", "true");
    fill(place, h("div.waiting", null, h("p.muted", { role: "status" }, "Waiting for the receiver…"), clock(ended.signal),
      h("button.small", { type: "button", onclick: () => mine.abort() }, "Stop")));
    node.scrollIntoView({ block: "nearest" });
    try {
      const result = await post(id ? path(id, "/Test") : own("/EventNotifications/Test"), body, { signal: AbortSignal.any([signal, mine.signal]) });
      const [tone, words] = verdict(result);
      fill(place, h("p", { role: "status", class: `tone-${tone}` }, h("strong", null, words)), exchange(result.Request, result.Response, errorSays(result.Response)));
      node.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (running !== mine || signal.aborted)
        return;
      if (error.name === "AbortError")
        fill(place, h("p.muted", { role: "status" }, "Stopped: the answer is not waited for. The receiver may have had the request all the same."));
      else
        failed(error);
    } finally {
      ended.abort();
      if (running === mine)
        node.removeAttribute("aria-busy");
    }
  }
  return { node, send };
}
