/* list.js — a list page's body: filters, a table whose columns can be chosen, sorting, pages.
 *
 * const l = list({ id, caption, context, columns, filters, load, empty, sort, pageSize, rowHref, tools })
 *   l.node; l.reload() loads again where it stands; l.values() the filters in force; l.atTop() on the first page
 * columns: { key, title, cell(row) → node or text, align: "end", hidden: true (not shown at first), always: true, sort: "API name" }
 *   the choice is remembered in this browser for `id`
 * filters: { name, label, kind: "search" | "text" | "select" | "date" | "day", options, placeholder, wide } — they live in the address's query
 *   date: a day of the person's zone, given to load() as its first second, or its last where `until`;  day: a day as it was written
 * load(values, signal) → { rows, total, more }: values has the filters, Page, PageSize and Sort ("Name" or "-Name", when sortable).
 *   or { rows, next } for a list that is read by a cursor: values then has `Before` in place of Page ("" on the newest page),
 *   and `next` is the one of the page of older rows ("" on the last); `turn` has the words for the two ways;
 *   `note` is said above the rows
 * empty: a text, or a function that gives what leads on when there is nothing (ui/lead.js)
 * pageOf("/Audit", "Entries", "Before") makes such a load for a path, the array's name and the cursor's
 * picks(rows): the rows get boxes to pick them by (rowKey is needed), at most `picksMost`; called with those that are picked, gives
 *   what can be done with them (nodes); l.unpick() when it is done
 * chosen: the columns' keys in place of what this browser remembers; l.columns() those shown
 * rowKey(row): for a row that stays itself across reloads; new rows of a reload are marked for a moment
 */
import { get } from "../api.js";
import { fill, h, icon, unique } from "../dom.js";
import { dayEnd, dayStart, number, zone } from "../format.js";
import { tryAgain } from "./again.js";
import { pairs } from "./form.js";
import { cell, headCell, scroller, table } from "./table.js";

const remembered = (id) => {
  try {
    return JSON.parse(localStorage.getItem(`columns.${id}`));
  } catch {
    return null;
  }
};

function chooser(id, columns, shown, changed) {
  return h("details.choose", null,
    h("summary.button", null, icon("columns"), "Columns"),
    h("div.pop", null, columns.filter((column) => !column.always).map((column) =>
      h("label.check", null,
        h("input", { type: "checkbox", checked: shown.has(column.key), onchange: (event) => {
          event.target.checked ? shown.add(column.key) : shown.delete(column.key);
          try {
            localStorage.setItem(`columns.${id}`, JSON.stringify([...shown]));
          } catch { /* a browser that remembers nothing still shows the choice */ }
          changed();
        } }), h("span", null, column.title)))));
}

const nameOf = (one) => one.getAttribute("href") ?? one.getAttribute("aria-label") ?? one.textContent;

/* Draws anew what may be in use: the focus stays on what it was on, and what was scrolled stays so. */
function inPlace(table, draw) {
  const had = table.contains(document.activeElement) ? document.activeElement : null;
  const { scrollLeft, scrollTop } = table.querySelector(".scroll") ?? table;
  draw();
  table.querySelector(".scroll")?.scrollTo(scrollLeft, scrollTop);
  if (had)
    [...table.querySelectorAll(had.localName)].find((one) => nameOf(one) === nameOf(had))?.focus({ preventScroll: true });
}

function filterBar(filters, query, changed) {
  let timer = null;
  const later = () => { clearTimeout(timer); timer = setTimeout(changed, 250); };
  const controls = filters.map((filter) => {
    const id = unique("filter"), value = query.get(filter.name) ?? filter.initial ?? "";
    const input = filter.kind === "select"
      ? h("select", { id, onchange: changed }, pairs(filter.options).map(([one, text]) => h("option", { value: one }, text)))
      : h("input", { id, type: { date: "date", day: "date", search: "search" }[filter.kind] ?? "text", placeholder: filter.placeholder, autocomplete: "off", oninput: ["date", "day"].includes(filter.kind) ? null : later, onchange: changed });
    input.value = value;
    return { filter, input, node: h("div.filter", { class: filter.wide ? "wide" : null }, h("label", { for: id }, filter.label), input) };
  });
  const clear = h("button.plain", { type: "button", onclick: () => { controls.forEach(({ filter, input }) => { input.value = filter.initial ?? ""; }); changed(); } }, "Clear");
  return {
    node: filters.length ? h("form.filters", { role: "search", "aria-label": "Filters", onsubmit: (event) => { event.preventDefault(); changed(); } }, controls.map((one) => one.node), clear,
      filters.some(({ kind }) => kind === "date") ? h("p.hint.zone", null, `Days and times are those of ${zone()}.`, filters.some(({ kind }) => kind === "day") ? " Order dates are days as they were given." : null) : null) : null,
    values() {
      const values = Object.fromEntries(controls.map(({ filter, input }) => [filter.name, input.value.trim()]));
      clear.hidden = !controls.some(({ filter, input }) => input.value.trim() !== (filter.initial ?? ""));
      return values;
    },
  };
}

/* As load() takes them. */
const instants = (filters, values) => ({ ...values, ...Object.fromEntries(filters.filter(({ kind, name }) => kind === "date" && values[name])
  .map(({ name, until }) => [name, until ? dayEnd(values[name]) : dayStart(values[name])])) });

export function list({ id, caption, context, columns, filters = [], load, empty = "Nothing here.", sort = "", pageSize = 50, rowHref, rowKey, tools = [], turn = ["Newer", "Older"], picks, picksMost = 200, chosen }) {
  const { query, signal, setQuery, go } = context;
  const kept = chosen ?? remembered(id);
  const shown = new Set(Array.isArray(kept) ? kept.filter((key) => columns.some((column) => column.key === key)) : columns.filter((column) => !column.hidden && !column.always).map((column) => column.key));
  const state = { page: Math.max(1, Number(query.get("Page")) || 1), before: [query.get("Before") ?? ""], sort: query.get("Sort") ?? sort, rows: [], total: 0, next: "", known: null };
  const place = h("div.table-place.stacks.fits"), foot = h("div.pager"), says = h("p.muted.count-line", { role: "status" });
  const first = () => { state.page = 1; state.before = [""]; reload(); };
  const bar = filterBar(filters, query, first);

  function heading(column) {
    if (!column.title || !column.sort)
      return headCell(column.title, { class: column.align });
    const up = state.sort === column.sort, down = state.sort === `-${column.sort}`;
    return headCell(column.title, { class: column.align, "aria-sort": up ? "ascending" : down ? "descending" : "none" },
      h("button.sort", { type: "button", onclick: () => { state.sort = down ? column.sort : up ? sort : `-${column.sort}`; first(); } },
        column.title, icon(up ? "up" : down ? "down" : "sort")));
  }
  function row(one, fresh) {
    const href = rowHref?.(one);
    return h("tr", { role: "row", class: [href ? "link" : "", fresh ? "fresh" : ""].join(" "), onclick: href ? (event) => {
      if (!event.target.closest("a, button, input, label, summary") && !String(getSelection()))
        go(href);
    } : null }, picks ? pickCell(one) : null, visible().map((column) => cell(column.title, column.cell(one), column.align ?? "")));
  }
  /* ---- rows that are picked: they stay so on other pages of the list ---- */
  const picked = new Map(), pickPlace = h("div.picks", { hidden: true, role: "region", "aria-label": "Picked" });
  function showPicks() {
    pickPlace.hidden = !picked.size;
    fill(pickPlace, picked.size ? [h("strong", { role: "status" }, `${number(picked.size)} picked`), picks([...picked.values()]), h("span.gap"), h("button.plain", { type: "button", onclick: unpick }, "Pick none")] : null);
  }
  function unpick() {
    picked.clear();
    place.querySelectorAll("input.pick").forEach((one) => { one.checked = false; });
    showPicks();
  }
  function pick(row, on) {
    on && picked.size < picksMost ? picked.set(rowKey(row), row) : picked.delete(rowKey(row));
    return picked.has(rowKey(row));
  }
  const pickAll = () => h("input.pick", { type: "checkbox", "aria-label": "Pick all on this page", checked: state.rows.length > 0 && state.rows.every((one) => picked.has(rowKey(one))), onchange: (event) => {
    state.rows.forEach((one) => pick(one, event.target.checked));
    place.querySelectorAll("td input.pick").forEach((one, at) => { one.checked = picked.has(rowKey(state.rows[at])); });
    showPicks();
  } });
  const pickCell = (one) => cell("Pick", h("input.pick", { type: "checkbox", "aria-label": `Pick ${rowKey(one)}`, checked: picked.has(rowKey(one)), onchange: (event) => { event.target.checked = pick(one, event.target.checked); showPicks(); } }), "pick");

  const visible = () => columns.filter((column) => column.always || shown.has(column.key));

  function draw() {
    const known = state.known;
    state.known = rowKey ? new Set(state.rows.map(rowKey)) : null;
    inPlace(place, () => fill(place, !state.rows.length ? h("div.empty", null, typeof empty === "function" ? empty() : h("p", null, empty))
      : scroller(caption, table(caption, [picks ? h("th", { scope: "col", role: "columnheader", class: "pick" }, pickAll()) : null, visible().map(heading)], state.rows.map((one) => row(one, known && rowKey && !known.has(rowKey(one))))))));
    inPlace(foot, () => fill(foot, turner()));
    fill(says, state.total === undefined ? state.note : `${number(state.total)} in all`);
  }
  function turner() {
    const shown = () => says.scrollIntoView({ block: "nearest" });
    if (state.total === undefined) {
      const { before } = state, older = () => { before.push(state.next); reload().then(shown); };
      const newer = () => { before.length > 1 ? before.pop() : (before[0] = ""); reload().then(shown); };
      return before.length > 1 || before[0] || state.next ? [
        h("button", { type: "button", disabled: before.length === 1 && !before[0], onclick: newer }, turn[0]),
        h("button", { type: "button", disabled: !state.next, onclick: older }, turn[1])] : null;
    }
    const pages = Math.max(1, Math.ceil(state.total / pageSize));
    const to = (page) => () => { state.page = page; reload().then(shown); };
    return state.page > 1 || pages > 1 ? [
      h("button", { type: "button", disabled: state.page <= 1, onclick: to(state.page - 1) }, "Previous"),
      h("span", null, `Page ${number(state.page)} of ${number(pages)}`),
      h("button", { type: "button", disabled: state.page >= pages, onclick: to(state.page + 1) }, "Next")] : null;
  }
  let running = null;
  async function reload() {
    running?.abort();
    const mine = running = new AbortController();
    const values = bar.values();
    const Before = state.before.at(-1);
    setQuery({ ...values, Page: state.page > 1 ? state.page : "", Before, Sort: state.sort === sort ? "" : state.sort });
    place.setAttribute("aria-busy", "true");
    try {
      const loaded = await load({ ...instants(filters, values), Page: state.page, PageSize: pageSize, Sort: state.sort, Before }, AbortSignal.any([signal, mine.signal]));
      Object.assign(state, { rows: loaded.rows, total: loaded.total, next: loaded.next ?? "", note: loaded.note ?? null });
      draw();
    } catch (error) {
      if (error.name === "AbortError")
        return;
      fill(place, tryAgain(error, reload));
      fill(foot);
      fill(says);
    } finally {
      if (running === mine)
        place.removeAttribute("aria-busy");
    }
  }
  const node = h("section.list", null, bar.node,
    h("div.list-head", null, says, h("span.gap"), tools, chooser(id, columns, shown, draw)), pickPlace, place, foot);
  const ready = reload();
  return { node, reload, ready, unpick, columns: () => [...shown], values: () => bar.values(), rows: () => state.rows, atTop: () => state.page === 1 && !state.before.at(-1) };
}

/* A `load` over a resource that is read by a cursor (Before: newest first; After: in order of id). */
export const pageOf = (path, name, cursor) => async ({ Sort, Page, Before, ...asked }, signal) => {
  const answer = await get(path, { ...asked, [cursor]: Before }, { signal });
  const next = answer["@nextpageuri"];
  return { answer, rows: answer[name], next: next ? new URL(next, location.origin).searchParams.get(cursor) : "" };
};
