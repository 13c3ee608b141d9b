/* campaign_choice.js — what a form's campaign decides: which action trackers, and which partners, there are to choose from. */
import { get, isOperator, own } from "../api.js";
import { fill, h } from "../dom.js";
import { toast } from "../ui/toast.js";

const PARTNERS_SHOWN = 1000;

/* The partners of a campaign: of one of the brand's own, or for the operator of any. */
export const partnersOf = async (campaign, signal) => (await get(own(`/Campaigns/${campaign}/${isOperator() ? "Members" : "Partners"}`),
  { PageSize: PARTNERS_SHOWN }, { signal })).Members;

const refill = (select, options) => fill(select, options.map(([value, text]) => h("option", { value }, text)));

/* Called with a form and the campaign that is chosen in it: fills its ActionTrackerId and PartnerSid, once for each choice.
 * partners(id): that campaign's. */
export function campaignChoice(campaigns, partners) {
  let shown = "";
  return async (sheet, id) => {
    if (id === shown)
      return;
    shown = id;
    try {
      refill(sheet.field("ActionTrackerId"), (campaigns.find((one) => one.Id === id)?.Trackers ?? []).map((one) => [one.Id, one.Name]));
      const members = await partners(id);
      if (id === shown)
        refill(sheet.field("PartnerSid"), [["", "Every partner"], ...members.map((one) => [one.PartnerSid, one.PartnerName])]);
    } catch (error) {
      toast(error.message, "bad");
    }
  };
}
