/* points.js — the data points of the chosen events: searched, inserted by a click, ticked for the query string.
 *
 * const p = points({ insert, changed, ticked }); p.node
 *   p.use(types) shows those of these event types;  p.known() they, each once, with `open`: may the account use it
 *   p.ticked() the names ticked for the query string;  p.target(words) says where a click puts one
 */
import { mayChange } from "../../api.js";
import { fill, h, icon, unique } from "../../dom.js";

/* The points of these event types of the catalog, each once, in its order. */
function pointsOf(types) {
  const all = new Map();
  for (const type of types)
    for (const point of type.DataPoints)
      all.set(point.Name, { ...point, open: point.OnRequest !== "true" || point.Open === "true" });
  return [...all.values()];
}

const asking = (point) => `/support?Kind=DATA_POINT&Subject=${encodeURIComponent(`Data point ${point.Name}`)}`;

export function points({ insert, changed, ticked: given = [] }) {
  const id = unique("search"), chosen = new Set(given);
  let known = [];
  const count = h("p.hint", { role: "status" }), where = h("p.hint"), place = h("ul.points");
  const search = h("input", { id, type: "search", autocomplete: "off", placeholder: "Name or meaning", oninput: () => draw() });

  function tick(point) {
    return h("label.check.small-check", null, h("input", { type: "checkbox", checked: chosen.has(point.Name), "aria-label": `${point.Name} in the query string`, onchange: (event) => {
      event.target.checked ? chosen.add(point.Name) : chosen.delete(point.Name);
      changed();
    } }), h("span", null, "Query string"));
  }
  function line(point) {
    const name = point.open
      ? h("button.plain.point-name", { type: "button", "aria-label": `Insert ${point.Name}`, onclick: () => insert(point.Name) }, icon("plus"), h("code", null, point.Name))
      : h("span.point-name", null, h("code", null, point.Name), h("span.badge.warn", null, "Not open to you"));
    return h("li", null, name, point.open ? tick(point) : h("a", { href: asking(point) }, "Ask the support for it"),
      h("p.point-text", null, point.Meaning, h("span.muted", null, ` ${point.Type}`), point.Sample ? [h("span.muted", null, ", such as "), h("code.sample", null, point.Sample)] : null));
  }
  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const found = known.filter(({ Name, Meaning }) => `${Name} ${Meaning}`.toLowerCase().includes(wanted));
    fill(place, found.map(line));
    fill(count, wanted ? `${found.length} of ${known.length} data points` : `${known.length} data points`);
  }
  /* Two stops of Tab for each point are many: by keyboard one passes over them all. */
  const skip = h("button.small.skip-points", { type: "button", onclick: () => {
    const fields = [...box.closest("form").querySelectorAll("input, textarea, select, button")];
    fields.find((one) => !box.contains(one) && box.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING && one.offsetParent)?.focus();
  } }, "Skip the data points");
  const box = h("div.points-box", null, skip,
    h("div.points-head", null, h("div.field", null, h("label", { for: id }, "Search the data points"), search), count), where,
    h("div.points-scroll", { tabindex: "0", role: "region", "aria-label": "Data points" }, place));
  return {
    node: box,
    use(types) {
      known = pointsOf(types);
      const names = new Set(known.map((one) => one.Name));
      [...chosen].filter((name) => !names.has(name)).forEach((name) => chosen.delete(name));
      draw();
    },
    known: () => known,
    ticked: () => [...chosen],
    target: (words) => fill(where, mayChange() ? `A click inserts it into ${words}, where the caret is. Or type { there.` : null),
  };
}
