/* operator_health.js — how the server fares: figures now, and over time. */
import { again, get } from "../api.js";
import { fill, h } from "../dom.js";
import { bytes, counted, date, number, span } from "../format.js";
import { activity } from "../ui/activity.js";
import { heading } from "../ui/heading.js";
import { simpleTable } from "../ui/simple_table.js";

const AGAIN_MS = 2000;

/* [noun, member, words, how it is written, when it is worrying] */
const FIGURES = [
  ["Postbacks", "DeliveredPerSecond", "delivered a second"],
  ["Postbacks", "FailedPerSecond", "failed attempts a second", null, (value) => Number(value) > 0],
  ["Postbacks", "Pending", "pending", number],
  ["Postbacks", "OldestPendingSeconds", "age of the oldest pending", span, (value) => Number(value) > 900],
  ["Notifications", "Failing", "event notifications failing", number, (value) => Number(value) > 0],
  ["Notifications", "Late", "event notifications late", number, (value) => Number(value) > 0],
  ["Lanes", "DestinationsDown", "receivers down", number, (value) => Number(value) > 0],
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

/* Servers that share the database; of one that has it alone there is no list. */
const NODES = [
  ["Name", (one) => one.Name],
  ["Address", (one) => one.Address],
  ["Version", (one) => one.Version],
  ["Since", (one) => date(one.JoinDate)],
  ["State", (one) => (one.State === "DEAD" ? "Dead" : one.Draining === "true" ? "Draining" : "Live")],
  ["Buckets", (one) => `${number(one.Buckets)}${one.Duty === "true" ? ", and what is done once" : ""}`],
  ["Last heartbeat", (one) => date(one.HeartbeatDate)],
  ["Clock offset", (one) => `${number(one.ClockOffsetMilliseconds)} ms`],
];

const nodesTable = (nodes) => (nodes.length ? [h("h2", null, "Nodes"), simpleTable("Nodes", nodes, NODES, "")] : []);

function tile(status, [noun, member, words, write, worrying]) {
  const value = status[noun][member];
  return h("div.tile", { class: value !== "" && worrying?.(value, status) ? "worrying" : null }, h("strong", null, value === "" ? "—" : write ? write(value) : value), h("span", null, words));
}

/* How it fares, the worst first: [words, tone]…; "Well" when nothing is wrong. */
function says({ Store, Server, Notifications, Lanes, Maintenance }) {
  const some = (count, words, tone) => (Number(count) > 0 ? [words(Number(count)), tone] : null);
  const pause = {
    STARTING: ["Maintenance is starting", "warn"], ON: ["Maintenance: postbacks are paused", "warn"], ENDING: ["Maintenance is ending", "warn"],
    CATCHING_UP: ["Catching up after maintenance", "warn"], SCHEDULED: [`Maintenance is planned from ${date(Maintenance.StartDate)}`, "quiet"],
  }[Maintenance.State];
  const found = [
    Store.Writable === "true" ? null : ["The store cannot be written to", "bad"],
    Server.Ready === "true" ? null : ["Not ready", "bad"],
    some(Notifications.Failing, (count) => `${number(count)} failing`, "bad"),
    some(Lanes.DestinationsDown, (count) => `${counted(count, "receiver")} down`, "bad"),
    some(Notifications.Alarmed, (count) => `${number(count)} far too late`, "bad"),
    some(Number(Notifications.Late) - Number(Notifications.Alarmed), (count) => `${number(count)} late`, "warn"),
    Number(Store.DiskFreeBytes) < Number(Store.DiskBytes) / 20 ? ["The disk is nearly full", "bad"] : null,
  ].filter(Boolean);
  return [...(found.length || (pause && Maintenance.State !== "SCHEDULED") ? found : [["Well", "good"]]), ...(pause ? [pause] : [])];
}

export async function page(context) {
  const { signal } = context;
  const badges = h("span.badges", { role: "status" }), tiles = h("div.tiles"), about = h("p.muted"), nodes = h("section");
  let shown = "";
  function show(now) { /* what is the same is not said again */
    if (JSON.stringify(now) !== shown)
      fill(badges, now.map(([words, tone]) => h("span.badge", { class: tone }, words)));
    shown = JSON.stringify(now);
  }
  async function reload() {
    const [status, shared] = await Promise.all([get("/Operator/Status", null, { signal }), get("/Operator/Nodes", null, { signal })]), now = says(status);
    show(now);
    fill(tiles, FIGURES.map((figure) => tile(status, figure)));
    fill(about, `postbackd ${status.Server.Version}, up ${span(status.Server.UptimeSeconds)}, since ${date(status.Server.StartDate)}.`);
    fill(nodes, nodesTable(shared.Nodes));
  }
  const noAnswer = () => show([["No answer", "bad"]]);
  await reload();
  again(AGAIN_MS, () => reload().catch(noAnswer), signal);
  return { title: "Health", node: h("div", null, heading("Health", { beside: badges }), tiles, about, nodes, activity("/Operator/Series", context).node) };
}
