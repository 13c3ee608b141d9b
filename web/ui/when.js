/* when.js — a moment as people say it, "3 min ago", with the exact time in their zone on hover and for screen readers.
 *
 * when(text): a node that stays true while it is shown; "" for no date.
 */
import { h } from "../dom.js";
import { ago, exact, zone } from "../format.js";

const AGAIN_MS = 20000;
const DAYS_MS = 86400000;

/* What is to come, or a month gone, is said by its date. */
const near = (text) => { const gone = Date.now() - new Date(text); return gone >= 0 && gone < 30 * DAYS_MS; };

export function when(text) {
  if (!text)
    return "";
  const full = `${exact(text)}, ${zone(new Date(text))}`;
  return near(text)
    ? h("time.ago", { datetime: text, title: full }, h("span", null, ago(text)), h("span.away", null, ` (${full})`))
    : h("time", { datetime: text, title: full }, exact(text));
}

setInterval(() => {
  for (const one of document.querySelectorAll("time.ago > span:first-child"))
    if (one.textContent !== ago(one.parentElement.dateTime))
      one.textContent = ago(one.parentElement.dateTime);
}, AGAIN_MS);
