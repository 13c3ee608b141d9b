/* dom.js — elements without markup.
 *
 * h("button.primary", { type: "button", onclick: f }, "Save") makes an element.  Strings become text
 * nodes and nothing is ever parsed as HTML, so a receiver's answer or a partner's note full of markup
 * stays text.  Attributes: functions named on… are listeners; true sets a bare attribute; false, null
 * and undefined leave it out; `value`, `checked`, `selected`, `indeterminate` and `disabled` are set as
 * properties.  Children may be nodes, strings, numbers, arrays of these, null.
 */
const properties = new Set(["value", "checked", "selected", "indeterminate", "disabled"]);

export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length)
    element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false)
      continue;
    if (typeof value === "function")
      element.addEventListener(key.slice(2), value);
    else if (key === "class")
      element.classList.add(...value.split(" ").filter(Boolean));
    else if (!properties.has(key))
      element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, children);
  for (const key of properties) /* after the children: a select takes its value from its options */
    if (attributes && attributes[key] !== undefined && attributes[key] !== null)
      element[key] = attributes[key];
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false)
      continue;
    if (Array.isArray(child))
      append(element, child);
    else
      element.append(child instanceof Node ? child : String(child));
  }
}

/* Puts these in place of what the element holds.  What changes has a place of its own that is filled: a node that is
 * put in another's place (replaceWith and its like) would be lost while that one stands nowhere yet. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

let last = 0;
/* An id that no other element has. */
export const unique = (prefix) => `${prefix}-${++last}`;

const SVG = "http://www.w3.org/2000/svg";
const shapes = {
  menu: "M4 7h16M4 12h16M4 17h16",
  bell: "M6 17h12l-1.5-2.5V11a4.5 4.5 0 0 0-9 0v3.5zM10.5 20h3",
  user: "M12 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM5 20a7 7 0 0 1 14 0",
  close: "M6 6l12 12M18 6L6 18",
  up: "M7 14l5-5 5 5",
  down: "M7 10l5 5 5-5",
  sort: "M8 10l4-4 4 4M8 14l4 4 4-4",
  columns: "M5 5h14v14H5zM10 5v14M15 5v14",
  search: "M10.5 16a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM15 15l5 5",
  plus: "M12 5v14M5 12h14",
  help: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.5v.01",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
};
/* A drawing beside a text; screen readers pass over it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shapes[name]);
  svg.append(path);
  return svg;
}
