/* format.js — values of the API in people's words. */

/* The person's language for numbers and dates, and time zone; undefined: the browser's. */
let locale, timeZone, dateTime, dateOnly, exactly, dateUtc, dateTimeUtc, timeShort, whole, separators;

/* As the signed-in person wants them: a User of the API, or nobody.  What the browser does not know is as if not given. */
export function speak(user) {
  const known = (make, value) => {
    try {
      return value && make(value) ? value : undefined;
    } catch {
      return undefined;
    }
  };
  locale = known((one) => new Intl.NumberFormat(one), user?.Locale);
  timeZone = known((one) => new Intl.DateTimeFormat("en", { timeZone: one }), user?.TimeZone);
  const shape = (options) => new Intl.DateTimeFormat(locale, { timeZone, ...options });
  dateTime = shape({ dateStyle: "medium", timeStyle: "short" });
  dateOnly = shape({ dateStyle: "medium" });
  exactly = shape({ dateStyle: "medium", timeStyle: "medium" });
  dateUtc = shape({ dateStyle: "medium", timeZone: "UTC" });
  dateTimeUtc = shape({ dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  timeShort = shape({ timeStyle: "short" });
  whole = new Intl.NumberFormat(locale, { numberingSystem: "latn" });
  const parts = whole.formatToParts(-1234567.5), part = (type) => parts.find((one) => one.type === type)?.value ?? "";
  separators = { decimal: part("decimal") || ".", group: part("group"), minus: part("minusSign") || "-" };
}
speak(null);

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

const wall = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", era: "short" };
/* How far the person's zone is before UTC at that moment, in minutes. */
function offset(at) {
  if (!timeZone)
    return -at.getTimezoneOffset();
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en", { ...wall, timeZone }).formatToParts(at).map((one) => [one.type, one.value]));
  const there = new Date(0);
  there.setUTCFullYear(parts.era === "BC" ? 1 - parts.year : parts.year, parts.month - 1, parts.day);
  there.setUTCHours(parts.hour, parts.minute, parts.second);
  return Math.round((there - Math.floor(at / 1000) * 1000) / 60000);
}
/* When the clocks of the person's zone show what `there` shows in UTC.  In an hour that they leave out: as if they had
 * not yet been put forward. */
function ofWall(there) {
  const first = new Date(there - offset(there) * 60000), before = offset(new Date(first - 3600000)), at = new Date(there - before * 60000);
  return offset(at) === before ? at : first;
}
const pad = (value, places = 2) => String(value).padStart(places, "0");
/* Of a field of date and time: "2026-11-05T14:05", in the person's zone, to what the API takes and back. */
export const instant = (text) => (text ? ofWall(new Date(`${text}Z`)).toISOString() : undefined);
export const wallTime = (text) => (text ? new Date(parsed(text).getTime() + offset(parsed(text)) * 60000).toISOString().slice(0, 16) : "");

/* "Europe/Berlin (UTC+1)": where times and days are those of. */
export function zone(at = new Date()) {
  const minutes = offset(at), [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const ahead = `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${pad(rest)}` : ""}`;
  const name = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  return minutes === 0 && name === "UTC" ? "UTC" : `${name} (${ahead})`;
}
function midnight(day, later) {
  const [year, month, date] = day.split("-").map(Number);
  if (!timeZone) {
    const at = new Date(year, month - 1, date + later);
    at.setFullYear(year, month - 1, date + later); /* a year under 100 is that year */
    return at;
  }
  const there = new Date(0);
  there.setUTCFullYear(year, month - 1, date + later);
  return ofWall(there);
}
const toSecond = (at) => at.toISOString().replace(/\.\d+Z$/, "Z");
/* The first and the last second of a day ("2026-01-15") of the person's zone, as the API takes them: 23 to 25 hours apart. */
export const dayStart = (day) => toSecond(midnight(day, 0));
export const dayEnd = (day) => toSecond(new Date(midnight(day, 1) - 1000));
/* "10:42" today, else with its date. */
export function moment(text) {
  const at = parsed(text);
  if (!at)
    return "";
  return dateOnly.format(at) === dateOnly.format(new Date()) ? timeShort.format(at) : dateTime.format(at);
}
/* A text of the server's, which says times as "5 Nov 2026, 14:05 UTC", with them in the person's zone. */
export const localTimes = (text) => text.replace(/\b(\d{1,2} [A-Z][a-z]{2} \d{4}), (\d\d:\d\d) UTC\b/g,
  (whole, day, time) => (Number.isNaN(Date.parse(`${day} ${time} UTC`)) ? whole : dateTime.format(new Date(`${day} ${time} UTC`))));

/* "1 postback", "2 postbacks". */
export const counted = (count, one, many = `${one}s`) => `${whole.format(Number(count))} ${Number(count) === 1 ? one : many}`;
export const number = (text) => (text === "" || text === undefined || text === null ? "" : whole.format(Number(text)));
/* Money is a decimal string and stays one: it is written as the person's language does, never computed. */
export function money(text, currency) {
  if (!text)
    return "";
  const [, sign, digits, rest] = /^(-?)(\d+)(\.\d+)?$/.exec(text) ?? [];
  const said = digits ? `${sign && separators.minus}${whole.format(BigInt(digits))}${rest ? separators.decimal + rest.slice(1) : ""}` : text;
  return `${said}${currency ? ` ${currency}` : ""}`;
}
/* A decimal string as one would type it: without groups. */
export const typed = (text) => (/^-?\d+\.\d+$/.test(text ?? "") ? text.replace(".", separators.decimal) : text);

const SPACES = /[\s\u00a0\u202f]/gu;
/* A decimal that a person typed, read as it is written in their language: { value, unsure }.  "89,90" and "1.234,56" are
 * 89.90 and 1234.56 in German; where one mark stands alone it is the language's decimal mark, or separates thousands when
 * it is its group mark and three digits follow, else the decimal mark of another language.  `unsure`: elsewhere it would
 * be read otherwise.  What is no number stays as it is, for the check that names what is wrong. */
export function decimal(text) {
  const plain = text.replace(SPACES, "").replace(/(\d)['’](?=\d{3})/g, "$1"), marks = plain.match(/[.,]/g) ?? [];
  const { decimal: mark, group } = separators, as = (point, unsure) => ({ value: plain.replace(/[.,]/g, (one, at) => (at === point ? "." : "")), unsure });
  if (!/^-?\d[\d.,]*$/.test(plain) || plain.length - marks.length > 20)
    return { value: text, unsure: false };
  if (!marks.length)
    return { value: plain, unsure: false };
  const last = Math.max(plain.lastIndexOf("."), plain.lastIndexOf(",")), kinds = new Set(marks).size;
  const groups = (part) => /^-?[1-9]\d{0,2}([.,]\d{2,3})*[.,]\d{3}$/.test(part);
  if (kinds === 2) /* groups, then a decimal mark that stands once */
    return marks.filter((one) => one === plain[last]).length === 1 && groups(plain.slice(0, last)) && last < plain.length - 1
      ? as(last, plain[last] !== mark) : { value: text, unsure: false };
  if (marks.length > 1)
    return groups(plain) ? as(-1, marks[0] !== group) : { value: text, unsure: false };
  if (last === plain.length - 1)
    return { value: text, unsure: false };
  const thousands = groups(plain);
  return thousands && plain[last] === group && group !== mark ? as(-1, true) : as(last, thousands || plain[last] !== mark);
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
