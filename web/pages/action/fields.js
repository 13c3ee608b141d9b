/* fields.js — what an action says, in words: for the list's columns and the action's own page alike. */
import { isBrand } from "../../api.js";
import { h } from "../../dom.js";
import { calendarDay, date, money, words } from "../../format.js";
import { badge } from "../../ui/badge.js";

/* Why an action is changed; ORDER_UPDATE is of a change alone. */
export const DISPOSITIONS = Object.entries(words.Disposition);
export const REVERSALS = DISPOSITIONS.filter(([code]) => code !== "ORDER_UPDATE");

const amount = (name) => (action) => money(action[name], action.Currency);
export const actionLink = (id) => (id ? h("a", { href: `/actions/${id}` }, id) : "");

/* When it locks or has locked, in the tense that fits. */
export const lockingSays = (action) => (action.LockingDate ? date(action.LockingDate) : action.State === "PENDING" ? "Never by itself" : "");

/* Every field: [key, title, value(action) → node or text, { end, shown: in the list at first }]. */
export const actionFields = () => [
  ...(isBrand() ? [["MediaPartnerName", "Partner", (one) => one.MediaPartnerName, { shown: true }]] : []),
  ["CampaignName", "Campaign", (one) => one.CampaignName, { shown: true }],
  ["ActionTrackerName", "Action tracker", (one) => one.ActionTrackerName],
  ["Oid", "Order", (one) => one.Oid, { shown: true }],
  ["EventDate", "Date", (one) => calendarDay(one.EventDate), { shown: true }],
  ["State", "State", (one) => badge("ActionState", one.State), { shown: true }],
  ["StatusDetail", "Reason", (one) => words.Disposition[one.StatusDetail] ?? one.StatusDetail],
  ["Amount", "Amount", amount("Amount"), { end: true, shown: true }],
  ["Payout", "Payout", amount("Payout"), { end: true, shown: true }],
  ["IntendedAmount", "Amount before any change", amount("IntendedAmount"), { end: true }],
  ["IntendedPayout", "Payout before any change", amount("IntendedPayout"), { end: true }],
  ["LockingDate", "Locks", lockingSays, { shown: true }],
  ["ClearingDate", "Clears", (one) => date(one.ClearingDate)],
  ["ClearedDate", "Cleared", (one) => date(one.ClearedDate)],
  ["ReferringType", "Made by", (one) => words.ReferringType[one.ReferringType] ?? one.ReferringType],
  ["CustomerId", "Customer", (one) => one.CustomerId],
  ["PromoCode", "Promo code", (one) => one.PromoCode],
  ["SubId1", "Sub id 1", (one) => one.SubId1],
  ["SubId2", "Sub id 2", (one) => one.SubId2],
  ["SubId3", "Sub id 3", (one) => one.SubId3],
  ["SharedId", "Shared id", (one) => one.SharedId],
  ["CreationDate", "Made", (one) => date(one.CreationDate)],
  ["LastUpdatedDate", "Changed", (one) => date(one.LastUpdatedDate)],
];
