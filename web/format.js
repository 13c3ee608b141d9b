/* format.js — values of the API in people's words. */
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dateUtc = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const timeShort = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const whole = new Intl.NumberFormat();

const parsed = (text) => (text ? new Date(text) : null);

export const date = (text) => (text ? dateTime.format(parsed(text)) : "");
export const day = (text) => (text ? dateOnly.format(parsed(text)) : "");
/* To the second. */
export const exact = (text) => (text ? exactly.format(parsed(text)) : "");
/* A day that was given without a time is midnight in UTC: it stays that day wherever one reads it. */
export const calendarDay = (text) => (/T00:00:00(\.0+)?(Z|\+00:00)$/.test(text ?? "") ? dateUtc.format(parsed(text)) : date(text));
/* "10:42" today, else with its date. */
export function moment(text) {
  const at = parsed(text);
  if (!at)
    return "";
  return at.toDateString() === new Date().toDateString() ? timeShort.format(at) : dateTime.format(at);
}
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
  NotificationState: { ACTIVE: "Active", PAUSED: "Paused", HELD: "Held", DAMAGED: "Damaged" },
  SupportState: { OPEN: "Open", ANSWERED: "Answered", CLOSED: "Closed" },
  Lateness: { ON_TIME: "On time", LATE: "Late", ALARM: "Far too late" },
  ReplayState: { RUNNING: "Running", DONE: "Done", CANCELLED: "Cancelled" },
  Kind: { PARTNER: "Partner", BRAND: "Brand", OPERATOR: "Operator" },
  Role: { USER: "User", READ_ONLY: "Read only" },
};
export const tones = {
  UNRESOLVED: "", VALID: "good", DECLINED: "bad", INCOMPLETE: "warn", OPEN: "", CLOSED: "quiet",
  ACTIVE: "good", PAUSED: "quiet", HELD: "warn", DAMAGED: "bad",
  DELIVERED: "good", WAITING: "warn", CANCELLED: "quiet", EXPIRED: "bad",
  ANSWERED: "good", ON_TIME: "good", LATE: "warn", ALARM: "bad", DONE: "good", RUNNING: "",
};
