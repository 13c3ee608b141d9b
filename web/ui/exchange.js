/* exchange.js — a request and its answer side by side, as text whatever they hold. */
import { h } from "../dom.js";

const headers = (list) => list.map(({ Name, Value }) => `${Name}: ${Value}`).join("\n");

export function requestBox(request) {
  if (!request || request.Error !== undefined || !request.Method)
    return h("div", null, h("h3", null, "Request"), h("p.muted", null, request?.Error || "The request cannot be shown any more."));
  return h("div", null, h("h3", null, "Request"),
    h("pre", { tabindex: "0", "aria-label": "Request" }, `${request.Method} ${request.Url}\n${headers(request.Headers)}${request.Body ? `\n\n${request.Body}` : ""}`));
}

function responseBox(response, error) {
  const came = response && response.Status && response.Status !== "0";
  return h("div", null, h("h3", null, "Response"),
    came ? h("pre", { tabindex: "0", "aria-label": "Response" }, `${response.Status}\n${response.Headers}${response.Body ? `\n${response.Body}` : ""}`) : h("p.muted", null, error || "No answer came."),
    came && response.Truncated === "true" ? h("p.hint", null, "The answer went on; only its beginning is kept.") : null);
}

export const exchange = (request, response, error) => h("div.columns", null, requestBox(request), responseBox(response, error));
