/* action.js — one action: what it is now, its items, what has happened to it, its postbacks; a brand changes it here. */
import { get, isBrand, mayChange, own } from "../api.js";
import { fill, h } from "../dom.js";
import { date, money, words } from "../format.js";
import { badge } from "../ui/badge.js";
import { facts } from "../ui/facts.js";
import { heading } from "../ui/heading.js";
import { simpleTable } from "../ui/simple_table.js";
import { changing } from "./action/change.js";
import { actionFields } from "./action/fields.js";
import { postbacksOf } from "./inquiry/postbacks.js";

const UPDATES_SHOWN = 200;

/* "-30.00" stands as it is, "4.50" as "+4.50"; nothing for no difference. */
const delta = (text, currency) => (/^-?0*(\.0*)?$/.test(text) ? "" : `${text.startsWith("-") ? "" : "+"}${money(text, currency)}`);

const itemsOf = (action) => simpleTable("Items", action.Items, [
  ["Item", (one) => one.Sku ?? ""], ["Name", (one) => one.Name ?? ""], ["Category", (one) => one.Category ?? ""],
  ["Quantity", (one) => one.Quantity ?? ""], ["Amount", (one) => money(one.Amount, action.Currency)],
], "No items were given with it.");

const historyOf = (updates) => simpleTable("History", updates, [
  ["When", (one) => date(one.UpdateDate)], ["What", (one) => words.ActionStep[one.StateDetail] ?? one.StateDetail],
  ["Item", (one) => (one.Sku ? `${one.Sku}${one.Quantity ? `, now ${one.Quantity}` : ""}` : "")],
  ["Amount", (one) => delta(one.DeltaAmount, one.Currency)], ["Payout", (one) => delta(one.DeltaPayout, one.Currency)],
  ["Reason", (one) => words.Disposition[one.Disposition] ?? one.Disposition],
], "Nothing yet.");

/* The id of the inquiry that made it; "" for none. */
async function inquiryOf(action, signal) {
  if (action.ReferringType !== "ACTION_INQUIRY")
    return "";
  const { ActionInquiries } = await get(own("/ActionInquiries"), { CampaignId: action.CampaignId, OrderId: action.Oid }, { signal });
  return ActionInquiries.find((one) => one.ActionId === action.Id)?.Id ?? "";
}

/* What there is to say first. */
function said(action) {
  if (action.State === "APPROVED")
    return h("p.muted", null, action.ClearedDate ? `Locked since ${date(action.LockingDate)}, cleared ${date(action.ClearedDate)}.` : `Locked since ${date(action.LockingDate)}: nothing can be changed any more.`);
  if (action.State === "PENDING" && !action.LockingDate)
    return h("p.muted", null, "Its action tracker had no terms that lock it: it stays pending until the brand approves it.");
  return null;
}

export async function page({ params, signal, guard }) {
  const id = params.Id, head = h("div"), first = h("div"), about = h("section.card"), items = h("div"), history = h("div"), change = h("div");
  let drawn = "", state = "";
  async function reload() {
    const [action, { ActionUpdates }] = await Promise.all([get(own(`/Actions/${encodeURIComponent(id)}`), null, { signal }),
      get(own("/ActionUpdates"), { ActionId: id, PageSize: UPDATES_SHOWN }, { signal })]);
    const now = JSON.stringify([action, ActionUpdates.length]);
    if (now === drawn)
      return;
    drawn = now;
    fill(head, heading(`Action ${action.Id}`, { back: ["Actions", "/actions"], beside: badge("ActionState", action.State) }));
    fill(first, said(action));
    const shown = actionFields().filter(([key]) => key !== "State" && (action[key] || key === "LockingDate")).map(([, title, value]) => [title, value(action)]);
    const inquiry = await inquiryOf(action, signal);
    fill(about, facts([...shown, ["Inquiry", inquiry && h("a", { href: `/inquiries/${inquiry}` }, inquiry)]]));
    fill(items, itemsOf(action));
    fill(history, historyOf(ActionUpdates));
    const stands = `${action.State} ${action.Amount} ${JSON.stringify(action.Items)}`;
    if (stands !== state) /* what is being typed stays as long as it is about what is there */
      fill(change, isBrand() && mayChange() && action.State === "PENDING" ? changing(action, reload) : null);
    state = stands;
  }
  await reload();
  guard(() => Boolean(change.querySelector("select[name=Kind]")?.value));
  const postbacks = await postbacksOf({ ActionId: id }, signal, reload);
  return { title: `Action ${id}`, node: h("div.stack", null, head, first, about, change,
    h("section.card", null, h("h2", null, "Items"), items), h("section.card", null, h("h2", null, "History"), history), postbacks.node) };
}
