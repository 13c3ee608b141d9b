/* palette.js — one field that finds: pages, inquiries, event notifications, postbacks, and accounts and campaigns for the operator.
 *
 * palette(pages, go): pages are [[title, path]…].  The focus stays in the field: arrows choose, Enter goes there, Escape
 * closes.  What is asked of the server ends as soon as one types on.
 */
import { all, get, isBrand, isOperator, own } from "../api.js";
import { fill, h, unique } from "../dom.js";
import { words } from "../format.js";
import { dialog } from "./dialog.js";

const MOST = 6, REST_MS = 150;
const has = (text, wanted) => wanted.toLowerCase().split(/\s+/).every((one) => text.toLowerCase().includes(one));

/* ---- where one may find: [heading, find(text, signal) → [{ title, text, path }]] ---- */

async function inquiries(text, signal) {
  const asked = { Search: text, PageSize: MOST, ...(isBrand() ? { CampaignId: "ALL" } : {}) };
  return (await get(own("/ActionInquiries"), asked, { signal })).ActionInquiries.map((one) => ({
    title: `Inquiry ${one.Id}`, text: `${one.OrderId} · ${words.ResolutionStatus?.[one.ResolutionStatus] ?? one.ResolutionStatus}`, path: `/inquiries/${one.Id}` }));
}

function notifications() {
  let known = null; /* they are few: read once */
  return async (text, signal) => {
    known ??= await all(own("/EventNotifications"), "EventNotifications", signal);
    return known.filter((one) => has(`${one.Name} ${one.Url} ${one.Id}`, text)).slice(0, MOST)
      .map((one) => ({ title: one.Name || one.Url, text: one.Name ? one.Url : one.Category, path: `/notifications/${one.Id}` }));
  };
}

const postbackOf = (one) => ({ title: `Postback ${one.Id}`, text: one.EventType, path: `/postbacks/${one.Id}` });

/* By the id, which is also the webhook-id that the receiver got, and by the order. */
async function postbacks(text, signal) {
  const asked = [{ OrderId: text }, ...(/^\d{1,18}$/.test(text) ? [{ WebhookId: text }] : [])];
  const found = await Promise.all(asked.map((one) => get(own("/Postbacks"), { ...one, PageSize: MOST }, { signal })));
  return [...new Map(found.reverse().flatMap((one) => one.Postbacks).map((one) => [one.Id, one])).values()].slice(0, MOST).map(postbackOf);
}

async function accounts(text, signal) {
  return (await get("/Operator/Accounts", { PageSize: 1000 }, { signal })).Accounts.filter((one) => has(`${one.Name} ${one.Sid} ${one.Email}`, text)).slice(0, MOST)
    .map((one) => ({ title: one.Name, text: `${words.Kind?.[one.Kind] ?? one.Kind} · ${one.Sid}`, path: `/operator/accounts/${one.Sid}` }));
}

async function campaigns(text, signal) {
  return (await get("/Operator/Campaigns", { PageSize: 1000 }, { signal })).Campaigns.filter((one) => has(`${one.Name} ${one.Id}`, text)).slice(0, MOST)
    .map((one) => ({ title: one.Name, text: `Campaign ${one.Id}`, path: `/operator/campaigns/${one.Id}` }));
}

const sources = (pages) => [
  ["Pages", async (text) => pages.filter(([title]) => has(title, text)).map(([title, path]) => ({ title, path, text: "" }))],
  ...(isOperator() ? [["Accounts", accounts], ["Campaigns", campaigns]] : [["Inquiries", inquiries], ["Event notifications", notifications()], ["Postbacks", postbacks]]),
  ["Guide", async (text) => [{ title: `Search the guide for “${text}”`, text: "", path: `/help?Search=${encodeURIComponent(text)}` }]],
];

/* ---- the dialog ---- */

function build(pages, go, close) {
  const id = unique("palette"), from = sources(pages);
  const box = h("div.palette-list", { id, role: "listbox", "aria-label": "Found" }), says = h("p.muted", { role: "status" });
  let found = [], chosen = -1, moved = false, asking = null, timer = null;

  function choose(index) {
    chosen = index;
    const options = [...box.querySelectorAll("[role=option]")];
    options.forEach((one, i) => one.setAttribute("aria-selected", String(i === chosen)));
    if (!options[chosen])
      return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", options[chosen].id);
    return options[chosen].scrollIntoView({ block: "nearest" });
  }
  function move(index) {
    moved = true;
    choose(index);
  }
  function take(index) {
    const { path } = found[index];
    close();
    go(path);
  }
  function draw(groups) {
    const had = moved ? found[chosen]?.path : null; /* what a person chose stays so while more comes in */
    found = groups.flatMap(([, options]) => options ?? []);
    fill(box, groups.filter(([, options]) => options?.length).map(([title, options]) => {
      const label = unique("group");
      return h("div", { role: "group", "aria-labelledby": label }, h("p.palette-title", { id: label, role: "presentation" }, title), options.map((one) => {
        const index = found.indexOf(one);
        return h("div.palette-option", { id: `${id}-${index}`, role: "option", "aria-selected": "false",
          onmousedown: (event) => event.preventDefault(), onclick: () => take(index) }, h("span", null, one.title), h("span.muted", null, one.text));
      }));
    }));
    input.setAttribute("aria-expanded", String(found.length > 0));
    choose(Math.max(0, found.findIndex((one) => one.path === had)));
  }
  /* Each source's answers appear as they come; a source that fails has none, and it is said. */
  async function look(text) {
    const mine = asking = new AbortController(), groups = from.map(([title]) => [title, null]);
    let failed = 0;
    box.setAttribute("aria-busy", "true");
    fill(says);
    await Promise.all(from.map(async ([, find], i) => {
      try {
        groups[i][1] = await find(text, mine.signal);
      } catch (error) {
        failed += error.name === "AbortError" ? 0 : 1;
      }
      if (!mine.signal.aborted)
        draw(groups);
    }));
    if (mine.signal.aborted)
      return;
    box.removeAttribute("aria-busy");
    fill(says, failed ? "Not all could be searched just now." : `${found.length} found; arrow keys choose, Enter opens.`);
  }
  function typed() {
    asking?.abort();
    clearTimeout(timer);
    moved = false;
    const text = input.value.trim();
    if (!text) {
      box.removeAttribute("aria-busy");
      fill(says);
      return draw([["Pages", pages.map(([title, path]) => ({ title, path, text: "" }))]]);
    }
    return timer = setTimeout(look, REST_MS, text);
  }
  function onKey(event) {
    if (event.isComposing || !found.length)
      return;
    const moves = { ArrowDown: () => move((chosen + 1) % found.length), ArrowUp: () => move((chosen || found.length) - 1),
      Enter: () => { if (chosen >= 0) take(chosen); } };
    if (!moves[event.key])
      return;
    event.preventDefault();
    moves[event.key]();
  }
  const input = h("input", { type: "text", role: "combobox", "aria-label": "Find", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list",
    autocomplete: "off", autofocus: true, spellcheck: "false", placeholder: isOperator() ? "A page, an account or a campaign" : "A page, inquiry, order, event notification or postback", oninput: typed, onkeydown: onKey });
  typed();
  return { node: h("div.palette", null, input, box, says), end: () => { clearTimeout(timer); asking?.abort(); } };
}

export async function palette(pages, go) {
  let built;
  await dialog("Find", (close) => (built = build(pages, go, close)).node);
  built.end();
}
