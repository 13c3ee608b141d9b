/* exchange.js — a request and its answer side by side, as text whatever they hold.
 *
 * A body that is JSON can be read indented; as it was sent is the other way to see it, as its signature is over that.
 * What is looked for is marked in both.
 */
import { fill, h, unique } from "../dom.js";
import { counted } from "../format.js";
import { copy } from "./secret.js";

const headers = (list) => list.map(({ Name, Value }) => `${Name}: ${Value}`).join("\n");

/* null: it is no JSON, or indented already. */
export function indented(body) {
  try {
    const text = JSON.stringify(JSON.parse(body), null, 2);
    return text === body ? null : text;
  } catch {
    return null;
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const ITS_OWN = ["host", "content-length", "connection", "accept-encoding"]; /* curl says them itself */

/* A command for a shell that makes the same request. */
export function asCurl({ Method, Url, Headers, Body }) {
  const parts = [`curl --globoff --request ${Method} ${quoted(Url)}`,
    ...Headers.filter(({ Name }) => !ITS_OWN.includes(Name.toLowerCase())).map(({ Name, Value }) => `--header ${quoted(`${Name}: ${Value}`)}`)];
  if (Body)
    parts.push(`--data-raw ${quoted(Body)}`);
  return parts.join(" \\\n  ");
}

/* The text as nodes, what is looked for marked in it; and how often it is there. */
function marked(text, part) {
  const nodes = [], low = text.toLowerCase(), look = part.toLowerCase();
  let at = 0, count = 0;
  if (look && low.length === text.length) /* a letter whose small one is two moves all places */
    for (let next = low.indexOf(look); next >= 0; next = low.indexOf(look, at)) {
      nodes.push(text.slice(at, next), h("mark", null, text.slice(next, next + look.length)));
      at = next + look.length;
      count++;
    }
  return { nodes: [...nodes, text.slice(at)], count };
}

/* What stands above a body, and the body, with a button to read it indented where that helps. */
function box(title, above, body, buttons = []) {
  const pretty = indented(body ?? "");
  const text = h("pre", { tabindex: "0", "aria-label": title });
  let read = false, part = "";
  function show() {
    const { nodes, count } = marked(`${above}${body ? `\n\n${read ? pretty : body}` : ""}`, part);
    fill(text, nodes);
    return count;
  }
  const toggle = pretty === null ? null : h("button.small", { type: "button", "aria-pressed": "false", onclick: () => {
    read = !read;
    toggle.setAttribute("aria-pressed", String(read));
    show();
  } }, "Indent");
  show();
  const node = h("div", null, h("div.card-head", null, h("h3", null, title), h("span.gap"), toggle, ...buttons.map((make) => make(text))), text);
  return { node, find: (what) => { part = what; return show(); } };
}

const without = (node) => ({ node, find: () => 0 });

const title = ({ Method, Url, Headers }) => `${Method} ${Url}\n${headers(Headers)}`;

function requestParts(request) {
  if (!request || request.Error !== undefined || !request.Method)
    return without(h("div", null, h("h3", null, "Request"), h("p.muted", null, request?.Error || "The request cannot be shown any more.")));
  return box("Request", title(request), request.Body, [(text) =>
    h("button.small", { type: "button", onclick: () => copy(asCurl(request), () => getSelection().selectAllChildren(text)) }, "Copy as curl")]);
}

/* A request alone, as it stands: a preview. */
export function requestBox(request) {
  return h("div", null, h("h3", null, "Request"), h("pre", { tabindex: "0", "aria-label": "Request" }, `${title(request)}${request.Body ? `\n\n${request.Body}` : ""}`));
}

function responseParts(response, error) {
  const came = response && response.Status && response.Status !== "0";
  if (!came)
    return without(h("div", null, h("h3", null, "Response"), h("p.muted", null, error || "No answer came.")));
  const { node, find } = box("Response", `${response.Status}\n${response.Headers.trimEnd()}`, response.Body);
  return { find, node: h("div", null, node, response.Truncated === "true" ? h("p.hint", null, "The answer went on; only its beginning is kept.") : null) };
}

/* Both, with a field that finds a text in them. */
export function exchange(request, response, error) {
  const id = unique("find"), parts = [requestParts(request), responseParts(response, error)];
  const says = h("span.muted", { role: "status" }), input = h("input", { id, type: "search", autocomplete: "off", oninput: () => look() });
  function look() {
    const found = parts.reduce((sum, one) => sum + one.find(input.value), 0);
    fill(says, input.value ? (found ? counted(found, "place") : "Nowhere") : null);
    box.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }
  const box = h("div.exchange", null,
    h("div.find-in", { role: "search" }, h("label", { for: id }, "Find in request and response"), input, says),
    h("div.columns", null, parts.map((one) => one.node)));
  return box;
}
