/* activity.js — the charts of a Series: delivered and failed, latency, pending and the oldest's age.
 *
 * const a = activity(path, context); a.node; it loads at once, again every half minute, and when reload() is called.
 */
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { number, span } from "../format.js";
import { tryAgain } from "./again.js";
import { chart } from "./chart.js";

const RANGES = [["3600", "Last hour"], ["21600", "Last 6 hours"], ["86400", "Last day"], ["604800", "Last week"], ["2592000", "Last 30 days"]];

const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800]; /* seconds */
const MARKS_MOST = 6;
/* A step whose marks are whole in the unit that span() says them in: over a minute no seconds, over a day no hours. */
function spanStep(most) {
  if (most <= 0)
    return undefined;
  const least = most > 86400 ? 86400 : most > 60 ? 60 : 0;
  return SPANS.find((step) => step >= least && most / step <= MARKS_MOST) ?? SPANS.at(-1) * Math.ceil(most / SPANS.at(-1) / MARKS_MOST);
}

const numbers = (points, name) => points.map((point) => (point[name] === "" || point[name] === undefined ? null : Number(point[name])));
const ms = (value) => (value >= 1000 ? `${(value / 1000).toFixed(value >= 10000 ? 0 : 1)} s` : `${Math.round(value * 10) / 10} ms`);

export function activity(path, { signal }) {
  const charts = [
    { at: chart({ title: "Delivered and failed attempts", format: number, filled: true, series: [{ label: "Delivered", tone: "--good" }, { label: "Failed", tone: "--bad" }] }), names: ["Delivered", "Failed"] },
    { at: chart({ title: "Latency, event to receipt", format: ms, series: [{ label: "p50", tone: "--accent" }, { label: "p99", tone: "--warn" }] }), names: ["LatencyP50", "LatencyP99"] },
    { at: chart({ title: "Pending", format: number, filled: true, series: [{ label: "Pending", tone: "--accent" }] }), names: ["Pending"] },
    { at: chart({ title: "Age of the oldest pending", format: span, step: spanStep, series: [{ label: "Oldest", tone: "--warn" }] }), names: ["OldestPendingSeconds"] },
  ];
  const says = h("div");
  const range = h("select", { "aria-label": "Span of the charts", onchange: () => reload() }, RANGES.map(([value, text]) => h("option", { value }, text)));
  let running = null;
  async function reload() {
    running?.abort();
    const mine = running = new AbortController();
    try {
      const now = Date.now(), Start = new Date(now - Number(range.value) * 1000).toISOString(), End = new Date(now).toISOString();
      const { Points } = await get(path, { Start, End, Points: 120 }, { signal: AbortSignal.any([signal, mine.signal]) });
      if (running !== mine)
        return;
      const times = Points.map((point) => point.Time);
      await Promise.all(charts.map(({ at, names }) => at.draw(times, names.map((name) => numbers(Points, name)))));
      fill(says);
    } catch (error) {
      if (error.name !== "AbortError")
        fill(says, tryAgain(error, () => reload()));
    }
  }
  const timer = setInterval(reload, 30000);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    charts.forEach(({ at }) => at.destroy());
  });
  reload();
  return { reload, node: h("section.activity", null, h("div.card-head", null, h("h2", null, "Over time"), h("span.gap"), h("div", null, range)), says, h("div.columns", null, charts.map(({ at }) => at.node))) };
}
