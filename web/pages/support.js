/* support.js — support requests: an account's own with a form to ask, or the operator's queue. */
import { get, isOperator, mayChange, own, post } from "../api.js";
import { h } from "../dom.js";
import { ago, date } from "../format.js";
import { badge } from "../ui/badge.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { list } from "../ui/list.js";
import { toast } from "../ui/toast.js";
import { notificationTitle, notificationsById } from "./postbacks.js";

export const KINDS = [["CUSTOM_HEADER", "A custom header with credentials"], ["DATA_POINT", "A data point that is missing"], ["DELAY", "Postbacks are late"], ["OTHER", "Something else"]];
const STATES = [["OPEN", "Open"], ["ANSWERED", "Answered"], ["CLOSED", "Closed"]];
const kindWords = Object.fromEntries(KINDS);

const href = (request) => `${isOperator() ? "/operator" : ""}/support/${request.Id}`;

function requests(context) {
  const columns = [
    { key: "subject", title: "Subject", always: true, cell: (row) => h("a", { href: href(row) }, row.Subject) },
    ...(isOperator() ? [{ key: "account", title: "Account", cell: (row) => h("a", { href: `/operator/accounts/${row.AccountSid}` }, row.AccountName) }] : []),
    { key: "kind", title: "About", cell: (row) => kindWords[row.Kind] ?? row.Kind },
    { key: "state", title: "State", cell: (row) => badge("SupportState", row.State) },
    { key: "waiting", title: "Waiting", cell: (row) => (row.WaitingSinceDate ? ago(row.WaitingSinceDate).replace(" ago", "") : "") },
    { key: "created", title: "Asked", cell: (row) => date(row.CreationDate) },
    { key: "modified", title: "Last message", hidden: true, cell: (row) => date(row.ModifiedDate) },
    { key: "messages", title: "Messages", align: "end", hidden: true, cell: (row) => row.MessageCount },
  ];
  return list({
    id: isOperator() ? "support-queue" : "support", caption: "Support requests", context, columns, rowHref: href, rowKey: (row) => row.Id,
    empty: isOperator() ? "Nobody is waiting." : "Nothing asked yet.",
    filters: [{ name: "State", label: "State", kind: "select", initial: isOperator() ? "OPEN" : "", options: [["", "All"], ...STATES] },
      ...(isOperator() ? [{ name: "AccountSid", label: "Account (SID)", wide: true }] : [])],
    load: async ({ Sort, Before, ...values }, signal) => {
      const answer = await get(own("/SupportRequests"), values, { signal });
      return { rows: answer.SupportRequests, total: Number(answer["@total"]) };
    },
  });
}

function asking(byId, { query, guard }, done) {
  const sheet = form({
    action: "Ask",
    values: { Kind: query.get("Kind"), NotificationId: query.get("NotificationId"), Subject: query.get("Subject") },
    fields: [
      { name: "Kind", label: "What about", kind: "select", required: true, options: KINDS },
      { name: "NotificationId", label: "Event notification", kind: "select", options: [["", "None in particular"], ...[...byId.values()].map((one) => [one.Id, notificationTitle(one, one.Id)])] },
      { name: "Subject", label: "Subject", required: true, maxlength: 200, wide: true },
      { name: "Text", label: "What do you need", kind: "textarea", required: true, maxlength: 4000, rows: 6,
        hint: "Write no passwords or keys here: for a custom header the support agrees with you on a safe way to hand them over." },
    ],
    submit: async (values) => {
      await post(own("/SupportRequests"), { ...values, NotificationId: values.NotificationId || undefined });
      ["Subject", "Text"].forEach((name) => sheet.set(name, ""));
      toast("The support has your request.");
      done();
    },
  });
  guard(() => sheet.values().Text.trim() !== "");
  return h("section.card", null, h("h2", null, "Ask the support"), sheet.node);
}

export async function page(context) {
  const { signal } = context;
  const queue = requests(context);
  const ask = !isOperator() && mayChange() ? asking(await notificationsById(signal), context, () => queue.reload()) : null;
  await queue.ready;
  return { title: "Support", node: h("div", null, heading("Support"), ask, h("section", null, queue.node)) };
}
