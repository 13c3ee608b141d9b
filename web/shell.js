/* shell.js — the frame around every page: navigation, bell, account, the maintenance banner. */
import { current, del, get, isAdmin, isBrand, isOperator, mayChange, own, use } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { date, zone } from "./format.js";
import { forgetPlaces } from "./places.js";
import { go, helpFor, mayLeave } from "./router.js";
import { lookBanner } from "./ui/look.js";
import { progress } from "./ui/progress.js";
import { settle, toast, toastPlace } from "./ui/toast.js";

const sections = () => {
  if (isOperator())
    return [
      ["Health", "/operator/health"], ["Maintenance", "/operator/maintenance"], ["Accounts", "/operator/accounts"],
      ["Campaigns", "/operator/campaigns"], ["Terms", "/operator/terms"], ["Event types", "/operator/event-types"],
      ["Custom headers", "/operator/headers"], ["Support", "/operator/support"], ["Audit log", "/operator/audit"],
    ];
  return [
    ["Inquiries", "/inquiries"], ["Actions", "/actions"], ["Terms", "/terms"], ...(isBrand() ? [["Approval rules", "/rules"]] : []),
    ["Event notifications", "/notifications"], ["Postbacks", "/postbacks"],
    ["Downloads and imports", "/jobs"], ["Support", "/support"],
    ...(isAdmin() ? [["People", "/people"], ["Tokens", "/tokens"]] : []), ["Audit log", "/audit"],
  ];
};

/* Pages that the side does not have. */
const further = () => [
  ...(isOperator() ? [] : [["Notices", "/notices"]]), ["Password and profile", "/account"],
  ...(isOperator() || !mayChange() ? [] : [
    [isBrand() ? "Bulk processing" : "Import inquiries", "/inquiries/import"],
    ...(isBrand() ? [] : [["New inquiry", "/inquiries/new"]]), ["New event notification", "/notifications/new"]]),
  ["Help", "/help"],
];

/* ---- to find something, and to have it explained ---- */

const helpLink = h("a.button.plain.help-link", { target: "_blank", rel: "noopener", "aria-label": "Help with this page, in a new tab" }, icon("help"), h("span", null, "Help"));

async function openPalette() {
  if (!current() || document.querySelector("dialog[open]"))
    return;
  const { palette } = await import("./ui/palette.js");
  palette([...sections(), ...further()], go);
}
const apple = /Mac|iP(hone|ad)/.test(navigator.platform);
const paletteButton = h("button.find", { type: "button", "aria-label": "Find", "aria-keyshortcuts": apple ? "Meta+K" : "Control+K", onclick: openPalette },
  icon("search"), h("span", null, "Find"), h("kbd", { "aria-hidden": "true" }, apple ? "⌘K" : "Ctrl K"));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k")
    return;
  event.preventDefault();
  openPalette();
});

const header = h("header.top"), nav = h("nav.side", { id: "sections", "aria-label": "Sections" });
const bannerSays = h("p", { role: "status" }), bannerBar = h("div"), bannerAway = h("button.plain", { type: "button", "aria-label": "Put this message away" }, icon("close"));
const banner = h("aside.banner", { "aria-label": "Maintenance", hidden: true }, h("div.banner-line", null, bannerSays, h("span.gap"), bannerAway), bannerBar);
const announcer = h("div.away", { "aria-live": "polite" });
const main = h("main", { id: "main", tabindex: "-1" }), zoneLine = h("footer.zone-line.hint");
let unread = 0;

/* Lays the frame into the body; the element where pages go. */
export function frame(body) {
  fill(body,
    h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the content"),
    header, nav, h("div.stage", null, lookBanner(), banner, main, zoneLine), toastPlace, announcer);
  return main;
}

const announce = (text) => fill(announcer, text);

/* After a page was shown; `changed`: somebody else is signed in, or nobody. */
export function refresh(changed = false) {
  announce(document.title);
  const session = current();
  document.body.classList.toggle("signed-out", !session);
  closeMenu();
  if (changed || !header.firstChild || !session)
    session ? drawHeader(session) : fill(header, h("a.brand", { href: "/" }, "postbackd"), h("span.gap"),
      helpLink, location.pathname === "/sign-in" ? null : h("a.button.plain", { href: "/" }, "Sign in"));
  helpLink.href = helpFor(location.pathname, new URLSearchParams(location.search).get("View"));
  fill(nav, session ? h("ul", null, sections().map(([title, path]) => {
    const here = location.pathname === path || location.pathname.startsWith(`${path}/`);
    return h("li", null, h("a", { href: path, "aria-current": here ? "page" : null }, title), countOf(path));
  })) : null);
  fill(zoneLine, session ? [`Times are those of ${zone()}. `, session.User.Id ? h("a", { href: "/account" }, "Change") : null] : null);
  look();
}

/* ---- the numbers beside the menu ---- */

const MENU = { "/inquiries": ["PendingInquiries", "not decided"], "/notifications": ["FailingNotifications", "failing"] };
const counts = new Map(Object.keys(MENU).map((path) => [path, h("span")]));
const countOf = (path) => counts.get(path) ?? null;

function drawCounts(now) {
  for (const [path, [name, words]] of Object.entries(MENU)) {
    const count = Number(now?.[name] ?? 0), text = count > 999 ? "999+" : String(count);
    fill(counts.get(path), count ? h("span.menu-count", { class: path === "/notifications" ? "bad" : null, role: "img", "aria-label": `${text} ${words}`, title: `${text} ${words}` }, text) : null);
  }
}

/* ---- header ---- */

const menuButton = h("button.plain.menu", { type: "button", "aria-expanded": "false", "aria-controls": "sections", "aria-label": "Sections", onclick: () => {
  const open = document.body.classList.toggle("menu-open");
  menuButton.setAttribute("aria-expanded", String(open));
} }, icon("menu"));

function closeMenu() {
  document.body.classList.remove("menu-open");
  menuButton.setAttribute("aria-expanded", "false");
}

const bell = h("a.bell", { href: "/notices" });
function drawBell() {
  bell.setAttribute("aria-label", unread ? `Notices, ${unread} not read` : "Notices");
  fill(bell, icon("bell"), unread ? h("span.count", { "aria-hidden": "true" }, unread > 99 ? "99+" : String(unread)) : null);
}

async function signOut() {
  if (!(await mayLeave()))
    return;
  await settle(); /* what is being closed or deleted needs the session */
  try {
    await del("/Session", { quiet: true });
  } catch (error) {
    if (error.status !== 401)
      return toast(`You are still signed in. ${error.message}`, "bad");
  }
  use(null);
  forgetPlaces();
  return go("/sign-in", { replace: true });
}

function drawHeader(session) {
  drawBell();
  fill(header, menuButton, h("a.brand", { href: "/" }, "postbackd"),
    h("span.account", null, session.Account.Name),
    h("span.gap"), paletteButton, helpLink, bell,
    h("details.person", null,
      h("summary", { "aria-label": `Account of ${session.User.Name || session.User.Email}` }, icon("user"), h("span", null, session.User.Name || session.User.Email)),
      h("div.pop", null,
        h("p.muted", null, session.User.Email),
        h("a", { href: "/account" }, "Password and profile"),
        h("button.plain", { type: "button", onclick: signOut }, "Sign out"))));
}

document.addEventListener("click", (event) => { /* pop-ups close when one clicks elsewhere */
  for (const open of document.querySelectorAll("details.person[open], details.choose[open]"))
    if (!open.contains(event.target) || event.target.closest("a"))
      open.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape")
    return;
  closeMenu();
  const open = document.querySelector("details.person[open], details.choose[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

/* ---- what the server says to everybody: notices not read, maintenance ---- */

let looks = 0, looking = null;
export async function look() {
  const mine = ++looks, session = current(), late = () => mine !== looks || session !== current();
  clearTimeout(looking);
  if (!session) {
    banner.hidden = true;
    return;
  }
  try {
    const [notices, maintenance, now] = await Promise.all([get(own("/Notices"), { PageSize: 1 }), get(own("/Maintenance")), isOperator() ? null : get(own("/Counts"))]);
    if (late())
      return;
    unread = Number(notices.Unread);
    drawBell();
    drawCounts(now);
    drawMaintenance(maintenance);
  } catch {
    /* the next look may tell; the page itself shows what fails */
  }
  if (!late())
    looking = setTimeout(look, banner.hidden ? 30000 : 3000);
}

/* Whom it concerns: a planned one in its last three days; a catch-up those who have something waiting. */
const NEAR_MS = 3 * 86400000;
const concerns = (now) => ({
  SCHEDULED: new Date(now.StartDate) - Date.now() < NEAR_MS, STARTING: true, ON: true, ENDING: true, CATCHING_UP: Number(now.Waiting) > 0,
}[now.State] ?? false);

/* One that was put away stays so until there is something else to say. */
let put = null;
const told = () => put ?? (() => { try { return localStorage.getItem("banner.away"); } catch { return null; } })();
function putAway(which) {
  put = which;
  try {
    localStorage.setItem("banner.away", which);
  } catch { /* then until the page is loaded anew */ }
  banner.hidden = true;
}

function drawMaintenance(now) {
  const which = `${now.Id} ${now.State === "STARTING" ? "ON" : now.State} ${now.StartDate} ${now.ExpectedEndDate} ${now.Message}`;
  banner.hidden = !concerns(now) || told() === which;
  if (banner.hidden)
    return;
  bannerAway.onclick = () => putAway(which);
  const what = {
    SCHEDULED: `Maintenance is planned from ${date(now.StartDate)}: postbacks will wait and go out afterwards.`,
    STARTING: "Maintenance is starting: postbacks wait.",
    ON: `Maintenance${now.ExpectedEndDate ? ` until about ${date(now.ExpectedEndDate)}` : ""}: events are taken in, postbacks wait and go out afterwards.`,
    ENDING: "Maintenance is ending.",
    CATCHING_UP: "Maintenance is over: the postbacks that waited are going out.",
  }[now.State];
  const message = now.Message ? ` ${now.Message}` : "";
  if (bannerSays.textContent !== what + message) /* what is the same is not said again */
    fill(bannerSays, h("strong", null, what), message);
  fill(bannerBar, now.State === "CATCHING_UP" ? progress(Number(now.CatchUp.Percent), 100, "Catching up") : null);
}
