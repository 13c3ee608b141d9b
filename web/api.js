/* api.js — the API that every client uses, called with the browser's session.
 *
 * get/post/put/del give the answer's JSON, or throw an ApiError with the answer's message and its
 * wrong fields.  own("/Postbacks") is the path of the signed-in account's resource.
 * again and watch call back until a signal is aborted.
 * A call whose page was left never comes back: nobody waits for it, so there is nothing to tell and nothing to draw.
 * One that is given up on the page that stays (signal aborted otherwise) throws an AbortError.
 */
import { speak } from "./format.js";

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.Message || (status ? `The server answered ${status}.` : "The server cannot be reached."));
    this.status = status; /* 0: no answer */
    this.errors = body?.Errors ?? []; /* [{ Field, Message }] */
    this.body = body;
  }
}

/* The reason of the signal of a page that is left. */
export const LEFT = new DOMException("The page was left.", "AbortError");

const roots = { PARTNER: "/Mediapartners/", BRAND: "/Advertisers/" };
let session = null;
let onSignedOut = () => false;

/* The session in force: the answer of GET /Session, or null. */
export const current = () => session;
export function use(value) {
  session = value;
  speak(value?.User);
}
/* The callback is told that the session has ended; it gives whether the page stays, for what is typed in it. */
export function whenSignedOut(callback) { onSignedOut = callback; }

/* { sid, token } of who is let into an account for a while, in place of the cookie (ui/look.js, portal.js); null: nobody. */
let guest = null;
export function asGuest(value) { guest = value; }
/* In another product's frame, where there are no jobs and no views (portal.js). */
export const inPortal = () => document.body.classList.contains("portal");
export const authorization = () => (guest ? `Basic ${btoa(`${guest.sid}:${guest.token}`)}` : "");

export const isOperator = () => session?.Account.Kind === "OPERATOR";
export const isBrand = () => session?.Account.Kind === "BRAND";
export const isPartner = () => session?.Account.Kind === "PARTNER";
export const mayChange = () => ["USER", "ADMIN"].includes(session?.User.Role);
export const isAdmin = () => session?.User.Role === "ADMIN";

export function own(path) {
  return isOperator() ? `/Operator${path}` : roots[session.Account.Kind] + session.Account.Sid + path;
}

/* "?a=1&b=2" of the members that have a value; "" when none has. */
export function query(values) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(values ?? {}))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== null && one !== "")
        pairs.append(name, one);
  const text = pairs.toString();
  return text && `?${text}`;
}

/* Whoever signs in again in another tab changes the cookie for this one too: the same person goes on with that session,
 * so that nothing typed here is lost; nobody works in another's.  Whether a call with the refused token is worth sending
 * again: also when another call found out first. */
async function signedInAnew(refused) {
  const now = await get("/Session", null, { quiet: true }).catch(() => null);
  if (!now || !session || now.CsrfToken === refused)
    return false;
  if (now.User.Id !== session.User.Id)
    throw new ApiError(403, { Message: `${now.User.Email} has signed in in another tab: load this page again to go on as that user.` });
  session.CsrfToken = now.CsrfToken;
  return true;
}

async function ask(method, path, options = {}) {
  const { body, type = "application/json", signal, quiet, keepalive, match } = options;
  const headers = { Accept: "application/json" }, token = session?.CsrfToken;
  if (body !== undefined)
    headers["Content-Type"] = type;
  if (guest)
    headers.Authorization = authorization();
  else if (session && method !== "GET")
    headers["X-CSRF-Token"] = token;
  if (match)
    headers["If-Match"] = `"${match}"`; /* the revision that a change rests on: ui/conflict.js */
  let answer, json = null;
  try {
    answer = await fetch(path, {
      method, headers, signal, keepalive, credentials: guest ? "omit" : "same-origin", cache: "no-store",
      body: body === undefined || typeof body === "string" || body instanceof Blob ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    if (text && (answer.headers.get("Content-Type") ?? "").startsWith("application/json"))
      json = JSON.parse(text);
  } catch (error) {
    if (signal?.reason !== LEFT)
      throw error.name === "AbortError" ? error : new ApiError(0, null);
  }
  if (signal?.reason === LEFT)
    return new Promise(() => {});
  if (answer.ok)
    return json;
  if (answer.status === 401 && session && !quiet && onSignedOut())
    throw new ApiError(401, { Message: "Your session has ended. Sign in again in another tab, then go on here." });
  if (answer.status === 403 && method !== "GET" && await signedInAnew(token))
    return ask(method, path, options);
  throw new ApiError(answer.status, json);
}

export const get = (path, values, options) => ask("GET", path + query(values), options);
export const post = (path, body, options) => ask("POST", path, { ...options, body });
export const put = (path, body, options) => ask("PUT", path, { ...options, body });
export const del = (path, options) => ask("DELETE", path, options);
/* A file's text, as CSV. */
export const upload = (path, values, text, options) =>
  ask("POST", path + query(values), { ...options, body: text, type: "text/csv" });

/* All of a list that is read by pages; `values`: further ones of the query. */
export async function all(path, name, signal, values) {
  const found = [];
  for (let Page = 1, pages = 1; Page <= pages; Page++) {
    const answer = await get(path, { ...values, Page, PageSize: 1000 }, { signal });
    found.push(...answer[name]);
    pages = Number(answer["@numpages"]);
  }
  return found;
}

const rest = (ms, signal) => new Promise((done) => {
  const end = () => { clearTimeout(timer); signal.removeEventListener("abort", end); done(); };
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end);
});

/* Calls back each time so long after the last call was done, whether that went well or not. */
export async function again(ms, callback, signal) {
  for (await rest(ms, signal); !signal.aborted; await rest(ms, signal))
    await callback();
}

/* Resolves when the tab is seen, or the signal aborted. */
const seen = (signal) => new Promise((done) => {
  const look = () => {
    if (document.hidden && !signal.aborted)
      return;
    document.removeEventListener("visibilitychange", look);
    signal.removeEventListener("abort", look);
    done();
  };
  document.addEventListener("visibilitychange", look);
  signal.addEventListener("abort", look);
  look();
});

/* Where the account's changes stand as a page is entered, before it reads anything: from there watch() goes on, so
 * that what changes while the page reads is not lost.  The page does not wait for it for long; without it watch()
 * has the page read once more. */
const ENTERING_MOST_MS = 300;
let entered = { signal: null, cursor: "" };
export async function entering(signal) {
  const mine = entered = { signal, cursor: "" };
  const asked = get(own("/Changes"), null, { signal }).then((answer) => answer.Cursor, () => ""); /* the page's reads fail too, and say so */
  const cursor = await Promise.race([asked, rest(ENTERING_MOST_MS, signal)]);
  mine.cursor = cursor ?? "";
}

/* Calls back when something of the account's postbacks has changed: again only when the last call is done, and at most
 * twice a second, however much changes.  Only while the tab is seen: a browser has six connections to a server for all
 * its tabs, and each call that is held takes one. */
export async function watch(callback, signal) {
  let cursor = entered.signal === signal ? entered.cursor : "", late = cursor === "", pause = 0;
  while (!signal.aborted) {
    await seen(signal);
    const hidden = new AbortController(), hide = () => { if (document.hidden) hidden.abort(); };
    document.addEventListener("visibilitychange", hide, { signal });
    try {
      const answer = await get(own("/Changes"), { Since: cursor }, { signal: AbortSignal.any([signal, hidden.signal]) });
      pause = 0;
      if (late || (cursor && answer.Cursor !== cursor)) {
        late = false;
        await callback();
        await rest(500, signal);
      }
      cursor = answer.Cursor;
    } catch (error) {
      if (hidden.signal.aborted)
        continue;
      if (error.name === "AbortError" || error.status === 401 || error.status === 403)
        return;
      pause = Math.min(pause ? pause * 2 : 1000, 30000);
      await rest(pause, signal);
    } finally {
      document.removeEventListener("visibilitychange", hide);
    }
  }
}
