/* router.js — from a path to a page.
 *
 * A page module exports `async function page(context)` and gives { title, node }, and `place` where it is not its head that
 * one wants to see.  Its context:
 *   params   the pattern's {…}, decoded            query    URLSearchParams of the address
 *   signal   aborted when the page is left         go(path) to another page
 *   setQuery(values)  changes the address's query without leaving the page ("" takes a name out)
 *   guard(unsaved)    while unsaved() holds, leaving the page asks first
 * Whatever a page starts (requests, timers, watch) ends with its signal; what it does with its context after that
 * does nothing, for another page is shown by then.  A request that it made with its signal never comes back (api.js).
 */
import { LEFT, current, entering, isOperator } from "./api.js";
import { fill, h } from "./dom.js";
import { away } from "./ui/away.js";
import { seenAt } from "./places.js";
import { confirm } from "./ui/dialog.js";

/* The address, the module, the section of the guide that explains it (without one: that of the address above). */
const pages = [
  ["/help", "help"],
  ["/help/{Section}", "help"],
  ["/sign-in", "sign_in", "users-and-sessions"],
  ["/forgotten", "forgotten", "users-and-sessions"],
  ["/invitation", "link", "users-and-sessions"],
  ["/new-password", "link", "users-and-sessions"],
  ["/confirm-address", "link", "users-and-sessions"],
  ["/people", "people", "users-and-sessions"],
  ["/tokens", "tokens", "accounts-tokens-users"],
  ["/audit", "audit", "users-and-sessions"],
  ["/inquiries", "inquiries", "action-inquiries"],
  ["/inquiries/new", "inquiry_new", "action-inquiries"],
  ["/inquiries/import", "inquiry_import", "inquiries-by-csv"],
  ["/inquiries/{Id}", "inquiry", "action-inquiries"],
  ["/rules", "rules", "approval-rules"],
  ["/actions", "actions", "actions"],
  ["/actions/import", "inquiry_import", "actions"],
  ["/actions/{Id}", "action", "actions"],
  ["/terms", "terms", "actions"],
  ["/operator/terms", "terms", "actions"],
  ["/notifications", "notifications", "event-notifications"],
  ["/notifications/new", "notification_edit", "tokens"],
  ["/notifications/{Id}", "notification_edit", "event-notifications"],
  ["/postbacks", "postbacks", "the-log-of-postbacks"],
  ["/postbacks/{Id}", "postback", "what-a-receiver-should-do"],
  ["/jobs", "jobs", "jobs"],
  ["/notices", "notices", "lateness"],
  ["/support", "support", "support"],
  ["/support/{Id}", "support_request", "support"],
  ["/account", "account", "users-and-sessions"],
  ["/operator/accounts", "operator_accounts", "accounts-tokens-users"],
  ["/operator/accounts/{Sid}", "operator_account", "accounts-tokens-users"],
  ["/operator/campaigns", "operator_campaigns", "campaigns"],
  ["/operator/campaigns/{Id}", "operator_campaign", "campaigns"],
  ["/operator/event-types", "operator_event_types", "sending-events"],
  ["/operator/event-types/{Type}", "operator_event_type", "sending-events"],
  ["/operator/support", "support", "support"],
  ["/operator/support/{Id}", "support_request", "support"],
  ["/operator/headers", "operator_headers", "the-request"],
  ["/operator/maintenance", "operator_maintenance", "maintenance"],
  ["/operator/health", "operator_health", "figures-and-alarms"],
  ["/operator/audit", "operator_audit", "accounts-tokens-users"],
];

/* Pages of these addresses alone: in another product's frame there are no others (portal.js). */
let within = null;
export function confine(addresses) { within = addresses; }

/* What is not well encoded names nothing. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/* "/inquiries/" is "/inquiries". */
const trimmed = (path) => path.replace(/\/+$/, "") || "/";

function find(path) {
  const parts = path.split("/").slice(1);
  let best = null;
  if (within && !within.some((one) => path === one || path.startsWith(`${one}/`)))
    return null;
  for (const [pattern, module, help] of pages) {
    const names = pattern.split("/").slice(1), params = {};
    const fits = names.length === parts.length && names.every((name, i) =>
      name.startsWith("{") ? (params[name.slice(1, -1)] = decoded(parts[i])) !== "" : name === parts[i]);
    if (fits && (!best || Object.keys(params).length < Object.keys(best.params).length))
      best = { pattern, module, params, help };
  }
  return best;
}

/* What a tab is about, where that is not what its page is about. */
const tabs = [
  ["/notifications/{Id}?View=deliveries", "pausing-and-replaying"],
  ["/notifications/{Id}?View=security", "verifying-signatures"],
];

/* Where the guide explains the page at `path`, or its tab. */
export function helpFor(path, view = null) {
  const found = find(path), tab = tabs.find(([address]) => view && address === `${found?.pattern}?View=${view}`);
  if (tab || found?.help)
    return `/help/${tab ? tab[1] : found.help}`;
  const above = path.replace(/\/[^/]*$/, "");
  return above ? helpFor(above) : "/help";
}

/* Shown to everybody. */
const open = (path) => ["/sign-in", "/forgotten", "/invitation", "/new-password", "/confirm-address"].includes(path) || /^\/help(\/|$)/.test(path);

const RELOAD_REST_MS = 30000;
let leaving = null; /* AbortController of the page shown */
let place = null;   /* where pages are shown */
let onShown = () => {};
let address = "";   /* of the page shown */
let unsaved = null; /* of the page shown: guard() */

/* Would leaving the page lose something? */
export const isUnsaved = () => Boolean(current() && unsaved?.());

/* Asks if it would. */
export async function mayLeave() {
  if (!isUnsaved())
    return true;
  const leave = await confirm({ title: "Leave without saving?", text: "What you changed on this page is not saved.", action: "Leave", tone: "danger" });
  if (leave)
    unsaved = null;
  return leave;
}

/* The address has changed already: the page's own is put back while it is asked. */
async function back() {
  const to = location.pathname + location.search;
  if (isUnsaved()) {
    history.pushState(null, "", address);
    return go(to);
  }
  return show();
}

export function start(element, shown) {
  place = element;
  onShown = shown;
  window.addEventListener("popstate", back);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    const to = new URL(link.href, location.href);
    if (link.target || link.hasAttribute("download") || to.origin !== location.origin || !/^\/[a-z]*(\/|$)/.test(to.pathname) ||
        to.pathname.startsWith("/assets/") || link.getAttribute("href").startsWith("#"))
      return;
    event.preventDefault();
    go(to.pathname + to.search);
  });
  return show();
}

export async function go(path, { replace = false } = {}) {
  if (!(await mayLeave()))
    return;
  history[replace ? "replaceState" : "pushState"](null, "", path);
  await show();
}

const home = () => (isOperator() ? "/operator/health" : "/inquiries");

function contextOf(params, signal) {
  const alive = (act) => (...given) => (signal.aborted ? undefined : act(...given));
  return {
    params, signal, query: new URLSearchParams(location.search), go: alive(go),
    setQuery: alive((values) => {
      const to = new URL(location.href);
      for (const [name, value] of Object.entries(values)) {
        to.searchParams.delete(name);
        for (const one of Array.isArray(value) ? value : [value])
          if (one !== "" && one !== null && one !== undefined)
            to.searchParams.append(name, one);
      }
      history.replaceState(null, "", address = to.pathname + to.search);
      seenAt(to.pathname, to.search);
    }),
    guard: alive((would) => {
      unsaved = would;
      window.onbeforeunload = (event) => { if (unsaved?.()) event.preventDefault(); };
    }),
  };
}

/* The files of this program that the server has now may be of another version than those that are loaded: all is loaded
 * anew, though not again and again. */
const RELOADED = "reloaded";
function reload() {
  try {
    if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < RELOAD_REST_MS)
      return false;
    sessionStorage.setItem(RELOADED, Date.now());
  } catch {
    return false; /* it could not be told how often */
  }
  location.reload();
  return true;
}

const answers = () => fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok, () => false);

async function moduleOf(name) {
  try {
    return await import(`./pages/${name}.js`);
  } catch (error) {
    console.warn(error);
    throw Object.assign(new Error("The page did not load."), { status: 0, module: true });
  }
}

/* Whether it may be otherwise in a moment: nobody answered, or the server is just starting or full. */
const mayPass = (status) => status === 0 || status === 502 || status === 503 || status === 504;

/* What stands in place of a page that failed. */
function failed(error, signal) {
  const known = error.status === 404 ? "Not found" : "That did not work";
  if (mayPass(error.status))
    return { title: "No answer", node: away({ text: error.message, signal, again: () => (error.module ? location.reload() : show()) }) };
  return {
    title: known,
    node: h("section.card", null, h("h1", null, known), h("p", null, error.message),
      h("div.actions", null, h("button.primary", { type: "button", onclick: show }, "Try again"), h("a.button", { href: "/" }, "Start page"))),
  };
}

/* A second factor comes before all else: the server answers nothing until there is one. */
const mustEnrol = () => current()?.User.MustEnrol === "true";

async function show() {
  leaving?.abort(LEFT);
  const here = leaving = new AbortController();
  if (trimmed(location.pathname) !== location.pathname)
    history.replaceState(null, "", trimmed(location.pathname) + location.search);
  const found = find(location.pathname) ?? (["/", "/operator"].includes(location.pathname) ? {} : null);
  if (found && !current() && !open(location.pathname)) {
    const next = location.pathname === "/" ? "" : `?next=${encodeURIComponent(location.pathname + location.search)}`;
    history.replaceState(null, "", "/sign-in" + next);
  } else if (current() && ["/", "/operator", "/sign-in"].includes(location.pathname)) {
    history.replaceState(null, "", home());
  }
  address = location.pathname + location.search;
  if (current() && found)
    seenAt(location.pathname, location.search);
  unsaved = window.onbeforeunload = null;
  document.querySelectorAll("dialog[open]").forEach((one) => one.close()); /* they are of the page that is left */
  document.documentElement.classList.add("loading");
  let shown;
  try {
    const found = mustEnrol() && !open(location.pathname) ? { module: "enrol", params: {} } : find(location.pathname);
    if (!found)
      throw Object.assign(new Error("There is nothing at this address."), { status: 404 });
    const [{ page }] = await Promise.all([moduleOf(found.module), current() && entering(here.signal)]);
    shown = await page(contextOf(found.params, here.signal));
  } catch (error) {
    if (here.signal.aborted)
      return;
    if (!(error.status >= 0))
      console.error(error);
    if (error.status === 401 && !current() && location.pathname !== "/sign-in")
      return; /* the sign-in is shown */
    if (error.module && navigator.onLine && await answers() && reload())
      return;
    shown = failed(error, here.signal);
  }
  if (here.signal.aborted)
    return;
  document.documentElement.classList.remove("loading");
  document.title = `${shown.title} · postbackd`;
  fill(place, shown.node);
  onShown(shown.title);
  window.scrollTo(0, 0);
  const heading = shown.place ?? place.querySelector("h1");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  shown.place?.scrollIntoView();
}
