/* look.js — the operator looks into an account: its pages as they are, read-only, with a banner that leads back.
 *
 * A look is of one tab: its token is in the tab's own storage, and goes with each call in place of the cookie.
 */
import { asGuest, authorization, del, get, post, use } from "../api.js";
import { h } from "../dom.js";
import { forgetPlaces } from "../places.js";

const KEY = "look";

export const looking = () => {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
};

/* `to`: the page of the account that is shown first. */
export async function lookInto(sid, to = "/") {
  const look = await post(`/Operator/Accounts/${sid}/Looks`, {});
  sessionStorage.setItem(KEY, JSON.stringify(look));
  forgetPlaces();
  location.assign(to);
}

/* At the start: whether this tab looks into an account. */
export function takeUpLook() {
  const look = looking();
  if (!look)
    return false;
  asGuest({ sid: look.Sid, token: look.Token });
  use({ User: { Id: "", Name: "Operator", Email: "", Role: "READ_ONLY" }, Account: { Sid: look.Sid, Kind: look.Kind, Name: look.Name } });
  document.body.classList.add("looking");
  document.addEventListener("click", download, true);
  return true;
}

export async function leaveLook({ ended = false } = {}) {
  const look = looking();
  sessionStorage.removeItem(KEY);
  forgetPlaces();
  asGuest(null);
  try {
    use(await get("/Session", null, { quiet: true }));
    if (!ended)
      await del(look.Uri, { quiet: true });
  } catch { /* it ends by itself */ }
  window.onbeforeunload = null;
  location.assign(`/operator/accounts/${look.Sid}`);
}

/* A link to a file has no header: the file is fetched, and then saved. */
async function download(event) {
  const link = event.target.closest?.("a[download][href^='/']");
  if (!link)
    return;
  event.preventDefault();
  event.stopPropagation();
  const answer = await fetch(link.getAttribute("href"), { headers: { Authorization: authorization() }, credentials: "omit" });
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  const address = URL.createObjectURL(await answer.blob());
  h("a", { href: address, download: named?.[1] ?? link.download ?? "" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

export function lookBanner() {
  const look = looking();
  return look && h("aside.banner.look", { "aria-label": "Looking into an account" }, h("div.banner-line", null,
    h("p", null, h("strong", null, `You look into ${look.Name}.`), " You see its pages and change nothing. It is in the account's audit log."),
    h("span.gap"), h("button", { type: "button", onclick: () => leaveLook() }, "Leave")));
}
