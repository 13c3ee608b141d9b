/* notification_edit.js — one event notification: its settings, its deliveries, its security; or a new one. */
import { all, get, mayChange, own, watch } from "../api.js";
import { fill, h } from "../dom.js";
import { activity } from "../ui/activity.js";
import { heading } from "../ui/heading.js";
import { tabs } from "../ui/tabs.js";
import { toast } from "../ui/toast.js";
import { badges, glance, heldReason, path, remove, stateButton, titleOf, trouble } from "./notification/health.js";
import { recover } from "./notification/recover.js";
import { replays } from "./notification/replays.js";
import { settings } from "./notification/settings.js";
import { signing } from "./notification/signing.js";
import { trial } from "./notification/trial.js";

const back = ["Event notifications", "/notifications"];
let toTest = null; /* { id, event }: one that was just added, to be tested once its page is there */

/* ---- a new one ---- */

function choosing(categories) {
  return h("section.card", null, h("h2", null, "Which events?"), h("ul.entries", null, categories.filter((one) => one.EventTypes.length).map((one) =>
    h("li.entry", null, h("h3", null, h("a", { href: `/notifications/new?Category=${encodeURIComponent(one.Key)}` }, one.Name)),
      h("p.muted", null, one.EventTypes.map((type) => type.Meaning).join(" · "))))));
}

function adding(context, categories) {
  const category = categories.find((one) => one.Key === context.query.get("Category"));
  const title = "New event notification";
  if (!mayChange())
    return { title, node: h("div", null, heading(title, { back }), h("p.card", null, "You may read here, and change nothing.")) };
  if (!category)
    return { title, node: h("div", null, heading(title, { back }), choosing(categories)) };
  const test = trial(null, context);
  const part = settings({ context, category, notification: null, tried: test.send, saved: async (id, event) => {
    context.guard(() => false);
    toTest = event ? { id, event } : null;
    toast("Added. Its signing secret is under Security.");
    await context.go(`/notifications/${id}`, { replace: true });
  } });
  context.guard(part.dirty);
  return { title, node: h("div", null, heading(title, { back }), part.node, test.node) };
}

/* ---- one that is there ---- */

/* The head and what changes by itself below it, kept up to date. */
function head(notification, context) {
  const { signal, go } = context;
  const marks = h("div"), does = h("div.actions"), says = h("div");
  const state = { notification, health: null };
  let drawn = null;
  async function refresh() {
    try {
      state.health = await get(path(notification.Id, "/Health"), null, { signal });
      draw();
    } catch (error) {
      if (error.name !== "AbortError")
        toast(error.message, "bad");
    }
  }
  async function drop(event) {
    event.target.disabled = true;
    if (await remove(notification, state.health?.Pending)) {
      if (!signal.aborted) {
        context.guard(() => false);
        go("/notifications");
      }
    } else {
      event.target.disabled = false;
    }
  }
  function draw() {
    const now = state.health?.State ?? notification.State;
    fill(marks, badges(now, state.health));
    fill(says, heldReason(now, state.health?.HeldReason ?? notification.HeldReason), state.health ? [trouble(state.health), glance(state.health)] : null);
    if (drawn === now)
      return;
    drawn = now;
    fill(does, h("a.button", { href: `/postbacks?NotificationId=${notification.Id}` }, "Postbacks"),
      mayChange() ? [h("button", { type: "button", onclick: () => recover({ ...notification, State: now }, state.health, refresh) }, "Recover"), stateButton({ ...notification, State: now }, refresh), h("button.danger", { type: "button", onclick: drop }, "Delete")] : null);
  }
  draw();
  refresh();
  const timer = setInterval(refresh, 30000);
  signal.addEventListener("abort", () => clearInterval(timer));
  const node = h("div", null, heading(titleOf(notification), { back, beside: marks, actions: does }), says);
  function rename() {
    fill(node.querySelector("h1"), titleOf(notification));
    drawn = null;
    draw();
  }
  return { refresh, rename, node };
}

async function deliveries(notification, context) {
  const others = (await all(own("/EventNotifications"), "EventNotifications", context.signal)).filter((one) => one.Id !== notification.Id && one.State !== "DAMAGED");
  const charts = activity(path(notification.Id, "/Series"), context);
  return { node: h("div", null, charts.node, replays(notification, others, context)) };
}

function editing(notification, context, categories, top) {
  const known = categories.find((one) => one.Name === notification.Category);
  const test = trial(notification.Id, context);
  const part = settings({ context, category: known ?? { Name: notification.Category, Key: "", EventTypes: [] }, notification, tried: test.send, saved: () => {
    toast("Saved.");
    top.rename();
  } });
  context.guard(part.dirty);
  if (toTest?.id === notification.Id)
    test.send(toTest.event);
  toTest = null;
  return { node: h("div", null, part.node, test.node) };
}

export async function page(context) {
  const { params, query, signal } = context;
  const { Categories } = await get("/EventCatalog", null, { signal });
  if (!params.Id)
    return adding(context, Categories);
  const notification = await get(path(params.Id), null, { signal });
  const here = `/notifications/${params.Id}`, asked = query.get("View") ?? "";
  const top = head(notification, context);
  const views = {
    "": () => editing(notification, context, Categories, top),
    deliveries: () => deliveries(notification, context),
    security: () => ({ node: signing(notification, context) }),
  };
  const view = Object.hasOwn(views, asked) ? asked : "", part = await views[view]();
  watch(top.refresh, signal);
  return { title: titleOf(notification), node: h("div", null, top.node,
    tabs("Parts", [["Settings", here], ["Deliveries", `${here}?View=deliveries`], ["Security", `${here}?View=security`]], view ? `${here}?View=${view}` : here),
    part.node) };
}
