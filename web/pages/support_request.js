/* support_request.js — one support request: its messages, and the next one. */
import { get, isOperator, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date } from "../format.js";
import { badge } from "../ui/badge.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";
import { KINDS } from "./support.js";

export async function page({ params, signal, guard }) {
  const uri = own(`/SupportRequests/${encodeURIComponent(params.Id)}`);
  const head = h("div"), about = h("section.card"), thread = h("ul.thread");

  function draw(request) {
    fill(head, heading(request.Subject, { back: ["Support", isOperator() ? "/operator/support" : "/support"], beside: badge("SupportState", request.State) }));
    fill(about, facts([
      ["About", Object.fromEntries(KINDS)[request.Kind]], ["Asked", date(request.CreationDate)],
      ["Account", isOperator() ? h("a", { href: `/operator/accounts/${request.AccountSid}` }, request.AccountName) : ""],
      ["Event notification", request.NotificationId && (isOperator() ? request.NotificationId : h("a", { href: `/notifications/${request.NotificationId}` }, request.NotificationId))],
      ["", isOperator() && request.Kind === "CUSTOM_HEADER" ? h("a", { href: `/operator/headers?AccountSid=${request.AccountSid}` }, "Set custom headers") : ""],
      [" ", isOperator() && request.Kind === "DATA_POINT" ? h("a", { href: `/operator/accounts/${request.AccountSid}` }, "Open data points") : ""],
    ]));
    fill(thread, request.Messages.map((message) => h("li", null,
      h("p.who", null, `${message.From === "OPERATOR" ? "Support" : "Account"} · ${message.Author} · ${date(message.Date)}`), h("p.says", null, message.Text))));
  }
  const reload = async () => draw(await get(uri, null, { signal }));
  const sheet = mayChange() ? form({
    action: "Send",
    fields: [
      { name: "Text", label: isOperator() ? "Answer" : "Write again", kind: "textarea", required: true, maxlength: 4000, rows: 5 },
      ...(isOperator() ? [{ name: "State", label: "The request is then", kind: "select", options: [["ANSWERED", "Answered"], ["CLOSED", "Closed"], ["OPEN", "Still open"]] }] : []),
    ],
    submit: async (values) => {
      await post(`${uri}/Messages`, values);
      sheet.set("Text", "");
      toast("Sent.");
      await reload();
    },
  }) : null;
  guard(() => Boolean(sheet?.values().Text.trim()));
  await reload();
  return { title: "Support request", node: h("div", null, head, about, h("section.card", null, h("h2", null, "Messages"), thread, sheet?.node)) };
}
