/* chart.js — lines over time, by Chart.js (loaded when the first chart is shown), with the same numbers as a table.
 *
 * const c = chart({ title, series: [{ label, tone }], format, filled }); c.node
 *   step(most): the step of the axis, where the format is not decimal: undefined leaves it to the library
 *   c.draw(times, values): values[i] is the i-th series' numbers, null for none
 *   c.destroy() when its page is left: the library keeps every chart that is not destroyed
 */
import { fill, h } from "../dom.js";
import { moment } from "../format.js";

let loading = null;
function library() {
  loading ??= new Promise((done, failed) => {
    const script = h("script", { src: "/assets/lib/chart.min.js" });
    script.addEventListener("load", () => done(window.Chart));
    script.addEventListener("error", () => { loading = null; failed(new Error("The chart library did not load.")); });
    document.head.append(script);
  });
  return loading;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* A value between two gaps would be no line at all. */
const alone = ({ dataset: { data }, dataIndex: i }) => (data[i] !== null && (data[i - 1] ?? null) === null && (data[i + 1] ?? null) === null ? 3 : 0);

export function chart({ title, series, format = String, filled = false, step = null }) {
  const stepOf = (values) => step?.(Math.max(0, ...values.flat().filter((one) => one !== null)));
  const canvas = h("canvas", { role: "img", "aria-label": title });
  const body = h("tbody");
  const node = h("figure.chart", null, h("figcaption", null, title), h("div.canvas", null, canvas),
    h("details", null, h("summary", null, "As a table"), h("div.scroll", { tabindex: "0", role: "region", "aria-label": title },
      h("table", null, h("thead", null, h("tr", null, h("th", { scope: "col" }, "Time"), series.map((one) => h("th.end", { scope: "col" }, one.label)))), body))));
  let drawn = null, gone = false;
  async function draw(times, values) {
    fill(body, times.map((time, i) => (values.some((one) => one[i] !== null && one[i] !== 0)
      ? h("tr", null, h("td", null, moment(time)), values.map((one) => h("td.end", null, one[i] === null ? "" : format(one[i])))) : null)));
    const Chart = await library();
    if (gone)
      return;
    const datasets = series.map((one, i) => ({
      label: one.label, data: values[i], borderColor: color(one.tone), backgroundColor: `${color(one.tone)}33`, fill: filled,
      borderWidth: 2, pointRadius: alone, pointHitRadius: 8, tension: 0.25, spanGaps: false,
    }));
    const labels = times.map(moment);
    if (drawn) {
      drawn.data.labels = labels;
      drawn.data.datasets.forEach((one, i) => { one.data = values[i]; });
      drawn.options.scales.y.ticks.stepSize = stepOf(values);
      drawn.update("none");
      return;
    }
    const grid = { color: color("--line") }, ticks = { color: color("--muted"), maxRotation: 0, autoSkip: true, autoSkipPadding: 16, maxTicksLimit: 7, precision: 0 };
    drawn = new Chart(canvas, { type: "line", data: { labels, datasets }, options: {
      animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
      scales: { x: { grid, ticks }, y: { grid, beginAtZero: true, ticks: { ...ticks, stepSize: stepOf(values), maxTicksLimit: 6, callback: (value) => format(value) } } },
      plugins: { legend: { display: series.length > 1, labels: { color: color("--ink"), boxWidth: 12, boxHeight: 2 } }, tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}` } } },
    } });
  }
  function destroy() {
    gone = true;
    drawn?.destroy();
  }
  return { node, draw, destroy };
}
