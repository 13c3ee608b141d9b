/* exchange.js — a request and its answer side by side, as text whatever they hold.
 *
 * A body that is JSON can be read indented; as it was sent is the other way to see it, as its signature is over that.
 */
import { fill, h } from "../dom.js";
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

/* What stands above a body, and the body, with a button to read it indented where that helps. */
function box(title, above, body, buttons = []) {
  const pretty = indented(body ?? "");
  const text = h("pre", { tabindex: "0", "aria-label": title });
  let read = false;
  const show = () => fill(text, `${above}${body ? `\n\n${read ? pretty : body}` : ""}`);
  const toggle = pretty === null ? null : h("button.small", { type: "button", "aria-pressed": "false", onclick: () => {
    read = !read;
    toggle.setAttribute("aria-pressed", String(read));
    show();
  } }, "Indent");
  show();
  return h("div", null, h("div.card-head", null, h("h3", null, title), h("span.gap"), toggle, ...buttons.map((make) => make(text))), text);
}

export function requestBox(request, { indent = true } = {}) {
  if (!request || request.Error !== undefined || !request.Method)
    return h("div", null, h("h3", null, "Request"), h("p.muted", null, request?.Error || "The request cannot be shown any more."));
  const above = `${request.Method} ${request.Url}\n${headers(request.Headers)}`;
  if (!indent)
    return h("div", null, h("h3", null, "Request"), h("pre", { tabindex: "0", "aria-label": "Request" }, `${above}${request.Body ? `\n\n${request.Body}` : ""}`));
  return box("Request", above, request.Body, [(text) => h("button.small", { type: "button", onclick: () => copy(asCurl(request), () => getSelection().selectAllChildren(text)) }, "Copy as curl")]);
}

function responseBox(response, error) {
  const came = response && response.Status && response.Status !== "0";
  if (!came)
    return h("div", null, h("h3", null, "Response"), h("p.muted", null, error || "No answer came."));
  return h("div", null, box("Response", `${response.Status}\n${response.Headers.trimEnd()}`, response.Body),
    response.Truncated === "true" ? h("p.hint", null, "The answer went on; only its beginning is kept.") : null);
}

export const exchange = (request, response, error) => h("div.columns", null, requestBox(request), responseBox(response, error));
