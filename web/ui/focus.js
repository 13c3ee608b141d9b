/* focus.js — the focus is never lost: when what has it goes away, it goes to what stands in its place now.
 *
 * keepFocus(main) from the start on.  The element that had it last is known with its place: its ancestors, and its number
 * among the controls of each.  Gone, or hidden, it is looked for in the nearest ancestor that is still there: one that is
 * called the same (it was drawn anew), else the one of the same number, else the page's heading.  What had it outside of
 * dialogs and messages is known besides: they go, and the page is where one goes on.
 */
const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";
const OVERLAY = "dialog, .toasts";

const usable = (one) => one.isConnected && !one.disabled && !one.closest("[inert], [hidden]") && one.checkVisibility({ visibilityProperty: true });
const nameOf = (one) => one.getAttribute("aria-label") || one.getAttribute("href") || one.textContent || one.getAttribute("name");
const same = (one, other) => one.localName === other.name && nameOf(one) === other.words;

function placeOf(one) {
  const around = [];
  for (let box = one.parentElement; box; box = box.parentElement) {
    around.push({ box, at: [...box.querySelectorAll(CONTROLS)].indexOf(one) });
    if (box.matches("main, dialog, body"))
      break;
  }
  return { one, name: one.localName, words: nameOf(one), around };
}

/* What to give it to in place of the one that was there. */
function heir(place, main) {
  if (usable(place.one))
    return place.one;
  for (const { box, at } of place.around) {
    if (!box.isConnected)
      continue;
    const there = [...box.querySelectorAll(CONTROLS)].filter((one) => usable(one) && !one.closest(".scroll[tabindex]")?.isSameNode(one));
    const found = there.find((one) => same(one, place)) ?? there[Math.min(at, there.length - 1)];
    if (found)
      return found;
  }
  return main.querySelector("h1") ?? main;
}

export function keepFocus(main) {
  let last = null, outside = null; /* places */
  let moving = false; /* it is between two: what changes as one loses it is no loss */
  document.addEventListener("blur", ({ relatedTarget }) => {
    moving = Boolean(relatedTarget);
    setTimeout(() => { moving = false; });
  }, true);
  document.addEventListener("focusin", ({ target }) => {
    moving = false;
    last = placeOf(target);
    if (!target.closest(OVERLAY))
      outside = last;
  });
  document.addEventListener("pointerdown", ({ target }) => { /* who points elsewhere has left it on purpose */
    if (!target.closest?.(CONTROLS))
      last = outside = null;
  });
  new MutationObserver(() => {
    const now = document.activeElement;
    if (!last || moving || (now && now !== document.body))
      return;
    if (last.one.isConnected && last.one.checkVisibility() && last.one.disabled) /* it is at work, and comes back */
      return;
    const place = last.around.some(({ box }) => box.matches(OVERLAY)) || !last.one.isConnected && outside && !last.around.some(({ box }) => box.isConnected) ? outside : last;
    if (!place)
      return;
    const to = heir(place, main);
    if (to.matches("h1"))
      to.tabIndex = -1;
    to.focus({ preventScroll: to === last.one });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "hidden", "open"] });
}
