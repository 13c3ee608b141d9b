/* many.js — many postbacks at once: picked ones, or all that match the filters, are retried, sent again or cancelled.
 *
 * const many = manyOf({ filters: () => the list's parameters, done: () => after picked ones were changed, go, signal })
 *   many.picks for the list, many.menu among its tools
 */
import { get, own, post } from "../../api.js";
import { fill, h } from "../../dom.js";
import { number } from "../../format.js";
import { confirm } from "../../ui/dialog.js";
import { toast } from "../../ui/toast.js";

const ASKED_FROM = 100, COUNTED_MOST = 10000;
const ACTIONS = [
  { action: "RETRY", button: "Retry", done: "retried", text: "Each that waits is tried as soon as its receiver takes it. Others stay as they are." },
  { action: "RESEND", button: "Resend", done: "sent again", text: "Each that has ended goes out once more, as a new postback. Others stay as they are." },
  { action: "CANCEL", button: "Cancel", done: "cancelled", tone: "danger", text: "Each that waits is not sent any more. They can be resent afterwards." },
];
const counted = (count, more = false) => `${more ? "more than " : ""}${number(count)} postback${count === 1 ? "" : "s"}`;

/* Asks before what cannot be taken back, and before what is many. */
async function sure({ action, button, text, tone }, count, more) {
  if (action !== "CANCEL" && count <= ASKED_FROM)
    return true;
  const what = `${button} ${counted(count, more)}`;
  return confirm({ title: `${what}?`, text, action: what, tone, keep: "Change nothing" });
}

async function failing(act) {
  try {
    await act();
  } catch (error) {
    if (error.name !== "AbortError")
      toast([error.message, ...(error.errors ?? []).map((one) => `${one.Field}: ${one.Message}`)].join(" "), "bad");
  }
}

/* How many match, told while they are counted: { count, more }. */
async function countOf(filters, signal, tell) {
  let count = 0, Before = "";
  do {
    const answer = await get(own("/Postbacks/Count"), { ...filters, Before }, { signal });
    count += Number(answer.Count);
    Before = answer.Before;
    tell(count);
  } while (Before && count <= COUNTED_MOST);
  return { count: Before ? COUNTED_MOST : count, more: Boolean(Before) };
}

export function manyOf({ filters, done, go, signal }) {
  const change = (one, rows) => failing(async () => {
    if (!await sure(one, rows.length, false))
      return;
    const answer = await post(own("/Postbacks/Change"), { Action: one.action, Ids: rows.map((row) => row.Id) });
    const changed = Number(answer.Done), refused = answer.Results.filter(({ Status }) => Status !== "OK");
    toast(`${counted(changed)} ${changed === 1 ? "was" : "were"} ${one.done}.${refused.length ? ` ${number(refused.length)} could not be: ${refused[0].Message}.` : ""}`, changed ? undefined : "bad");
    await done();
  });
  const changeAll = (one, given, { count, more }) => failing(async () => {
    if (!await sure(one, count, more))
      return;
    await post(own("/Postbacks/Change"), { ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)), Action: one.action, All: true });
    toast("It has begun. How far it is, is shown here.");
    go("/jobs");
  });

  const says = h("p", { role: "status" }), buttons = h("div");
  let counting = null;
  const look = () => failing(async () => {
    const given = filters(), mine = counting = new AbortController();
    fill(buttons);
    fill(says, "Counting…");
    const all = await countOf(given, AbortSignal.any([signal, mine.signal]), (count) => fill(says, `Counting… ${number(count)}`));
    const words = counted(all.count, all.more);
    fill(says, `${words[0].toUpperCase()}${words.slice(1)} match${all.count === 1 ? "es" : ""} the filters.`);
    fill(buttons, all.count ? ACTIONS.map((one) => h("button.plain", { type: "button", onclick: () => changeAll(one, given, all) }, `${one.button} all of them`)) : null);
  });
  return {
    picks: (rows) => ACTIONS.map((one) => h("button", { type: "button", class: one.tone, onclick: () => change(one, rows) }, one.button)),
    menu: h("details.choose.all", { ontoggle: (event) => { counting?.abort(); if (event.target.open) look(); } },
      h("summary.button", null, "All that match"), h("div.pop", null, says, buttons)),
  };
}
