/* format.js — values of the API in people's words. */
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dateUtc = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const dateTimeUtc = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const timeShort = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const whole = new Intl.NumberFormat();

const parsed = (text) => (text ? new Date(text) : null);

export const date = (text) => (text ? dateTime.format(parsed(text)) : "");
export const day = (text) => (text ? dateOnly.format(parsed(text)) : "");
/* To the second. */
export const exact = (text) => (text ? exactly.format(parsed(text)) : "");
/* A day that was given without a time is midnight in UTC: it stays that day wherever one reads it.  One with a time is
 * told in UTC too, or two orders of one day would stand under two days. */
export function calendarDay(text) {
  if (!text)
    return "";
  return /T00:00:00(\.0+)?(Z|\+00:00)$/.test(text) ? dateUtc.format(parsed(text)) : `${dateTimeUtc.format(parsed(text))} UTC`;
}

/* ---- days of the person's zone ---- */

/* "Europe/Berlin (UTC+1)": where times and days are those of. */
export function zone(at = new Date()) {
  const minutes = -at.getTimezoneOffset(), [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const offset = `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return minutes === 0 && name === "UTC" ? "UTC" : `${name} (${offset})`;
}
const midnight = (day, later) => {
  const [year, month, date] = day.split("-").map(Number), at = new Date(year, month - 1, date + later);
  at.setFullYear(year, month - 1, date + later); /* a year under 100 is that year */
  return at;
};
const toSecond = (at) => at.toISOString().replace(/\.\d+Z$/, "Z");
/* The first and the last second of a day ("2026-01-15") of the person's zone, as the API takes them: 23 to 25 hours apart. */
export const dayStart = (day) => toSecond(midnight(day, 0));
export const dayEnd = (day) => toSecond(new Date(midnight(day, 1) - 1000));
/* "10:42" today, else with its date. */
export function moment(text) {
  const at = parsed(text);
  if (!at)
    return "";
  return at.toDateString() === new Date().toDateString() ? timeShort.format(at) : dateTime.format(at);
}
/* A text of the server's, which says times as "5 Nov 2026, 14:05 UTC", with them in the person's zone. */
export const localTimes = (text) => text.replace(/\b(\d{1,2} [A-Z][a-z]{2} \d{4}), (\d\d:\d\d) UTC\b/g,
  (whole, day, time) => (Number.isNaN(Date.parse(`${day} ${time} UTC`)) ? whole : dateTime.format(new Date(`${day} ${time} UTC`))));

/* "1 postback", "2 postbacks". */
export const counted = (count, one, many = `${one}s`) => `${whole.format(Number(count))} ${Number(count) === 1 ? one : many}`;
export const number = (text) => (text === "" || text === undefined || text === null ? "" : whole.format(Number(text)));
/* Money is a decimal string and stays one: digits are grouped, never computed. */
export function money(text, currency) {
  if (!text)
    return "";
  const [, sign, digits, rest] = /^(-?)(\d+)(\.\d+)?$/.exec(text) ?? [null, "", text, ""];
  return `${sign}${digits.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f")}${rest ?? ""}${currency ? ` ${currency}` : ""}`;
}
export function bytes(text) {
  let value = Number(text), unit = 0;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
}
/* "3 min", "2 h 5 min", "4 d". */
export function span(seconds) {
  const s = Math.max(0, Math.round(Number(seconds)));
  if (s < 60)
    return `${s} s`;
  if (s < 3600)
    return `${Math.floor(s / 60)} min`;
  if (s < 86400)
    return `${Math.floor(s / 3600)} h${s % 3600 >= 60 ? ` ${Math.floor(s % 3600 / 60)} min` : ""}`;
  return `${Math.floor(s / 86400)} d`;
}
export const ago = (text) => (text ? `${span((Date.now() - parsed(text)) / 1000)} ago` : "");

/* The API's enums: [words, tone]; tones are classes of .badge. */
export const words = {
  InquiryType: { UNTRACKED: "Order not tracked", INCORRECT: "Order tracked incorrectly", DECLINED: "Order incorrectly rejected" },
  ResolutionStatus: { UNRESOLVED: "Waiting for review", VALID: "Accepted", DECLINED: "Declined", INCOMPLETE: "More information wanted" },
  InquiryState: { OPEN: "Open", CLOSED: "Closed" },
  ActionState: { PENDING: "Pending", APPROVED: "Approved", REVERSED: "Reversed" },
  ActionStep: { TRACKED: "Tracked", MODIFIED: "Changed", REVERSED: "Taken back", APPROVED: "Approved by the brand", LOCKED: "Locked", CLEARED: "Cleared" },
  ReferringType: { ACTION_INQUIRY: "An inquiry", DATAPOST: "A conversion" },
  Disposition: {
    ORDER_UPDATE: "Order changed", ITEM_RETURNED: "Item returned", ITEM_OUT_OF_STOCK: "Out of stock", ORDER_ERROR: "Error in the order", REJECTED: "Rejected",
    CONS_INFO_INVALID: "Customer's details not valid", CONS_ERROR: "Customer's mistake", CONS_FRAUD: "Customer's fraud", PUB_ACT_DISPUTE: "Disputed by the partner",
    ADV_ACT_DISPUTE: "Disputed by the brand", NOT_COMPLIANCE_TERMS: "Against the terms", MP_RETURNED: "Returned by the partner",
    CREDITED_DIFFERENT_MP: "Credited to another partner", TEST_ACTION: "A test", OTHER: "Another reason",
  },
  NotificationState: { ACTIVE: "Active", PAUSED: "Paused", HELD: "Held", DAMAGED: "Damaged" },
  SupportState: { OPEN: "Open", ANSWERED: "Answered", CLOSED: "Closed" },
  Lateness: { ON_TIME: "On time", LATE: "Late", ALARM: "Far too late" },
  ReplayState: { RUNNING: "Running", DONE: "Done", CANCELLED: "Cancelled" },
  JobStatus: { QUEUED: "Waiting for its turn", RUNNING: "Running", COMPLETED: "Done", CANCELLED: "Cancelled", ERROR: "Not done", FAILED: "Failed" },
  JobType: { INQUIRY_EXPORT: "Export of inquiries", ACTION_EXPORT: "Export of actions", ACTION_UPDATE_EXPORT: "Export of action updates", POSTBACK_EXPORT: "Export of postbacks", ATTEMPT_EXPORT: "Export of attempts", AUDIT_EXPORT: "Export of the audit log", INQUIRY_IMPORT: "Import of inquiries", DECISION_IMPORT: "Import of decisions", ACTION_CHANGE_IMPORT: "Import of changes of actions", POSTBACK_CHANGE: "Many postbacks", ERASURE: "Erasure" },
  Kind: { PARTNER: "Partner", BRAND: "Brand", OPERATOR: "Operator" },
  Role: { ADMIN: "Admin", USER: "User", READ_ONLY: "Read only" },
};
export const tones = {
  UNRESOLVED: "", VALID: "good", DECLINED: "bad", INCOMPLETE: "warn", OPEN: "", CLOSED: "quiet",
  PENDING: "", APPROVED: "good", REVERSED: "bad",
  ACTIVE: "good", PAUSED: "quiet", HELD: "warn", DAMAGED: "bad",
  DELIVERED: "good", WAITING: "warn", CANCELLED: "quiet", EXPIRED: "bad",
  ANSWERED: "good", ON_TIME: "good", LATE: "warn", ALARM: "bad", DONE: "good", RUNNING: "",
  QUEUED: "quiet", COMPLETED: "good", ERROR: "bad", FAILED: "bad",
};
