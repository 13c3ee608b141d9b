/* inquiry_import.js — many inquiries, decisions or changes of actions from a CSV file: previewed by the server, then taken.
 *
 * The preview is a DryRun of the whole file.  What is good in it is then sent in parts of PART rows, each a
 * request and a commit of its own, so that the progress shown is true.  A part is all that can be in doubt
 * when the server does not answer, and sending it again is safe: what was taken already is refused.
 *
 * A file that is too large for that is a job of the server's, as the preview's answer says: it looks at all rows, and
 * then takes them, whether or not the page stays.
 */
import { again, get, isBrand, mayChange, own, upload } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { number } from "../format.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { progress } from "../ui/progress.js";
import { scroller } from "../ui/table.js";
import { toast } from "../ui/toast.js";
import { campaignsOf, idOf } from "./inquiry/fields.js";
import { parse, sameTitle } from "./inquiry/csv.js";

const PART = 500, ROWS_SHOWN = 100, FILE_MOST = 16 * 1024 * 1024, LOOK_MS = 500;
/* What the rows are, by the page's address and whose it is. */
const ofActions = () => location.pathname.startsWith("/actions");
const OF_INQUIRIES = { path: "/ActionInquiries/Import", list: "/inquiries", lists: "Inquiries", already: "decided so already" };
const KINDS = {
  inquiries: { ...OF_INQUIRIES, title: "Import inquiries", sample: "inquiries.csv",
    says: "Open many inquiries at once. The first line names the columns; needed are Campaign Id, Order Id, Sale Amount, Transaction Date and Type (UNTRACKED, INCORRECT or DECLINED)." },
  decisions: { ...OF_INQUIRIES, title: "Bulk processing", sample: "decisions.csv",
    says: "Decide many inquiries at once. Download the CSV of your list, fill in Resolution Status (VALID, DECLINED or INCOMPLETE) and what it needs, and choose it here." },
  changes: { path: "/Actions/Import", list: "/actions", lists: "Actions", already: "so already", title: "Change many actions", sample: "changes.csv",
    says: "Change, approve or take back many pending actions at once. A row names the action by Id, or by Action Tracker Id and Oid, and says a new Amount; a State (APPROVED, or REVERSED with a Reason); or a Sku with its new Quantity or Item Sub Total Delta." },
};
const kind = () => KINDS[ofActions() ? "changes" : isBrand() ? "decisions" : "inquiries"];
const IMPORT = () => own(kind().path);
const rowsSay = (count) => `${number(count)} ${count === 1 ? "row" : "rows"}`;

/* ---- a sample to start from ---- */

function sample(campaigns) {
  const today = new Date().toISOString().slice(0, 10), campaign = campaigns[0];
  if (ofActions())
    return ["Id,Amount,State,Reason,Sku,Quantity,Item Sub Total Delta", "1001,59.90,,ITEM_RETURNED,,,", "1002,,REVERSED,CONS_FRAUD,,,", "1003,,APPROVED,,,,", "1004,,,ITEM_RETURNED,BT-204,1,", ""].join("\r\n");
  if (isBrand())
    return ["Id,Resolution Status,Resolution Reason,Action Tracker,Final Payout,Resolution Notes",
      `1001,VALID,,${campaign?.Trackers[0]?.Id ?? 1},4.50,`, "1002,DECLINED,Transaction cannot be traced,,,", "1003,INCOMPLETE,,,,Which shop was it?", ""].join("\r\n");
  return ["Inquiry Id,Campaign Id,Order Id,Sale Amount,Transaction Date,Type,Expected Payout,Customer Id,Notes",
    `TICKET1,${campaign?.Id ?? 1},A-1001,89.90,${today},UNTRACKED,4.50,C-5521,"Not in my report, though it was paid"`,
    `TICKET2,${campaign?.Id ?? 1},A-1002,12.00,${today},INCORRECT,0.60,C-5522,`, ""].join("\r\n");
}

function sampleLink(campaigns, signal) {
  const href = URL.createObjectURL(new Blob(["\ufeff", sample(campaigns)], { type: "text/csv" }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(href));
  return h("a.button", { href, download: kind().sample }, icon("download"), "Sample file");
}

/* ---- reading ---- */

async function textOf(input, pasted) {
  const [file] = input.files;
  if (!file)
    return pasted;
  if (file.size > FILE_MOST)
    throw new Error("The file is over 16 MiB: split it.");
  return decoded(await file.arrayBuffer());
}

/* As the server would read the bytes; what it refuses stays a mixture, and is refused when it gets there. */
function decoded(bytes) {
  const [first, second] = new Uint8Array(bytes);
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return new TextDecoder(first === 0xff ? "utf-16le" : "utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    if (/[\u0080-\u{10ffff}]/u.test(new TextDecoder("utf-8").decode(bytes).replaceAll("\ufffd", "")))
      throw new Error("The file is neither UTF-8 nor Windows text, but both; save it as “CSV UTF-8”.");
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/* Row number → its errors. */
function byRow(errors) {
  const rows = new Map();
  for (const error of errors)
    rows.set(Number(error.Row), [...rows.get(Number(error.Row)) ?? [], error]);
  return rows;
}

/* An import's answer: also a refused one tells of its rows. */
async function send(text, values, options) {
  try {
    return await upload(IMPORT(), values, text, options);
  } catch (error) {
    if (error.body?.Rows !== undefined)
      return error.body;
    throw error;
  }
}

/* ---- tables ---- */

const problems = (errors) => h("ul.plain-list", null, errors.map((error) => h("li", null, error.Field ? h("strong", null, `${error.Field} `) : null,
  error.SameAsRow ? `same as row ${number(error.SameAsRow)}` : error.Message, error.Uri ? [" ", h("a", { href: `/inquiries/${idOf(error.Uri)}` }, `See inquiry ${idOf(error.Uri)}`)] : null)));

/* A table that shows the first rows, and more on request. */
function longTable(caption, titles, rows, draw) {
  const body = h("tbody"), more = h("div.actions");
  let shown = 0;
  function show(count) {
    body.append(...rows.slice(shown, shown + count).map(draw));
    shown = Math.min(rows.length, shown + count);
    fill(more, shown < rows.length ? [h("button.small", { type: "button", onclick: () => show(ROWS_SHOWN * 10) }, `Show more of ${number(rows.length)}`)] : null);
  }
  show(ROWS_SHOWN);
  return [scroller(caption, h("table", null, h("caption.away", null, caption), h("thead", null, h("tr", null, titles.map((title) => h("th", { scope: "col" }, title)))), body), "rows"), more];
}

/* What stands in the file but is nothing to take: rows without a decision, columns that are not known. */
function passedOver(answer) {
  const undecided = Number(answer.Undecided), unchanged = Number(answer.Unchanged);
  const notes = [...answer.Notices,
    ...(undecided ? [`${rowsSay(undecided)} without a decision ${undecided === 1 ? "is" : "are"} passed over.`] : []),
    ...(unchanged ? [`${rowsSay(unchanged)} ${unchanged === 1 ? "was" : "were"} ${kind().already}, and ${unchanged === 1 ? "is" : "are"} passed over.`] : [])];
  return notes.length ? h("ul.plain-list.muted", null, notes.map((note) => h("li", null, note))) : null;
}

/* The bad rows, as the server gave them, to be mended and chosen again. */
function badRowsLink(csv, signal) {
  const href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(href));
  return h("a.button", { href, download: "bad-rows.csv" }, icon("download"), "Download the bad rows");
}

const rowsPassed = (answer) => new Set(answer.PassedOver.map(Number));

function previewTable(file, bad, passed, onlyBad) {
  const numbers = file.rows.map((_, i) => i + 1).filter((row) => !onlyBad || bad.has(row));
  return longTable("Rows of the file", ["Row", "Verdict", ...file.header], numbers, (row) => {
    const errors = bad.get(row);
    return h("tr", { class: errors ? "bad" : null }, h("td.end", { title: errors ? `line ${errors[0].Line} in a spreadsheet` : null }, number(row)),
      h("td.verdict", null, errors ? problems(errors) : passed.has(row) ? h("span.badge", null, "Passed over") : h("span.badge.good", null, "Good")),
      file.rows[row - 1].map((cell, i) => h("td", { class: errors?.some((error) => sameTitle(error.Field, file.header[i] ?? "")) ? "wrong-cell" : null }, cell.length > 80 ? `${cell.slice(0, 80)}…` : cell)));
  });
}

function resultTable(results) {
  const rows = [...results].sort((a, b) => Boolean(a.uri) - Boolean(b.uri) || a.row - b.row);
  return longTable("What became of the rows", ["Row", "Result"], rows, ({ row, uri, errors }) => h("tr", { class: errors ? "bad" : null },
    h("td.end", null, number(row)), h("td", null, uri ? h("a", { href: `${kind().list}/${idOf(uri)}` }, `${ofActions() ? "Action" : "Inquiry"} ${idOf(uri)}`) : errors ? problems(errors) : ofActions() ? "So already" : "Decided so already")));
}

/* ---- taking ---- */

/* What became of a row.  One that was in doubt and is refused because it is open already was taken the first time. */
function outcome(row, errors, passed, uris, doubted) {
  if (passed)
    return { row };
  const open = doubted.has(row) && errors?.find((error) => error.Uri);
  return open ? { row, uri: open.Uri } : errors ? { row, errors } : { row, uri: uris.shift() };
}

/* Sends the rows part by part.  Gives { results, left, doubt }: rows not sent, and those of the part without an answer. */
async function take(file, rows, doubted, said, stopped) {
  const results = [];
  for (let at = 0; at < rows.length; at += PART) {
    said(at);
    const part = rows.slice(at, at + PART);
    if (stopped())
      return { results, left: rows.slice(at), doubt: [] };
    try {
      const answer = await send(file.part(part), { TakeGoodRows: "true" });
      const bad = byRow(answer.Errors), passed = rowsPassed(answer), uris = [...answer.Uris];
      part.forEach((row, i) => results.push(outcome(row, bad.get(i + 1), passed.has(i + 1), uris, doubted)));
    } catch (error) {
      const refused = error.status >= 400 && error.status < 500; /* then nothing of it was taken */
      return { results, error, left: rows.slice(refused ? at : at + PART), doubt: refused ? [] : part };
    }
  }
  said(rows.length);
  return { results, left: [], doubt: [] };
}

const span = (rows) => (rows.length === 1 ? `row ${number(rows[0])}` : `rows ${number(rows[0])} to ${number(rows.at(-1))}`);

function told({ results, left, doubt, error }, resume) {
  const taken = results.filter((one) => one.uri).length, refused = results.filter((one) => one.errors).length;
  const stopped = left.length || doubt.length;
  return h("section.card", { tabindex: "-1" }, h("h2", null, stopped ? "Not all is done" : "Done"),
    h("p", null, `${rowsSay(taken)} taken${refused ? `, ${rowsSay(refused)} refused` : ""}.`),
    error ? h("p.summary", { role: "alert" }, error.message) : null,
    doubt.length ? h("p", null, `Whether ${span(doubt)} were taken is not known: no answer came.`) : null,
    left.length ? h("p", null, `${span(left).replace(/^r/, "R")}: not sent.`) : null,
    stopped ? h("div.actions", null, h("button.primary", { type: "button", onclick: () => resume([...doubt, ...left], new Set(doubt)) }, doubt.length ? "Send these again and go on" : "Go on"),
      doubt.length ? h("p.muted", null, "That is safe: a row that was taken already is refused and nothing is done twice.") : null) : null,
    results.length ? resultTable(results) : null,
    h("div.actions", null, h("a.button", { href: kind().list }, `To the ${kind().lists.toLowerCase()}`)));
}

/* ---- by a job ---- */

/* Resolves with the job once it has ended; draws how far it is meanwhile. */
async function ended(id, draw, signal) {
  const over = new AbortController(), stop = AbortSignal.any([signal, over.signal]);
  let job = await get(own(`/Jobs/${id}`), null, { signal });
  draw(job);
  if (job.CompletedDate)
    return job;
  await again(LOOK_MS, async () => {
    job = await get(own(`/Jobs/${id}`), null, { signal });
    draw(job);
    if (job.CompletedDate)
      over.abort();
  }, stop);
  return job;
}

/* ---- the page ---- */

export async function page({ signal, guard }) {
  const { title, list, lists, says } = kind(), back = [lists, list];
  if (!mayChange())
    return { title, node: h("div", null, heading(title, { back }), h("p.card", null, "Only a user who may make changes imports.")) };
  const campaigns = await campaignsOf(signal), place = h("div.stack");
  let running = false;
  guard(() => running);

  async function run(file, rows, before = [], doubted = new Set()) {
    const bar = h("div"), stop = h("button", { type: "button", onclick: () => { stop.disabled = true; running = false; } }, "Stop after this part");
    running = true;
    fill(place, h("section.card", { "aria-busy": "true" }, h("h2", null, "Taking the rows"), bar, h("div.actions", null, stop)));
    const came = await take(file, rows, doubted, (done) => fill(bar, progress(done, rows.length, "Rows taken"), h("p.muted", null, `${number(done)} of ${rowsSay(rows.length)}`)), () => !running || signal.aborted);
    running = false;
    came.results = [...before, ...came.results];
    fill(place, told(came, (rest, doubt) => run(file, rest, came.results, doubt)));
    place.firstChild.focus();
  }

  /* The server's job `id`: a look at all rows, after which they may be taken; or the taking itself. */
  async function follow(id, text, takes) {
    const bar = h("div");
    fill(place, h("section.card", { "aria-busy": "true" }, h("h2", null, takes ? "Taking the rows" : "Looking at the rows"), bar,
      h("p.muted", null, "The file is large, so this goes on in the background. You may leave the page: ", h("a", { href: "/jobs" }, "Downloads and imports"), " shows how far it is.")));
    const job = await ended(id, ({ PercentageComplete }) => fill(bar, progress(Number(PercentageComplete), 100, "Rows")), signal);
    const taken = Number(job.Taken), wrong = Number(job.BadRows);
    fill(place, h("section.card", { tabindex: "-1" },
      h("div.card-head", null, h("h2", null, takes ? "Done" : "Preview"), wrong ? h("span.badge.bad", null, `${rowsSay(wrong)} bad`) : null, h("span.badge.good", null, `${rowsSay(taken)} ${takes ? "taken" : "good"}`)),
      h("p", null, `${job.StatusMessage}.`), takes ? null : h("p", null, "Nothing has been taken yet."),
      h("div.actions", null,
        !takes && taken ? h("button.primary", { type: "button", onclick: (event) => begin(event.target, text) }, `Take ${wrong ? `the ${number(taken)} good rows` : `all ${rowsSay(taken)}`}`) : null,
        job.ResultUri ? h("a.button", { href: job.ResultUri, download: true }, icon("download"), "Download the bad rows") : null,
        h("a.button", { href: takes ? kind().list : "/jobs" }, takes ? `To the ${kind().lists.toLowerCase()}` : "Downloads and imports"))));
    place.firstChild.focus();
  }
  async function begin(button, text) {
    button.disabled = true;
    try {
      const answer = await send(text, { TakeGoodRows: "true", AsJob: "true" }, { signal });
      await follow(answer.Id, text, true);
    } catch (error) {
      button.disabled = false;
      toast(error.message, "bad");
    }
  }

  function preview(file, answer) {
    const bad = byRow(answer.Errors), passed = rowsPassed(answer), taken = Number(answer.Taken), wrong = Number(answer.BadRows);
    const good = file.rows.map((_, i) => i + 1).filter((row) => !bad.has(row) && !passed.has(row));
    const table = h("div.stack"), draw = (onlyBad) => fill(table, previewTable(file, bad, passed, onlyBad));
    const only = h("label.check", null, h("input", { type: "checkbox", checked: wrong > 0, onchange: (event) => draw(event.target.checked) }), h("span", null, "Only the bad rows"));
    draw(wrong > 0);
    fill(place, h("section.card", { tabindex: "-1" },
      h("div.card-head", null, h("h2", null, "Preview"), wrong ? h("span.badge.bad", null, `${rowsSay(wrong)} bad`) : null, h("span.badge.good", null, `${rowsSay(taken)} good`)),
      h("p", null, taken === 0 && wrong === 0 ? "There is nothing to take in this file." : taken === 0 ? "Nothing of this file can be taken. Mend the rows below and choose it again."
        : wrong ? "Nothing has been taken yet. Mend the bad rows and choose the file again, or take the good ones without them." : "Nothing has been taken yet."),
      answer.Errors.length < wrong ? h("p.muted", null, "There are more bad rows than are shown; they are left out too.") : null,
      passedOver(answer),
      h("div.actions", null,
        taken ? h("button.primary", { type: "button", onclick: () => run(file, good) }, wrong || passed.size ? `Take the ${number(taken)} good ${taken === 1 ? "row" : "rows"}` : `Take ${taken === 1 ? "the row" : `all ${rowsSay(taken)}`}`) : null,
        answer.BadRowsCsv ? badRowsLink(answer.BadRowsCsv, signal) : null),
      wrong ? only : null, table));
    place.firstChild.focus();
  }

  const sheet = form({
    action: "Preview",
    fields: [
      { name: "File", label: "CSV file", kind: "file", accept: ".csv,text/csv", hint: "Up to 16 MiB. A file of more than 10,000 rows is taken in the background." },
      { name: "Text", label: "or paste its lines", kind: "textarea", rows: 5, code: true, spellcheck: "false" },
    ],
    submit: async ({ Text }) => {
      fill(place);
      const text = (await textOf(sheet.field("File"), Text)).replace(/^\ufeff/, "");
      if (!text.trim())
        throw new Error("Choose a file, or paste its lines: the first names the columns.");
      const answer = await send(text, { DryRun: "true", TakeGoodRows: "true", WithBadRows: "true" }, { signal });
      if (answer.Id) {
        await follow(answer.Id, text, false);
        return;
      }
      if (Number(answer.Rows) === 0)
        throw new Error("The file has no rows under its header.");
      preview(parse(text, answer.Separator), answer);
    },
  });
  return { title, node: h("div.stack", null, heading(title, { back, actions: [sampleLink(campaigns, signal)] }),
    h("section.card", null, h("p", null, says),
    campaigns.length ? h("p.muted", null, `Campaigns: ${campaigns.slice(0, 20).map((one) => `${one.Id} ${one.Name}${isBrand() ? ` (action trackers: ${one.Trackers.map((each) => `${each.Id} ${each.Name}`).join(", ") || "none"})` : ""}`).join(" · ")}`) : null,
    sheet.node), place) };
}
