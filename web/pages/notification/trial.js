/* trial.js — a test postback: really sent, the receiver's answer shown at once.
 *
 * const t = trial(id, context); t.node; t.send(eventType)
 */
import { post } from "../../api.js";
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

export function trial(id, { signal }) {
  const place = h("div.trial", { role: "region", "aria-label": "Result of the test" });
  const node = h("section.card", { "aria-label": "Test", hidden: true }, h("h2", null, "Test"), place);
  async function send(EventType) {
    node.hidden = false;
    node.setAttribute("aria-busy", "true");
    fill(place, h("p.muted", { role: "status" }, "Waiting for the receiver…"));
    node.scrollIntoView({ block: "nearest" });
    try {
      const result = await post(path(id, "/Test"), { EventType }, { signal });
      const [tone, words] = verdict(result);
      fill(place, h("p", { role: "status", class: `tone-${tone}` }, h("strong", null, words)), exchange(result.Request, result.Response, errorSays(result.Response)));
      node.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (error.name !== "AbortError")
        fill(place, h("p.summary", { role: "alert" }, error.message, (error.errors ?? []).map((one) => ` ${one.Field}: ${one.Message}.`)));
    } finally {
      node.removeAttribute("aria-busy");
    }
  }
  return { node, send };
}
