/* portal.js — an account's event notifications and postbacks inside another product's page.
 *
 * The address has a code behind "#", which no browser sends to anybody.  It is exchanged once for a token, which lives in
 * this page's memory: a cookie of ours would be a third party's here, and browsers keep those back.
 */
import { asGuest, post, use, whenSignedOut } from "./api.js";
import { fill, h } from "./dom.js";
import { confine, start } from "./router.js";
import { keepFocus } from "./ui/focus.js";
import { toastPlace } from "./ui/toast.js";

const SECTIONS = [["Event notifications", "/notifications"], ["Postbacks", "/postbacks"]];

const name = h("strong"), nav = h("nav", { "aria-label": "Sections" }), announcer = h("div.away", { "aria-live": "polite" });
const main = h("main", { id: "main", tabindex: "-1" });
fill(document.body, h("header.portal-head", null, name, nav), main, toastPlace, announcer);

function ended(text) {
  document.title = "Ended";
  fill(nav);
  fill(main, h("section.card", null, h("h1", null, "This page has ended"), h("p", { role: "alert" }, text)));
}

/* Its colour is checked for white; in the dark ours stays. */
function dress({ Name, Color }) {
  name.textContent = Name;
  if (!Color)
    return;
  document.documentElement.style.setProperty("--brand", Color);
  if (!matchMedia("(prefers-color-scheme: dark)").matches)
    document.documentElement.style.setProperty("--accent", Color);
}

function shown(title) {
  fill(announcer, title);
  fill(nav, SECTIONS.map(([words, path]) =>
    h("a", { href: path, "aria-current": location.pathname.startsWith(path) ? "page" : null }, words)));
}

async function enter(code) {
  const portal = await post("/Portal", { Code: code }, { quiet: true });
  asGuest({ sid: portal.Sid, token: portal.Token });
  use({ User: { Id: "", Name: "Portal", Email: "", Role: portal.ReadOnly === "true" ? "READ_ONLY" : "USER" },
    Account: { Sid: portal.Sid, Kind: portal.Kind, Name: portal.Brand.Name } });
  dress(portal.Brand);
  whenSignedOut(() => {
    ended(`Its hour is over. Open it again from ${portal.Brand.Name}.`);
    return true;
  });
  keepFocus(main);
  confine(SECTIONS.map(([, path]) => path));
  history.replaceState(null, "", "/notifications");
  await start(main, shown);
}

const code = location.hash.slice(1);
history.replaceState(null, "", "/portal");
enter(code).catch((error) => ended(error.message));
