/* postback_words.js — how a postback fares, in plain words; the same on every page. */
import { moment } from "./format.js";

/* Why no whole answer came, as the API names it. */
const errors = {
  dns: "the receiver's name was not found", refused_address: "the receiver's address is private and not allowed", connect: "the receiver could not be reached",
  tls: "the TLS handshake with the receiver failed", timeout: "the receiver did not answer in time", reset: "the receiver closed the connection",
  bad_answer: "the receiver's answer was not HTTP", build: "the request could not be built", proxy: "the proxy refused",
  no_room: "this server had no room for one more connection",
};

/* The API tells it as "connect" with a detail beside, or as "connect: connection refused". */
export function errorWords(error, detail = "") {
  const [name, ...rest] = error.split(": "), told = detail || rest.join(": ");
  return `${errors[name] ?? name}${told ? ` (${told})` : ""}`;
}

const ordinal = (n) => `${n}${n % 100 >= 11 && n % 100 <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th"}`;

/* "receiver answered 503", "the receiver did not answer in time"; "" when nothing was tried. */
function lastOutcome(postback) {
  if (postback.LastStatus && postback.LastStatus !== "0")
    return `receiver answered ${postback.LastStatus}`;
  return postback.LastError ? errorWords(postback.LastError) : "";
}

/* Why it waits, as the API says: since when, and until when if that is known. */
const waits = {
  MAINTENANCE: "maintenance", STORE: "this server cannot record deliveries just now", PAUSED: "the event notification is paused",
  HELD: "the event notification is held", RECEIVER_DOWN: "the receiver is down", ORDER: "an earlier one is to be delivered first",
  RATE: "Maximum Requests is reached", CONCURRENCY: "the receiver is busy with as many as it takes", MEMORY: "the server's memory for postbacks is full",
  TURN: "it goes out in a moment",
};
function waitSays({ WaitReason: reason, WaitSinceDate: since, WaitUntilDate: until, DueDate: due }) {
  if (reason === "RETRY" || !(reason in waits || reason === "DELAY"))
    return new Date(due) > new Date() ? `Waiting for ${moment(due)}` : "Waiting: it goes out in a moment";
  if (reason === "DELAY")
    return `Waiting for ${moment(until)}: Minimum Delay`;
  const to = { MAINTENANCE: "expected until", RECEIVER_DOWN: "tried again at" }[reason] ?? "until";
  return `Waiting: ${waits[reason]}${since ? ` since ${moment(since)}` : ""}${until ? `, ${to} ${moment(until)}` : ""}`;
}

/* "Waiting for 10:42, 3rd try, receiver answered 503", "Waiting: the receiver is down since 10:31, tried again at 10:42". */
export function postbackSays(postback) {
  const tries = Number(postback.Attempts), outcome = lastOutcome(postback);
  switch (postback.State) {
    case "DELIVERED":
      return `Delivered ${moment(postback.FinishedDate)}${tries > 1 ? `, ${ordinal(tries)} try` : ""}`;
    case "DELIVERING":
      return "Being sent";
    case "CANCELLED":
      return `Cancelled ${moment(postback.FinishedDate)}`;
    case "EXPIRED":
      return `Given up ${moment(postback.FinishedDate)}`;
  }
  return [waitSays(postback), tries > 0 ? `${ordinal(tries + 1)} try` : "", outcome].filter(Boolean).join(", ");
}

/* Events in words; the operator's own types have their names alone. */
const events = {
  "action_inquiry.opened": "Inquiry opened", "action_inquiry.resolved": "Inquiry decided", "action_inquiry.closed": "Inquiry closed",
  "action_inquiry.incomplete": "More information asked for", "action_inquiry.replied": "Question answered", "action_inquiry.reopened": "Inquiry reopened",
  "action.tracked": "Action credited", "action.modified": "Action changed", "action.reversed": "Action taken back", "action.cleared": "Payout cleared",
  "job.completed": "Job ended", "system.maintenance_started": "Maintenance began", "system.maintenance_ended": "Maintenance over",
};
export const eventSays = (type) => events[type] ?? type;

export const attemptSays = (attempt) => ({
  delivered: "Delivered", failed: "Not delivered", destination: "Not delivered: the receiver is in trouble", gone: "The receiver is gone (410)",
}[attempt.Verdict] ?? attempt.Verdict);

export const errorSays = (attempt) => (attempt.Error && attempt.Error !== "ok"
  ? `${errorWords(attempt.Error, attempt.Detail).replace(/^t/, "T")}.` : attempt.Detail);
