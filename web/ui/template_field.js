/* template_field.js — a control for text with {tokens}: completes them while one types, and marks what is wrong in
 * its place, by a copy of the text that lies behind the control.
 *
 * const t = templateField(input, { points, url }); t.node, t.mark(messages), t.insert(name)
 *   points() → the data points that may stand here: { Name, Type, Meaning, Sample, open }
 *   mark(messages): the API's messages of this field; each names its place, "line 2, column 8: …" or "at character 16: …"
 */
import { fill, h } from "../dom.js";
import { complete, insertText } from "./complete.js";

const FUNCTIONS = [
  { name: "unix", text: "a date as seconds since 1970", dates: true },
  { name: "date:%Y-%m-%d", text: "a date by a pattern", dates: true },
  { name: "sha256", text: "its SHA-256, in hexadecimal" },
  { name: "md5", text: "its MD5, in hexadecimal" },
  { name: "lower", text: "in small letters" },
  { name: "upper", text: "in capital letters" },
  { name: "default:none", text: "this text when it is empty" },
  { name: "raw", text: "a URL's reserved characters stay", urls: true },
];

/* ---- completion ---- */

/* 0 at its beginning, else where it stands in the name, else far behind when its letters at least stand there in turn. */
function rankOf(name, wanted) {
  const at = name.indexOf(wanted);
  if (at >= 0)
    return at;
  let from = 0;
  return [...wanted].every((letter) => (from = name.indexOf(letter, from) + 1) > 0) ? 1000 : Infinity;
}

function pointOptions(points, typed) {
  const rank = ({ Name }) => rankOf(Name.toLowerCase(), typed.toLowerCase());
  return points.filter((one) => one.open && rank(one) < Infinity).sort((a, b) => rank(a) - rank(b))
    .map((one) => ({ insert: `{${one.Name}}`, more: `{${one.Name}`, title: one.Name, text: one.Meaning }));
}

function functionOptions(point, typed, url) {
  return FUNCTIONS.filter((one) => one.name.startsWith(typed) && (!one.dates || point?.Type === "date") && (!one.urls || url))
    .map((one) => ({ insert: `${one.name}}`, more: one.name, title: one.name, text: one.text }));
}

/* What may stand at the caret: a data point behind "{", a function behind "|"; null elsewhere. */
function suggest(text, caret, points, url) {
  const token = /(?:^|[^{])(?:\{\{)*\{(?:([A-Za-z]\w*)((?:\|[^{}|\n]*)*))?$/.exec(text.slice(0, caret));
  if (!token)
    return null;
  const [, name = "", functions] = token, closed = text[caret] === "}" ? 1 : 0;
  if (!functions)
    return { from: caret - name.length - 1, to: caret + closed, options: pointOptions(points, name), eager: name !== "" };
  const typed = functions.slice(functions.lastIndexOf("|") + 1);
  const options = functionOptions(points.find((one) => one.Name === name), typed, url);
  return { from: caret - typed.length, to: caret + closed, options, eager: typed !== "" };
}

/* ---- what is wrong, and where ---- */

/* The text's [from, to) that a message speaks of: a whole token when one stands there; null when it names no place. */
function placeOf(message, text) {
  const found = /^(?:line (\d+), column|at character) (\d+): /.exec(message);
  if (!found)
    return null;
  const lines = text.split("\n"), line = Number(found[1] ?? 1) - 1;
  const before = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
  const column = [...(lines[line] ?? "")].slice(0, Number(found[2]) - 1).join("").length; /* characters, not UTF-16 units */
  const from = Math.min(before + column, Math.max(0, text.length - 1));
  const token = /^\{[A-Za-z][^{}\n]*\}?/.exec(text.slice(from));
  return [from, from + (token ? token[0].length : text.codePointAt(from) > 0xffff ? 2 : 1)];
}

function marked(text, messages) {
  const places = messages.map((one) => placeOf(one, text)).filter(Boolean).sort((a, b) => a[0] - b[0]);
  const parts = [];
  let done = 0;
  for (const [from, to] of places) {
    if (from < done)
      continue;
    parts.push(text.slice(done, from), h("mark", null, text.slice(from, to)));
    done = to;
  }
  return [...parts, text.slice(done), "\n"]; /* a last line that is empty has its height too */
}

export function templateField(input, { points, url = false }) {
  const copy = h("div.template-copy.code", { "aria-hidden": "true" });
  let messages = [], of = null;
  function draw() {
    fill(copy, marked(input.value, of === input.value ? messages : []));
    copy.scrollTop = input.scrollTop;
  }
  if (url) { /* long, so it wraps; but one line */
    input.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.defaultPrevented) { event.preventDefault(); input.form?.requestSubmit(); } });
    input.addEventListener("input", () => { if (/\n/.test(input.value)) input.value = input.value.replace(/\s*\n\s*/g, ""); });
  }
  const list = complete(input, { label: "Data points and functions", find: (text, caret) => suggest(text, caret, points(), url) });
  input.addEventListener("input", draw);
  input.addEventListener("scroll", () => { copy.scrollTop = input.scrollTop; });
  draw();
  return {
    node: h("div.template", { class: url ? "" : "tall" }, h("div.template-stack", null, copy, input), list),
    mark(given) { messages = given; of = input.value; draw(); },
    redraw: draw,
    insert: (name) => insertText(input, `{${name}}`),
  };
}
