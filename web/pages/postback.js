/* postback.js — one postback: how it fares, each attempt with its request and response; retry, resend, cancel. */
import { get, mayChange, own, post, watch } from "../api.js";
import { fill, h } from "../dom.js";
import { exact } from "../format.js";
import { attemptSays, errorSays } from "../postback_words.js";
import { confirm } from "../ui/dialog.js";
import { exchange } from "../ui/exchange.js";
import { facts } from "../ui/facts.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { notificationTitle, notificationsById, stateBadge } from "./postbacks.js";

function attemptCard(attempt, open) {
  const good = attempt.Verdict === "delivered";
  return h("details.card.attempt", { open, "data-number": attempt.Number },
    h("summary.card-head", null, h("strong", null, `Attempt ${attempt.Number}`), h("span", null, exact(attempt.StartDate)),
      h("span.badge", { class: good ? "good" : "bad" }, attemptSays(attempt)), h("span.muted", null, `${attempt.Response.Status && attempt.Response.Status !== "0" ? `${attempt.Response.Status} · ` : ""}${attempt.DurationMs} ms`)),
    exchange(attempt.Request, attempt.Response, errorSays(attempt)));
}

export async function page({ params, signal, go }) {
  const uri = own(`/Postbacks/${encodeURIComponent(params.Id)}`);
  const byId = await notificationsById(signal);
  const head = h("div"), about = h("section.card"), attempts = h("section.attempts");
  const opened = new Map();
  let drawn = "";

  async function act(what, says, then) {
    try {
      const answer = await post(`${uri}/${what}`);
      toast(typeof says === "function" ? says(answer) : says);
      then?.(answer);
      await reload();
    } catch (error) {
      toast(error.message, "bad");
    }
  }
  function actions(postback) {
    if (!mayChange())
      return [];
    const button = (text, onclick, tone) => h("button", { type: "button", class: tone, onclick }, text);
    if (postback.State === "WAITING")
      return [
        button("Retry now", () => act("Retry", (answer) => answer.Message)),
        button("Cancel", async () => {
          if (await confirm({ title: "Cancel this postback?", text: "It will not be sent any more. It can be resent afterwards.", action: "Cancel the postback", keep: "Keep it", tone: "danger" }))
            act("Cancel", "It is cancelled.");
        }, "danger")];
    if (postback.State === "DELIVERING")
      return [];
    return [button("Resend", () => act("Resend", "A new postback sends it again.", (answer) => answer.Uri && go(`/postbacks/${answer.Uri.split("/").pop()}`)))];
  }
  function draw(postback) {
    const notification = byId.get(postback.NotificationId);
    fill(head, heading(`Postback ${postback.Id}`, { back: ["Postbacks", "/postbacks"], beside: stateBadge(postback), actions: actions(postback) }));
    fill(about, facts([
      ["Event", postback.EventType], ["Event id", postback.EventId],
      ["Event notification", h("a", { href: `/notifications/${postback.NotificationId}` }, notificationTitle(notification, postback.NotificationId))],
      ["Action", postback.ActionId && h("a", { href: `/actions/${postback.ActionId}` }, postback.ActionId)],
      ["Inquiry", postback.InquiryId && h("a", { href: `/inquiries/${postback.InquiryId}` }, postback.InquiryId)],
      ["Made", exact(postback.CreationDate)],
      ["Waits since", postback.WaitSinceDate && exact(postback.WaitSinceDate)],
      ["Until", postback.WaitReason !== "RETRY" && postback.WaitUntilDate && exact(postback.WaitUntilDate)],
      ["Next try", ["", "RETRY", "DELAY", "TURN"].includes(postback.WaitReason) && postback.State === "WAITING" && postback.DueDate ? exact(postback.DueDate) : ""],
      ["Finished", postback.FinishedDate && exact(postback.FinishedDate)], ["Attempts", postback.Attempts],
      ["Sends again", postback.ResentFrom && h("a", { href: `/postbacks/${postback.ResentFrom}` }, postback.ResentFrom)], ["Replay", postback.ReplayId],
    ]));
    for (const one of attempts.querySelectorAll("details.attempt"))
      opened.set(one.dataset.number, one.open);
    const newest = [...postback.AttemptList].sort((a, b) => Number(b.Number) - Number(a.Number));
    fill(attempts, h("h2", null, "Attempts"), newest.length ? newest.map((one, i) => attemptCard(one, opened.get(one.Number) ?? i === 0)) : h("p.muted", null, "None yet."));
  }
  async function reload() { /* what is the same stays as it is: it may have the focus, or be scrolled */
    const postback = await get(uri, null, { signal }), now = JSON.stringify(postback);
    if (now !== drawn)
      draw(postback);
    drawn = now;
  }
  await reload();
  watch(() => reload().catch(() => {}), signal);
  return { title: `Postback ${params.Id}`, node: h("div", null, head, about, attempts) };
}
