/* operator_event_types.js — the event types that were added, and the catalog's own. */
import { get, mayChange } from "../api.js";
import { h } from "../dom.js";
import { heading } from "../ui/heading.js";
import { simpleTable } from "../ui/simple_table.js";

export async function page({ signal }) {
  const [catalog, added] = await Promise.all([get("/EventCatalog", null, { signal }), get("/Operator/EventTypes", { PageSize: 1000 }, { signal })]);
  const own = new Set(added.EventTypes.map((type) => type.Name));
  const name = (type) => (own.has(type.EventType) ? h("a", { href: `/operator/event-types/${type.EventType}` }, type.EventType) : type.EventType);
  const actions = mayChange() ? [h("a.button.primary", { href: "/operator/event-types/new" }, "New event type")] : [];
  return { title: "Event types", node: h("div", null, heading("Event types", { actions }),
    h("p.muted", null, "Other systems of the platform send their events by POST /Events; a type says which data points they have. Types that were added can be changed; the others are built in."),
    catalog.Categories.filter((category) => category.EventTypes.length).map((category) => h("section.card", null, h("h2", null, category.Name),
      simpleTable(category.Name, category.EventTypes, [
        ["Event type", name], ["Meaning", (type) => type.Meaning], ["Data points", (type) => type.DataPoints.length],
        ["On by default", (type) => (type.Default === "true" ? "Yes" : "")], ["", (type) => (own.has(type.EventType) ? h("span.badge", null, "Added") : "")],
      ], "None.")))) };
}
