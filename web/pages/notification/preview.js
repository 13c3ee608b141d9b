/* preview.js — the exact request that the settings in the form would make, as one types.
 *
 * const p = preview({ context, answered, headers }); p.node; p.update(settings) asks a moment later, and drops the
 * answers to what was asked before.  answered(errors, settings): [] when the request is right.
 * p.use(types) are the event types to choose the sample from, and real events of the account; p.event() is the one
 * chosen: { EventType } or { EventId }.
 */
import { get, own, post } from "../../api.js";
import { fill, h, unique } from "../../dom.js";
import { moment } from "../../format.js";
import { indented, requestBox } from "../../ui/exchange.js";

const PAUSE_MS = 250, EVENTS = 20;

export function preview({ context: { signal }, answered, headers = [] }) {
  const id = unique("sample"), boxId = unique("indent");
  const place = h("div.preview-place"), says = h("p.hint", { role: "status" });
  const sample = h("select", { id, onchange: () => update(last) });
  const indent = h("input", { id: boxId, type: "checkbox", onchange: () => draw() });
  let timer = null, running = null, last = null, request = null, known = [], real = [];
  const event = () => (sample.value.startsWith("#") ? { EventId: sample.value.slice(1) } : { EventType: sample.value || undefined });

  /* Samples first, then what really happened, the newest first. */
  function offer() {
    const before = sample.value, those = real.filter((one) => known.includes(one.EventType)).slice(0, EVENTS);
    fill(sample, h("optgroup", { label: "Samples" }, known.map((type) => h("option", { value: type }, type))),
      those.length ? h("optgroup", { label: "Events of the account" }, those.map((one) =>
        h("option", { value: `#${one.Id}` }, `${one.EventType}, ${moment(one.CreationDate)}${one.InquiryId ? `, inquiry ${one.InquiryId}` : ""}`))) : null);
    if ([...sample.options].some((one) => one.value === before))
      sample.value = before;
  }
  get(own("/Events"), { PageSize: 200 }, { signal }).then(({ Events }) => { real = Events; offer(); }).catch(() => {});

  /* A preview is signed by nobody and carries nobody's credentials: their places are shown. */
  function whole(given) {
    const hidden = (Name) => ({ Name, Value: "(hidden)" });
    const at = given.Headers.findIndex((one) => one.Name === "webhook-timestamp") + 1;
    return { ...given, Headers: [...given.Headers.slice(0, at), hidden("webhook-signature"), ...given.Headers.slice(at), ...headers.map(hidden)] };
  }
  function draw() {
    if (request)
      fill(place, requestBox(indent.checked ? { ...request, Body: indented(request.Body) ?? request.Body } : request));
  }
  function blank(text) {
    request = null;
    fill(place, h("p.muted", null, text));
    fill(says);
  }
  async function ask(settings) {
    const mine = running = new AbortController();
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await post(own("/EventNotifications/Preview"), { ...settings, ...event() }, { signal: AbortSignal.any([signal, mine.signal]) });
      if (running !== mine)
        return;
      request = whole(answer.Request);
      draw();
      fill(says);
      place.classList.remove("stale");
      answered([], settings);
    } catch (error) {
      if (error.name === "AbortError" || running !== mine)
        return;
      if (!error.errors?.length)
        blank(error.message);
      else if (!request)
        blank("No request yet: what is wrong is marked in the form.");
      else
        fill(says, "This is the last request that was right: what is wrong now is marked in the form.");
      place.classList.add("stale");
      answered(error.errors ?? [], settings);
    } finally {
      if (running === mine)
        place.removeAttribute("aria-busy");
    }
  }
  function update(settings) {
    last = settings;
    clearTimeout(timer);
    running?.abort();
    running = null;
    place.removeAttribute("aria-busy");
    if (!settings.Url)
      return blank("Type a URL, and the request is shown here as it would be sent.");
    timer = setTimeout(() => ask(settings), PAUSE_MS);
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
  return {
    update, event,
    use(types) {
      known = types;
      offer();
    },
    node: h("section.card.preview", { "aria-label": "Preview" },
      h("div.card-head", null, h("h2", null, "Preview"), h("span.gap"), h("label.check", { for: boxId }, indent, h("span", null, "Indent"))),
      h("div.field", null, h("label", { for: id }, "Event to show and test"), sample),
      says, place),
  };
}
