/* next.js — the inquiry to review after this one, in the order of the list that the person came from. */
import { get, own } from "../../api.js";
import { dayEnd, dayStart } from "../../format.js";
import { lastSeen, wasSeen } from "../../places.js";

const PAGE = 50, PAGES_MOST = 8; /* looked at for where this one stands */
const FILTERS = ["Search", "CampaignId", "MediaPartnerId", "InquiryType", "TransactionDateStart", "TransactionDateEnd"];

/* What the list asks for, of those that wait for a review. */
function asked(query) {
  const day = (name, instant) => (query.get(name) ? instant(query.get(name)) : "");
  return {
    ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""])), CampaignId: query.get("CampaignId") || "ALL",
    StartDate: day("StartDate", dayStart), EndDate: day("EndDate", dayEnd),
    State: "OPEN", ResolutionStatus: "UNRESOLVED", Held: "NO", PageSize: PAGE,
  };
}

const START = (query) => Math.max(1, Number(query.get("Page")) || 1);
const around = (start) => [start, start - 1, start + 1, start - 2, start + 2, start + 3, start + 4, start + 5].filter((one) => one >= 1).slice(0, PAGES_MOST);
function reader() {
  const query = new URLSearchParams(lastSeen("/inquiries").split("?")[1] ?? "");
  const values = { ...asked(query), Sort: query.get("Sort") || (wasSeen("/inquiries") ? "-CreationDate" : "Id") };
  return { start: START(query), page: async (Page) => (await get(own("/ActionInquiries"), { ...values, Page })).ActionInquiries.map((one) => one.Id) };
}

/* The id of the one behind (step 1) or before (-1) this one in the list of those that wait; "" for none. */
export async function beside(id, step) {
  const { page, start } = reader();
  for (const number of around(start)) {
    const ids = await page(number), at = ids.indexOf(id);
    if (at < 0)
      continue;
    if (at + step >= 0 && at + step < ids.length)
      return ids[at + step];
    const other = number + step >= 1 ? await page(number + step) : [];
    return (step > 0 ? other[0] : other.at(-1)) ?? "";
  }
  return "";
}

/* Asked before `id` is decided, for then it stands in the list no more; gives a function to call afterwards, which gives
 * the next one's id, "" when nothing waits.  Behind the last comes the first; without a list, the longest waiting. */
export async function nextToReview(id) {
  const { page, start } = reader();
  let after = [];
  for (const number of around(start)) {
    const ids = await page(number), at = ids.indexOf(id);
    if (at < 0)
      continue;
    after = [...ids.slice(at + 1), ...(at === ids.length - 1 && ids.length === PAGE ? await page(number + 1) : [])];
    break;
  }
  return async () => {
    const left = new Set(await page(1));
    for (const one of after.slice(0, PAGES_MOST)) { /* somebody else may have been at it */
      if (left.has(one))
        return one;
      const now = await get(own(`/ActionInquiries/${one}`));
      if (now.State === "OPEN" && now.ResolutionStatus === "UNRESOLVED" && !now.HeldStatus)
        return one;
    }
    return [...left][0] ?? "";
  };
}
