/* operator_event_type.js — an event type that was added, or a new one: its meaning and its data points. */
import { del, get, mayChange, post, put } from "../api.js";
import { h } from "../dom.js";
import { confirm } from "../ui/dialog.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { cell, headCell, scroller } from "../ui/table.js";
import { toast } from "../ui/toast.js";

const TYPES = ["text", "integer", "money", "date", "enum", "url", "list"];
const NAME = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/, POINT = /^[A-Z][A-Za-z0-9]*$/;

const written = (sample = "") => (typeof sample === "string" ? sample : JSON.stringify(sample));

/* A line of the table of data points; those that are there already keep name and type. */
function pointLine(point, kept) {
  const input = (value, label, rest) => h("input", { value: value ?? "", "aria-label": label, ...rest });
  const name = input(point.Name, "Name", { readonly: kept, placeholder: "OrderId" });
  const type = h("select", { "aria-label": "Type", disabled: kept }, TYPES.map((one) => h("option", { value: one }, one)));
  type.value = point.Type ?? "text";
  const meaning = input(point.Meaning, "Meaning", { placeholder: "The order" }), sample = input(written(point.Sample), "Sample", { placeholder: "ORD-20417" });
  const node = h("tr", { role: "row" }, [name, type, meaning, sample].map((one) => cell(one.getAttribute("aria-label"), one)),
    cell("", kept ? null : h("button.small", { type: "button", "aria-label": "Remove this data point", onclick: () => node.remove() }, "Remove")));
  return { node, value: () => ({ Name: name.value.trim(), Type: type.value, Meaning: meaning.value.trim(), Sample: sample.value }) };
}

function pointTable(points, kept) {
  const lines = [], body = h("tbody", { role: "rowgroup" });
  const add = (point, old) => { const line = pointLine(point, old); lines.push(line); body.append(line.node); return line; };
  points.forEach((point) => add(point, kept));
  return {
    node: h("div.stacks.point-lines", null, scroller("Data points", h("table", { role: "table" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ["Name", "Type", "Meaning", "Sample", ""].map((title) => headCell(title)))), body)),
    h("button.small", { type: "button", onclick: () => add({}, false).node.querySelector("input").focus() }, "Add a data point")),
    values: () => lines.filter((line) => line.node.isConnected).map((line) => line.value()),
  };
}

export async function page({ params, signal, go }) {
  const making = params.Type === "new", uri = `/Operator/EventTypes/${encodeURIComponent(params.Type)}`;
  const [catalog, type] = await Promise.all([get("/EventCatalog", null, { signal }), making ? { DataPoints: [] } : get(uri, null, { signal })]);
  const points = pointTable(type.DataPoints, !making), may = mayChange();
  const sheet = form({
    action: making ? "Add event type" : "Save", values: { Category: "Platform Events", Meaning: type.Meaning }, cancel: "/operator/event-types",
    fields: [
      ...(making ? [
        { name: "Name", label: "Name", required: true, maxlength: 60, placeholder: "shop.order_shipped", code: true, check: (value) => (NAME.test(value) ? "" : "Words in small letters with dots between, such as shop.order_shipped.") },
        { name: "Category", label: "Category", kind: "select", options: catalog.Categories.map((one) => one.Name) },
      ] : []),
      { name: "Meaning", label: "Meaning", required: true, maxlength: 200, wide: true },
      { name: "DataPoints", label: "Data points", kind: "static", node: points.node, wide: true },
    ],
    submit: async (values) => {
      const DataPoints = points.values(), bad = DataPoints.find((point) => !POINT.test(point.Name));
      if (bad) {
        sheet.say("DataPoints", `“${bad.Name}” is no name of a data point: letters and digits, the first a capital, such as OrderId.`);
        return;
      }
      await (making ? post("/Operator/EventTypes", { ...values, DataPoints }) : put(uri, { ...values, DataPoints }));
      toast(making ? "The event type is in the catalog." : "The event type is changed.");
      go("/operator/event-types");
    },
  });
  if (!may)
    sheet.node.querySelectorAll("input, select, button").forEach((one) => { one.disabled = true; });
  const remove = async () => {
    if (!await confirm({ title: "Delete this event type?", text: "Events of it are refused from then on. Those that came stay, and their postbacks go out.", action: "Delete", tone: "danger" }))
      return;
    try {
      await del(uri);
      toast("The event type is deleted.");
      go("/operator/event-types");
    } catch (error) {
      toast(error.message, "bad");
    }
  };
  const title = making ? "New event type" : params.Type;
  return { title, node: h("div", null, heading(title, { back: ["Event types", "/operator/event-types"], actions: making || !may ? [] : [h("button.danger", { type: "button", onclick: remove }, "Delete")] }),
    h("section.card", null, sheet.node)) };
}
