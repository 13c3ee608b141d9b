/* postback_words.js — how a postback fares, in plain words; the same on every page. */
import { moment } from "./format.js";

/* Why no whole answer came, as the API names it. */
const errors = {
  dns: "its name was not found", refused_address: "its address is private and not allowed", connect: "it could not be reached",
  tls: "the TLS handshake failed", timeout: "it did not answer in time", reset: "it closed the connection",
  bad_answer: "its answer was not HTTP", build: "the request could not be built", proxy: "the proxy refused",
  no_room: "this server had no room for one more connection",
};

const ordinal = (n) => `${n}${n % 100 >= 11 && n % 100 <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th"}`;

/* "receiver answered 503", "receiver: it did not answer in time"; "" when nothing was tried. */
function lastOutcome(postback) {
  if (postback.LastStatus && postback.LastStatus !== "0")
    return `receiver answered ${postback.LastStatus}`;
  return postback.LastError ? `receiver: ${errors[postback.LastError] ?? postback.LastError}` : "";
}

/* "Waiting for 10:42, 3rd try, receiver answered 503". */
export function postbackSays(postback, notification) {
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
  const state = notification?.State;
  const until = state === "PAUSED" ? "Waiting: the event notification is paused"
    : state === "HELD" ? "Waiting: the event notification is held"
      : new Date(postback.DueDate) > new Date() ? `Waiting for ${moment(postback.DueDate)}` : "Waiting for its turn";
  return [until, tries > 0 ? `${ordinal(tries + 1)} try` : "", outcome].filter(Boolean).join(", ");
}

export const attemptSays = (attempt) => ({
  delivered: "Delivered", failed: "Not delivered", destination: "Not delivered: the receiver is in trouble", gone: "The receiver is gone (410)",
}[attempt.Verdict] ?? attempt.Verdict);

export const errorSays = (attempt) => (attempt.Error && attempt.Error !== "ok"
  ? `The receiver: ${errors[attempt.Error] ?? attempt.Error}${attempt.Detail ? ` (${attempt.Detail})` : ""}.` : attempt.Detail);
