/* places.js — how each page was last seen in this tab: the filters, the order and the page of a list are in its address's
 * query, and a way back leads there again.
 */
const KEY = "places";

const all = () => {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
};

/* The page at `path` is shown with this query ("?State=OPEN" or ""). */
export function seenAt(path, search) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...all(), [path]: search }));
  } catch { /* then the way back leads to the plain list */ }
}

/* "/inquiries" → "/inquiries?State=OPEN", as it was last seen. */
export const lastSeen = (path) => path + (all()[path] ?? "");
export const wasSeen = (path) => path in all();
/* Another person begins anew. */
export function forgetPlaces() {
  try {
    sessionStorage.removeItem(KEY);
  } catch { /* nothing is kept */ }
}
