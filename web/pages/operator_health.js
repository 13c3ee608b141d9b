/* operator_health.js — how the server fares: figures now, and over time. */
import { again, get } from "../api.js";
import { fill, h } from "../dom.js";
import { bytes, date, number, span } from "../format.js";
import { activity } from "../ui/activity.js";
import { heading } from "../ui/heading.js";

const AGAIN_MS = 2000;

/* [noun, member, words, how it is written, when it is worrying] */
const FIGURES = [
  ["Postbacks", "DeliveredPerSecond", "delivered a second"],
  ["Postbacks", "FailedPerSecond", "failed attempts a second", null, (value) => Number(value) > 0],
  ["Postbacks", "Pending", "pending", number],
  ["Postbacks", "OldestPendingSeconds", "age of the oldest pending", span, (value) => Number(value) > 900],
  ["Notifications", "Failing", "event notifications failing", number, (value) => Number(value) > 0],
  ["Notifications", "Late", "event notifications late", number, (value) => Number(value) > 0],
  ["Lanes", "DestinationsDown", "destinations down", number, (value) => Number(value) > 0],
  ["Postbacks", "InMemory", "postbacks in memory", number],
  ["Connections", "In", "connections in", number],
  ["Connections", "Out", "connections out", number],
  ["Connections", "RequestsUnderWay", "requests under way", number],
  ["Lanes", "Ready", "lanes ready", number],
  ["Lanes", "Held", "lanes held", number],
  ["Server", "ResidentBytes", "memory", bytes],
  ["Store", "DatabaseBytes", "database", bytes],
  ["Store", "WalBytes", "write-ahead log", bytes],
  ["Store", "DiskFreeBytes", "disk free", bytes, (value, status) => Number(value) < Number(status.Store.DiskBytes) / 20],
  ["Store", "WritesWaiting", "writes waiting", number],
];

function tile(status, [noun, member, words, write, worrying]) {
  const value = status[noun][member];
  return h("div.tile", { class: value !== "" && worrying?.(value, status) ? "worrying" : null }, h("strong", null, value === "" ? "—" : write ? write(value) : value), h("span", null, words));
}

function says(status) {
  if (status.Store.Writable !== "true")
    return ["The store cannot be written to", "bad"];
  if (status.Server.Ready !== "true")
    return ["Not ready", "bad"];
  return status.Maintenance.State === "OFF" ? ["Well", "good"] : ["Maintenance", "warn"];
}

export async function page(context) {
  const { signal } = context;
  const badge = h("span.badge"), tiles = h("div.tiles"), about = h("p.muted");
  async function reload() {
    const status = await get("/Operator/Status", null, { signal }), [words, tone] = says(status);
    badge.className = `badge ${tone}`;
    fill(badge, words);
    fill(tiles, FIGURES.map((figure) => tile(status, figure)));
    fill(about, `postbackd ${status.Server.Version}, up ${span(status.Server.UptimeSeconds)}, since ${date(status.Server.StartDate)}.`);
  }
  function noAnswer() {
    badge.className = "badge bad";
    fill(badge, "No answer");
  }
  await reload();
  again(AGAIN_MS, () => reload().catch(noAnswer), signal);
  return { title: "Health", node: h("div", null, heading("Health", { beside: badge }), tiles, about, activity("/Operator/Series", context).node) };
}
