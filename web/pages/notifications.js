/* notifications.js — Settings: Event Notifications.  A heading for each category, its notifications below with
 * their health, which follows what happens; searched, and only the failing ones.  Where there is none yet, the way to
 * the first delivered test. */
import { all, get, mayChange, own, watch } from "../api.js";
import { fill, h, icon, unique } from "../dom.js";
import { heading } from "../ui/heading.js";
import { badges, glance, heldReason, path, remove, stateButton, titleOf, trouble } from "./notification/health.js";
import { recover } from "./notification/recover.js";

const SHOWN = 10; /* of a category, until all are asked for */
const AT_ONCE = 4;
const RENEW_MS = 30000;

/* One notification's entry: { node, refresh() }. */
function entry(given, { signal }, gone) {
  const state = { notification: given, health: null };
  const marks = h("div"), held = h("div"), why = h("div"), fares = h("div"), does = h("div");
  const lost = () => state.health && (state.health.Failing === "true" || state.health.State === "HELD");
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
      lost() ? h("button.small", { type: "button", "aria-label": `Recover ${titleOf(given)}`, onclick: () => recover(state.notification, state.health, refresh) }, "Recover") : null,
      given.State === "DAMAGED" ? null : stateButton(state.notification, refresh, "button.small"),
      h("button.small.danger", { type: "button", "aria-label": `Delete ${titleOf(given)}`, onclick: drop }, "Delete"));
  }
  /* The buttons are made anew only when they are others: they may have the focus. */
  function draw() {
    const { notification, health } = state;
    fill(marks, badges(notification.State, health));
    fill(held, heldReason(notification.State, notification.HeldReason));
    fill(why, health ? trouble(health) : null);
    fill(fares, health ? glance(health) : null);
    const now = `${notification.State} ${lost()}`;
    if (drawn !== now)
      fill(does, buttons());
    drawn = now;
  }
  const node = h("li.entry", null,
    h("div.entry-head", null, h("h3", null, h("a", { href: `/notifications/${given.Id}` }, titleOf(given))), marks, h("span.gap"), does),
    given.State === "DAMAGED" ? h("p", null, "Its settings cannot be read any more. Ask the support, or delete it and add it anew.")
      : h("p.address.code", null, `${given.Method} ${given.Url}`),
    held, why, fares);
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

/* ---- none yet ---- */

function welcome() {
  const steps = [["Add", "an event notification."], ["Choose", "which events you want to hear of."], ["Type the URL", "of your receiver; the request is shown as you type."],
    ["Add and send test", "really sends one, and shows what your receiver answers."]];
  return h("section.card.welcome", { "aria-label": "Your first event notification" },
    h("h2", null, "No event notifications yet"),
    h("p", null, "An event notification sends what happens to a URL of yours. Four steps to the first delivered test:"),
    h("ol.steps", null, steps.map(([what, then]) => h("li", null, h("strong", null, what), ` ${then}`))),
    mayChange() ? h("div.actions", null, h("a.button.primary", { href: "/notifications/new" }, icon("plus"), "Add your first event notification")) : null);
}

/* ---- the filter ---- */

const holds = (text, part) => (text ?? "").toLowerCase().includes(part.toLowerCase());

function filter({ query, setQuery, signal }, changed) {
  const id = unique("search"), boxId = unique("failing");
  const search = h("input", { id, type: "search", value: query.get("Search") ?? "", autocomplete: "off", placeholder: "Name or URL" });
  const failing = h("input", { id: boxId, type: "checkbox", checked: query.get("Failing") === "true" });
  let timer = null;
  const values = () => ({ Search: search.value.trim(), Failing: failing.checked ? "true" : "" });
  function now() {
    clearTimeout(timer);
    setQuery(values());
    changed(values());
  }
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(now, 200);
  });
  failing.addEventListener("change", now);
  signal.addEventListener("abort", () => clearTimeout(timer));
  return { values, node: h("form.filters", { role: "search", "aria-label": "Filter", onsubmit: (event) => { event.preventDefault(); now(); } },
    h("div.field", null, h("label", { for: id }, "Search"), search),
    h("label.check", { for: boxId }, failing, h("span", null, "Only failing"))) };
}

/* ---- the page ---- */

/* The categories with these notifications below; with `whole`, the empty ones too. */
function sectionsOf(categories, these, whole, context) {
  const known = new Set(categories.map((one) => one.Name));
  const sections = categories.map((category) => [category, these.filter((one) => one.Category === category.Name)])
    .filter(([category, its]) => its.length || (whole && category.EventTypes.length))
    .map(([category, its]) => section(category, its, context));
  const others = these.filter((one) => !known.has(one.Category));
  return { sections, nodes: [sections.map((one) => one.node), others.length ? section({ Name: "Not readable", Key: "" }, others, context).node : null] };
}

export async function page(context) {
  const { signal } = context;
  const [{ Categories }, every] = await Promise.all([get("/EventCatalog", null, { signal }), all(own("/EventNotifications"), "EventNotifications", signal)]);
  const place = h("div"), says = h("p.muted", { role: "status" });
  let shown = null;
  async function show({ Search, Failing }) {
    shown?.abort();
    const mine = shown = new AbortController(), both = AbortSignal.any([signal, mine.signal]);
    let these = every.filter((one) => !Search || holds(one.Name, Search) || holds(one.Url, Search));
    if (Failing) {
      place.setAttribute("aria-busy", "true");
      const failing = await all(own("/EventNotifications"), "EventNotifications", both, { Failing }).catch(() => null);
      if (both.aborted)
        return;
      const ids = new Set((failing ?? every).map((one) => one.Id));
      these = these.filter((one) => ids.has(one.Id));
    }
    place.removeAttribute("aria-busy");
    const { sections, nodes } = sectionsOf(Categories, these, !Search && !Failing, { ...context, signal: both });
    fill(says, (Search || Failing) && !these.length ? (Failing && !Search ? "None is failing." : "None of them is like that.") : null);
    fill(place, nodes);
    Promise.all(sections.map((one) => one.ready)).then(() => { if (!both.aborted) follow(sections, both); });
  }
  const bar = filter(context, show);
  await show(bar.values());
  return { title: "Event notifications", node: h("div", null,
    heading("Event notifications", { actions: mayChange() && every.length ? [h("a.button.primary", { href: "/notifications/new" }, icon("plus"), "Add")] : [] }),
    h("p.muted.lead", null, "Which events are sent to which of your URLs, and in what shape."),
    every.length ? [bar.node, says] : welcome(), place) };
}
