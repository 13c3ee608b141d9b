/* settings.js — the settings of an event notification, new or not, beside a preview of the request they make.
 *
 * settings({ context, category, notification, saved }) → { node, dirty(), send() }
 *   notification: null for a new one;  saved(id, event): after each save, with the event to test by if asked;
 *   tried(body): what is in the form is to be tested as it is, not saved
 * What is wrong is told by the server, by way of the preview, and shown in its place; the form adds little of its own.
 */
import { mayChange, own, post } from "../../api.js";
import { fill, h } from "../../dom.js";
import { saveOver } from "../../ui/conflict.js";
import { facts } from "../../ui/facts.js";
import { form } from "../../ui/form.js";
import { templateField } from "../../ui/template_field.js";
import { path } from "./health.js";
import { points } from "./points.js";
import { preview } from "./preview.js";

const FORMATS = [["JSON", "JSON"], ["XML", "XML"], ["FORM", "Form"], ["TEXT", "Text"]];
const upTo = (most) => (value) => (Number(value) <= most ? "" : `At most ${most}.`);
const withBody = (values) => values.Method !== "GET";

/* The category's event types with their meanings; one that was deleted stays while it is ticked. */
function typeOptions(category, notification) {
  const known = category.EventTypes.map((type) => [type.EventType, type.EventType, type.Meaning]);
  const gone = (notification?.EventTypes ?? []).filter((name) => !known.some(([value]) => value === name));
  return [...known, ...gone.map((name) => [name, name, "is not an event type any more"])];
}

/* "line 2, column 8: …" as a sentence; a place in the first line needs no line. */
const worded = (message) => message.replace(/^line 1, (?=column)|^at (?=character)/, "").replace(/^[a-z]/, (letter) => letter.toUpperCase());

/* Every field; `told(name)` is what the server last said of a value. */
function fields({ category, notification, told, dressed, panel }) {
  const of = (name, more) => ({ name, check: (value, values) => more?.(value, values) || told(name, value) });
  return [
    { kind: "group", name: "events", label: category.Name },
    { ...of("EventTypes"), label: "Events", kind: "checks", required: true, wide: true, options: typeOptions(category, notification) },
    { ...of("Name"), label: "Name", hint: "Your own words for it; shown here, never sent.", maxlength: 200, wide: true },

    { kind: "group", name: "request", label: "Request" },
    { ...of("Url"), label: "URL", kind: "textarea", rows: 1, required: true, code: true, spellcheck: "false", dress: dressed("Url"), maxlength: 2000, placeholder: "https://example.com/postback?order={OrderId}",
      hint: "Data points may stand in its path and query." },
    { ...of("Method"), label: "Method", kind: "select", required: true, options: ["POST", "GET", "PUT"] },
    { ...of("BodyFormat"), label: "Body Format", kind: "select", options: FORMATS, when: withBody },
    { ...of("BodyTemplate"), label: "Body template", kind: "textarea", rows: 7, code: true, spellcheck: "false", dress: dressed("BodyTemplate"), when: withBody,
      hint: "Left empty, every data point of the event is sent." },
    { name: "QueryPoints", label: "Data points", kind: "static", wide: true, node: panel },

    { kind: "group", name: "pace", label: "Pace" },
    { ...of("MinimumDelay", upTo(86400)), label: "Minimum Delay", kind: "number", hint: "Seconds from the event to the request, up to 86,400." },
    { ...of("MaximumRequests", upTo(100000)), label: "Maximum Requests", kind: "number", hint: "Per second; 0 for no limit." },
    { ...of("MaximumConcurrentRequests", upTo(256)), label: "Maximum concurrent requests", kind: "number", hint: "At a time, up to 256; 0 leaves it to the server." },
    { ...of("Ordered"), label: "Ordered", kind: "checkbox", hint: "One at a time, in the order of events: one that fails holds up those behind it." },

    { kind: "group", name: "answer", label: "Response", text: "An answer of 200 or 201 is a delivery; anything else is tried again." },
    { ...of("SuccessResponse"), label: "Success Response", maxlength: 200, hint: "Text that the answer must hold to count as delivered." },
    { ...of("ErrorResponse"), label: "Error Response", maxlength: 200, hint: "Text that makes any answer a failure." },
    { ...of("AcceptAny2xx"), label: "Accept any 2xx", kind: "checkbox", hint: "202, 204 and the others count as delivered, too." },
  ];
}

const NEW = { Method: "POST", BodyFormat: "JSON", MinimumDelay: "0", MaximumRequests: "0", MaximumConcurrentRequests: "0" };

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/* What the server last said of each field: it holds as long as the value is the one that it spoke of. */
function problems() {
  const said = new Map(); /* name → { value, text } */
  return {
    of: (name, value) => (said.has(name) && same(said.get(name).value, value) ? said.get(name).text : ""),
    take(errors, asked) {
      said.clear();
      for (const { Field, Message } of errors) {
        const before = said.get(Field);
        said.set(Field, { value: asked[Field], text: before ? `${before.text}\n${worded(Message)}` : worded(Message) });
      }
    },
  };
}

export function settings({ context, category, notification, saved, tried }) {
  if (!mayChange())
    return { node: shown(notification), dirty: () => false };
  const start = notification ?? { ...NEW, EventTypes: category.EventTypes.filter((type) => type.Default === "true").map((type) => type.EventType), QueryPoints: [] };
  const action = notification ? "Save" : "Add";
  const controls = {}, said = problems();
  let into = notification?.Method === "GET" ? "Url" : "BodyTemplate";

  const typesOf = (names) => category.EventTypes.filter((type) => names.includes(type.EventType));

  const panel = points({
    ticked: start.QueryPoints, changed: () => changed(),
    insert: (name) => controls[target(sheet.values())].insert(name),
  });
  const dressed = (name) => (input) => {
    controls[name] = templateField(input, { points: panel.known, url: name === "Url" });
    input.addEventListener("focus", () => { into = name; aim(); });
    return controls[name].node;
  };
  const shows = preview({ context, headers: (notification?.CustomHeaders ?? []).map((one) => one.Name), answered: mark });
  const sheet = form({
    action, values: start, cancel: "/notifications",
    fields: fields({ category, notification, told: said.of, dressed, panel: panel.node }),
    changed: () => changed(),
    submit: () => save(null),
    extra: [...(notification ? [] : [{ text: "Add and send test", submit: () => save(shows.event()) }]), { text: "Send test", submit: () => trial() }],
  });

  const target = (values) => (withBody(values) ? into : "Url");
  const aim = () => panel.target(target(sheet.values()) === "Url" ? "the URL" : "the body template");
  const values = () => {
    const given = sheet.values();
    return { ...given, BodyTemplate: given.BodyTemplate ?? "", QueryPoints: panel.ticked() };
  };
  /* The server's words, each at its field; the places in a template are marked. */
  function mark(errors, asked) {
    const now = values();
    said.take(errors, asked);
    for (const [name, value] of Object.entries(now))
      if (said.of(name, value) || name === "QueryPoints")
        sheet.say(name, said.of(name, value));
    for (const [name, control] of Object.entries(controls))
      if (same(now[name], asked[name]))
        control.mark(errors.filter((one) => one.Field === name).map((one) => one.Message));
  }
  let types = null;
  function changed() {
    const now = values();
    if (!same(types, now.EventTypes)) {
      types = now.EventTypes;
      panel.use(typesOf(types));
      shows.use(typesOf(types).map((type) => type.EventType));
    }
    aim();
    shows.update({ Category: category.Name, ...now });
  }
  /* Over what is there, unless somebody else changed that meanwhile and theirs is taken: then the page begins anew. */
  async function over(body) {
    const labels = new Map(fields({ category, notification, told: said.of, dressed, panel: null }).map((one) => [one.name, one.label]));
    const answer = await saveOver(path(notification.Id), body, notification.Revision, { names: (name) => labels.get(name) ?? name });
    if (answer) {
      notification.Revision = answer.Revision;
      return true;
    }
    context.guard(() => false);
    await context.go(location.pathname + location.search, { replace: true });
    return false;
  }
  async function save(testWith) {
    const body = values();
    let id = notification?.Id;
    if (!notification)
      id = (await post(own("/EventNotifications"), { Category: category.Name, ...body })).Id;
    else if (!(await over(body)))
      return;
    Object.assign(notification ?? {}, body);
    before = body;
    await saved(id, testWith);
  }
  /* Nothing is saved; what is saved already is tested as it stands. */
  function trial() {
    tried(notification && !dirty() ? shows.event() : { Category: category.Name, ...values(), ...shows.event() });
  }
  const dirty = () => !same(before, values());
  let before = values();
  changed();
  before = values(); /* a ticked point that is no more is gone by now */
  Object.values(controls).forEach((one) => one.redraw());
  return {
    node: h("div.beside", null, h("section.card", { "aria-label": "Settings" }, sheet.node), shows.node),
    dirty,
  };
}

/* For those who may only read. */
function shown(one) {
  const yes = (text) => (text === "true" ? "Yes" : "No");
  const code = (text) => (text ? h("pre", { tabindex: "0" }, text) : "");
  return h("section.card", { "aria-label": "Settings" }, facts([
    ["Name", one.Name], ["Category", one.Category], ["Events", one.EventTypes.join(", ")], ["Method", one.Method],
    ["URL", h("code", null, one.Url)], ["Query string", one.QueryPoints.join(", ")],
    ["Body Format", one.Method === "GET" ? "" : one.BodyFormat], ["Body template", one.Method === "GET" ? "" : code(one.BodyTemplate) || "Every data point"],
    ["Minimum Delay", `${one.MinimumDelay} s`], ["Maximum Requests", one.MaximumRequests === "0" ? "No limit" : `${one.MaximumRequests} per second`],
    ["Maximum concurrent requests", one.MaximumConcurrentRequests === "0" ? "The server's own" : one.MaximumConcurrentRequests],
    ["Ordered", yes(one.Ordered)], ["Success Response", one.SuccessResponse], ["Error Response", one.ErrorResponse], ["Accept any 2xx", yes(one.AcceptAny2xx)],
  ]));
}
