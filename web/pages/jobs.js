/* jobs.js — downloads and imports: what the account's jobs do, how far each is, and their files. */
import { again, mayChange, own, post, watch } from "../api.js";
import { h, icon } from "../dom.js";
import { bytes, date, number, words } from "../format.js";
import { badge } from "../ui/badge.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";
import { progress } from "../ui/progress.js";
import { toast } from "../ui/toast.js";

const LOOK_MS = 1000;
const goesOn = (job) => job.Status === "QUEUED" || job.Status === "RUNNING";
const isImport = (job) => job.Type.endsWith("_IMPORT");

/* What was asked for, in a line. */
const asked = (job) => Object.entries(job.Parameters).filter(([name, value]) => value !== "false" && name !== "Sort")
  .map(([name, value]) => (value === "true" ? name : `${name} ${value}`)).join(", ");

function far(job) {
  if (goesOn(job))
    return h("div", null, progress(Number(job.PercentageComplete), 100, `Progress of job ${job.Id}`),
      job.RecordsProcessed !== "0" ? h("p.muted", null, job.RecordsTotal ? `${number(job.RecordsProcessed)} of ${number(job.RecordsTotal)}` : number(job.RecordsProcessed)) : null);
  return job.StatusMessage;
}

function result(job) {
  if (!job.ResultUri)
    return "";
  return h("div", null, h("a.button.small", { href: job.ResultUri, download: true, "aria-label": `Download the result of job ${job.Id}` }, icon("download"), isImport(job) ? "Rows that were wrong" : "Download"),
    h("p.muted", null, `${bytes(job.ResultBytes)}, until ${date(job.ExpirationDate)}`));
}

function stop(job, changed) {
  const button = h("button.small", { type: "button", "aria-label": `Cancel job ${job.Id}`, onclick: async () => {
    button.disabled = true;
    try {
      await post(own(`/Jobs/${job.Id}/Cancel`));
      toast(isImport(job) ? "The import is cancelled; what it has taken stays." : "The export is cancelled.");
    } catch (error) {
      toast(error.message, "bad");
    }
    changed();
  } }, "Cancel");
  return goesOn(job) && mayChange() ? button : "";
}

export async function page(context) {
  const { signal } = context;
  const running = new Set(); /* ids of those that went on when they were last seen */
  const load = pageOf(own("/Jobs"), "Jobs", "Before");
  const jobs = list({
    id: "jobs", caption: "Jobs, newest first", context, pageSize: 20, rowKey: (row) => row.Id,
    empty: "Nothing yet. Exports of the lists and imports of large files appear here.",
    filters: [{ name: "Status", label: "Status", kind: "select", options: [["", "All"], ...Object.entries(words.JobStatus)] }],
    columns: [
      { key: "name", title: "Job", always: true, cell: (row) => h("div", null, h("strong", null, row.Name), h("p.muted", null, `${words.JobType[row.Type] ?? row.Type}, ${row.Format}${asked(row) ? `: ${asked(row)}` : ""}`)) },
      { key: "status", title: "Status", always: true, cell: (row) => badge("JobStatus", row.Status) },
      { key: "far", title: "Progress", always: true, cell: far },
      { key: "result", title: "File", always: true, cell: result },
      { key: "created", title: "Asked", cell: (row) => date(row.CreatedDate) },
      { key: "ended", title: "Ended", hidden: true, cell: (row) => date(row.CompletedDate) },
      { key: "id", title: "Id", hidden: true, cell: (row) => row.Id },
      { key: "doing", title: "", align: "doing", always: true, cell: (row) => stop(row, () => jobs.reload()) },
    ],
    load: async (values, still) => {
      const found = await load(values, still);
      const went = new Set(running);
      running.clear();
      for (const job of found.rows) {
        if (goesOn(job))
          running.add(job.Id);
        else if (went.has(job.Id))
          toast(`${job.Name}: ${(words.JobStatus[job.Status] ?? job.Status).toLowerCase()}. ${job.StatusMessage}`, job.Status === "COMPLETED" ? undefined : "bad");
      }
      return found;
    },
  });
  again(LOOK_MS, () => (running.size && jobs.atTop() && !document.hidden ? jobs.reload() : null), signal);
  watch(() => (jobs.atTop() ? jobs.reload() : null), signal);
  await jobs.ready;
  return { title: "Downloads and imports", node: h("div", null, heading("Downloads and imports"), jobs.node) };
}
