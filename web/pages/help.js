/* help.js — the guide: all its sections, one of them, or what the search finds.  For everybody, signed in or not.
 *
 * The build makes help.html of the documents (script/help); here its sections are taken as they are.  `/help/ID` shows
 * the section that has the id and goes there.
 */
import { ApiError } from "../api.js";
import { fill, h } from "../dom.js";
import { heading } from "../ui/heading.js";
import { scroller } from "../ui/table.js";

const DOCUMENTS = { guide: "Guide", operations: "Trouble, and clusters", catalog: "Events and data points" };
const FOUND_MOST = 40, AROUND = 90;
let read = null; /* kept: it changes with the program only */

async function sections(signal) {
  if (read)
    return read;
  const answer = await fetch("/assets/lib/help.html", { signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new ApiError(0, null);
  });
  if (!answer.ok)
    throw new ApiError(answer.status, null);
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  return read = [...parsed.querySelectorAll("section")].map((node) => ({
    id: node.id, document: node.dataset.document, node, title: node.querySelector("h1, h2").textContent,
    parts: [...node.querySelectorAll("h3")].map((one) => ({ id: one.id, title: one.textContent })),
  }));
}

/* A copy of the section for the page: wide tables scroll by themselves. */
function shown({ node, title }) {
  const copy = document.importNode(node, true);
  copy.removeAttribute("id");
  copy.querySelector("h1, h2").remove();
  let tables = 0;
  const parts = [...copy.childNodes].map((one) => (one.localName === "table" ? scroller(`${title}, table ${++tables}`, one) : one));
  return h("article.card.prose", null, parts);
}

/* ---- search ---- */

/* The section cut at its headings: { id, title, text }. */
const pieces = ({ node, id, title }) => [...node.children].reduce((done, one) => {
  if (/^H[34]$/.test(one.localName.toUpperCase()))
    done.push({ id: one.id, title: `${title}: ${one.textContent}`, text: "" });
  else if (!/^H[12]$/.test(one.localName.toUpperCase()))
    done.at(-1).text += ` ${one.textContent}`;
  return done;
}, [{ id, title, text: "" }]);

/* The text around the first of these words. */
function around(text, wanted) {
  const at = Math.min(...wanted.map((one) => text.toLowerCase().indexOf(one)).filter((one) => one >= 0));
  if (!Number.isFinite(at))
    return text.slice(0, 2 * AROUND);
  const from = Math.max(0, at - AROUND);
  return `${from ? "…" : ""}${text.slice(from, at + AROUND)}…`;
}

function find(all, wanted) {
  const has = (text) => wanted.every((one) => text.toLowerCase().includes(one));
  const found = all.flatMap(pieces).map((one) => ({ ...one, text: one.text.replace(/\s+/g, " ").trim() }))
    .filter((one) => has(`${one.title} ${one.text}`));
  return [...found.filter((one) => has(one.title)), ...found.filter((one) => !has(one.title))].slice(0, FOUND_MOST);
}

const results = (found, wanted) => h("ol.found", { role: "list" }, found.map((one) => h("li", null,
  h("a", { href: `/help/${one.id}` }, one.title), h("p.muted", null, around(one.text, wanted)))));

/* ---- page ---- */

const contents = (all, here) => h("nav.contents", { "aria-label": "Contents" }, Object.entries(DOCUMENTS).map(([name, title]) =>
  h("section", null, h("h2", null, title), h("ul", null, all.filter((one) => one.document === name && one.node.querySelector("h2"))
    .map((one) => h("li", null, h("a", { href: `/help/${one.id}`, "aria-current": one === here ? "page" : null }, one.title),
      one === here && one.parts.length ? h("ul", null, one.parts.map((part) => h("li", null, h("a", { href: `/help/${part.id}` }, part.title)))) : null))))));

function searchField(all, context, usual) {
  const place = h("div"), says = h("p.muted", { role: "status" });
  const input = h("input", { type: "search", id: "help-search", autocomplete: "off", placeholder: "signature, retry, maintenance …", value: context.query.get("Search") ?? "" });
  function look() {
    const wanted = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    context.setQuery({ Search: input.value.trim() });
    if (!wanted.length) {
      fill(says);
      return fill(place, usual);
    }
    const found = find(all, wanted);
    fill(says, found.length ? `${found.length}${found.length === FOUND_MOST ? " and more" : ""} found` : "Nothing in the guide has all these words.");
    return fill(place, results(found, wanted));
  }
  input.addEventListener("input", look);
  look();
  return h("div.help-main", null,
    h("form", { role: "search", "aria-label": "Help", onsubmit: (event) => event.preventDefault() },
      h("div.field", null, h("label", { for: "help-search" }, "Search the guide"), input), says),
    place);
}

export async function page(context) {
  const all = await sections(context.signal), wanted = context.params.Section;
  const here = wanted ? all.find((one) => one.id === wanted || one.parts.some((part) => part.id === wanted) || one.node.querySelector(`[id="${CSS.escape(wanted)}"]`)) : all[0];
  if (!here)
    throw new ApiError(404, { Message: "The guide has no such section." });
  const usual = shown(here), main = searchField(all, context, usual);
  const place = wanted && wanted !== here.id ? [...usual.querySelectorAll("[id]")].find((one) => one.id === wanted) : null;
  const title = wanted ? here.title : "Help";
  return {
    title, place,
    node: h("div.help", null, heading(title, { back: wanted ? ["Help", "/help"] : null }), h("div.help-columns", null, contents(all, here), main)),
  };
}
