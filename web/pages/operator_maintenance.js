/* operator_maintenance.js — pause all postbacks, now or at a date; end it; watch the catch-up. */
import { again, get, mayChange, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date, instant, number, zone } from "../format.js";
import { look } from "../shell.js";
import { confirm } from "../ui/dialog.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { progress } from "../ui/progress.js";
import { toast } from "../ui/toast.js";

const URI = "/Operator/Maintenance", WATCH_MS = 1000;
const SAYS = {
  OFF: ["Postbacks go out", "good"], SCHEDULED: ["Planned", "warn"], STARTING: ["Starting", "warn"], ON: ["Postbacks are paused", "warn"],
  ENDING: ["Ending", "warn"], CATCHING_UP: ["Catching up", "warn"],
};

function starting(done) {
  return form({
    action: "Pause postbacks",
    fields: [
      { name: "Message", label: "Message to the accounts", kind: "textarea", maxlength: 1000, rows: 3 },
      { name: "StartDate", label: "From", kind: "datetime", hint: `Empty: now. Times of ${zone()}; each account reads its own.` },
      { name: "ExpectedEndDate", label: "Expected end", kind: "datetime", hint: "Told to the accounts; nothing ends by itself.",
        check: (value, values) => (values.StartDate && value <= values.StartDate ? "It must be after the start." : "") },
    ],
    submit: async (values) => {
      if (!await confirm({ title: "Pause all postbacks?", text: "Accounts are told. Events are still taken in; their postbacks wait and go out when the maintenance ends.", action: "Pause", tone: "danger" }))
        return;
      await post(URI, { Message: values.Message || undefined, StartDate: instant(values.StartDate), ExpectedEndDate: instant(values.ExpectedEndDate) });
      toast(values.StartDate ? "The maintenance is planned." : "The maintenance has begun.");
      await done();
    },
  }).node;
}

export async function page({ signal }) {
  const state = h("section.card"), start = h("section.card", null, h("h2", null, "Start or plan one")), badge = h("span.badge");
  let sheet = null;

  async function end(scheduled) {
    try {
      await post(`${URI}/End`);
      toast(scheduled ? "It is cancelled." : "Postbacks go out again.");
    } catch (error) {
      toast(error.message, "bad");
    }
    await reload();
    look();
  }
  function draw(now) {
    const [words, tone] = SAYS[now.State], up = now.CatchUp, scheduled = now.State === "SCHEDULED";
    badge.className = `badge ${tone}`;
    fill(badge, words);
    fill(state, facts([
      ["Message", now.Message], ["From", now.State !== "OFF" && date(now.StartDate)], ["Expected end", now.State !== "OFF" && date(now.ExpectedEndDate)],
      ["Paused since", ["ON", "ENDING"].includes(now.State) && date(now.StartedDate)], ["Ended", now.State === "OFF" || now.State === "CATCHING_UP" ? date(now.EndDate) : ""],
      ["Postbacks waiting", number(now.Waiting)],
    ].map(([name, value]) => [name, value || ""])),
    now.State === "CATCHING_UP" ? h("div", null, progress(Number(up.Done), Number(up.Total), "Catching up"), facts([
      ["Done", `${number(up.Done)} of ${number(up.Total)}`], ["Left", number(up.Left)], ["A second", up.Rate], ["Expected end", date(up.ExpectedEnd)], ["Waiting for receivers that are down", number(up.WaitingForReceivers)]])) : null,
    mayChange() && ["ON", "SCHEDULED", "STARTING"].includes(now.State) ? h("div.actions", null, h("button.primary", { type: "button", onclick: () => end(scheduled) }, scheduled ? "Cancel it" : "End the maintenance")) : null);
    start.hidden = !mayChange() || now.State !== "OFF";
    if (!start.hidden && !sheet)
      start.append(sheet = starting(reload));
  }
  async function reload() {
    draw(await get(URI, null, { signal }));
  }
  await reload();
  again(WATCH_MS, () => reload().catch(() => { /* the next may tell */ }), signal);
  return { title: "Maintenance", node: h("div", null, heading("Maintenance", { beside: badge }), state, start) };
}
