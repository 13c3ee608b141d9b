/* notifications.js — Settings: Event Notifications.  A heading for each category, its notifications below with
 * their health, which follows what happens. */
import { all, get, mayChange, own, watch } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { heading } from "../ui/heading.js";
import { badges, glance, heldReason, path, remove, stateButton, titleOf } from "./notification/health.js";

const SHOWN = 10; /* of a category, until all are asked for */
const AT_ONCE = 4;
const RENEW_MS = 30000;

/* One notification's entry: { node, refresh() }. */
function entry(given, { signal }, gone) {
  const state = { notification: given, health: null };
  const marks = h("div"), held = h("div"), fares = h("div"), does = h("div");
  let drawn = null;
  async function refresh() {
    if (given.State === "DAMAGED" || node.hidden)
      return;
    try {
      state.health = await get(path(given.Id, "/Health"), null, { signal });
      state.notification = { ...state.notification, State: state.health.State, HeldReason: state.health.HeldReason };
      draw();
    } catch (error) {
      if (error.status === 404) /* deleted somewhere else */
        gone();
    }
  }
  async function drop() {
    node.hidden = true;
    if (await remove(state.notification, state.health?.Pending))
      return gone();
    node.hidden = false;
    await refresh();
  }
  function buttons() {
    if (!mayChange())
      return null;
    return h("div.actions", null,
      given.State === "DAMAGED" ? null : stateButton(state.notification, refresh, "button.small"),
      h("button.small.danger", { type: "button", "aria-label": `Delete ${titleOf(given)}`, onclick: drop }, "Delete"));
  }
  /* The buttons are made anew only when they are others: they may have the focus. */
  function draw() {
    const { notification, health } = state;
    fill(marks, badges(notification.State, health));
    fill(held, heldReason(notification.State, notification.HeldReason));
    fill(fares, health ? glance(health) : null);
    if (drawn !== notification.State)
      fill(does, buttons());
    drawn = notification.State;
  }
  const node = h("li.entry", null,
    h("div.entry-head", null, h("h3", null, h("a", { href: `/notifications/${given.Id}` }, titleOf(given))), marks, h("span.gap"), does),
    given.State === "DAMAGED" ? h("p", null, "Its settings cannot be read any more. Ask the support, or delete it and add it anew.")
      : h("p.address.code", null, `${given.Method} ${given.Url}`),
    held, fares);
  draw();
  return { node, refresh };
}

function section(category, notifications, context) {
  const entries = new Map();
  const place = h("ul.entries");
  const more = h("button.plain", { type: "button", onclick: () => show(notifications.length) });
  const none = h("p.muted", null, "None yet.");
  function tidy() {
    none.hidden = notifications.length > 0;
    more.hidden = notifications.length <= Math.max(SHOWN, entries.size);
    fill(more, `Show all ${notifications.length}`);
  }
  function show(count) {
    const fresh = notifications.slice(0, count).filter((one) => !entries.has(one.Id)).map((one) => {
      const made = entry(one, context, () => {
        if (!entries.delete(one.Id)) /* it was told already */
          return;
        notifications.splice(notifications.indexOf(one), 1);
        made.node.remove();
        tidy();
      });
      entries.set(one.Id, made);
      place.append(made.node);
      return made;
    });
    tidy();
    return inTurn(fresh);
  }
  const ready = show(SHOWN);
  return {
    ready, refresh: () => inTurn([...entries.values()]),
    node: h("section.card", { "aria-label": category.Name }, h("div.card-head", null, h("h2", null, category.Name), none, h("span.gap"),
      mayChange() && category.Key ? h("a.button.small", { href: `/notifications/new?Category=${encodeURIComponent(category.Key)}`, "aria-label": `Add in ${category.Name}` }, icon("plus"), "Add") : null),
    place, more),
  };
}

/* A few requests at a time. */
async function inTurn(entries) {
  const left = [...entries];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left.length)
      await left.shift().refresh();
  }));
}

/* Once more when something happened meanwhile; never two rounds at a time. */
function follow(sections, signal) {
  let running = false, again = false;
  async function round() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      for (const one of sections)
        await one.refresh();
    } while (again && !signal.aborted);
    running = false;
  }
  watch(round, signal);
  const timer = setInterval(round, RENEW_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

export async function page(context) {
  const { signal } = context;
  const [catalog, every] = await Promise.all([get("/EventCatalog", null, { signal }), all(own("/EventNotifications"), "EventNotifications", signal)]);
  const known = new Set(catalog.Categories.map((one) => one.Name));
  const groups = catalog.Categories.map((category) => [category, every.filter((one) => one.Category === category.Name)])
    .filter(([category, its]) => category.EventTypes.length || its.length);
  const others = every.filter((one) => !known.has(one.Category));
  const sections = groups.map(([category, its]) => section(category, its, context));
  const damaged = others.length ? section({ Name: "Not readable", Key: "" }, others, context) : null;
  Promise.all(sections.map((one) => one.ready)).then(() => { if (!signal.aborted) follow(sections, signal); });
  return { title: "Event notifications", node: h("div", null,
    heading("Event notifications"),
    h("p.muted.lead", null, "Which events are sent to which of your URLs, and in what shape."),
    sections.map((one) => one.node), damaged?.node) };
}
