/* operator_campaign.js — one campaign: its action trackers, its partners, its tracking tokens. */
import { del, get, mayChange, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date } from "../format.js";
import { confirm, dialog } from "../ui/dialog.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { secret } from "../ui/secret.js";
import { simpleTable } from "../ui/simple_table.js";
import { toast } from "../ui/toast.js";
import { accountField } from "./account_choice.js";

const MEMBERS_SHOWN = 1000;

const asking = (title, action, fields, submit) => dialog(title, (close) => form({
  action, fields, cancel: () => close(), submit: async (values) => { await submit(values); close(); },
}).node);

const addTracker = (uri, reload) => asking("New action tracker", "Add tracker",
  [{ name: "Name", label: "Name", required: true, maxlength: 200, placeholder: "Online sale" }],
  async (values) => { await post(`${uri}/Trackers`, values); await reload(); });

async function addMember(uri, members, reload) {
  const there = new Set(members.map((one) => one.PartnerSid));
  await asking("Add a partner", "Add partner",
    [accountField("PartnerSid", "Partner", "PARTNER", { required: true, but: there })],
    async (values) => { await post(`${uri}/Members`, values); await reload(); });
}

const addToken = (uri, reload) => dialog("New tracking token", (close) => {
  const place = h("div");
  const sheet = form({
    action: "Make token", cancel: () => close(), fields: [{ name: "Label", label: "Label", maxlength: 60 }],
    submit: async (values) => {
      const made = await post(`${uri}/TrackingTokens`, values);
      fill(place, h("p", null, "This is the token. It is shown only now; conversions of the campaign are sent with it."), secret(made.Token, "Token"),
        h("div.actions", null, h("button.primary", { type: "button", onclick: () => close() }, "Done")));
      await reload();
    },
  });
  return fill(place, sheet.node);
});

async function take(uri, title, text, reload) {
  if (!await confirm({ title, text, action: title.replace("?", ""), tone: "danger" }))
    return;
  try {
    await del(uri);
    await reload();
  } catch (error) {
    toast(error.message, "bad");
  }
}

export async function page({ params, signal }) {
  const uri = `/Operator/Campaigns/${encodeURIComponent(params.Id)}`, may = mayChange();
  const head = h("div"), about = h("section.card"), trackers = h("div"), members = h("div"), tokens = h("div");
  let partners = [];

  async function reload() {
    const [campaign, memberList, tokenList] = await Promise.all([
      get(uri, null, { signal }), get(`${uri}/Members`, { PageSize: MEMBERS_SHOWN }, { signal }), get(`${uri}/TrackingTokens`, null, { signal })]);
    partners = memberList.Members;
    fill(head, heading(campaign.Name, { back: ["Campaigns", "/operator/campaigns"] }));
    fill(about, facts([["Id", campaign.Id], ["Brand", h("a", { href: `/operator/accounts/${campaign.BrandSid}` }, campaign.BrandName)], ["Currency", campaign.Currency], ["Made", date(campaign.CreationDate)]]));
    fill(trackers, simpleTable("Action trackers", campaign.Trackers, [["Id", (one) => one.Id], ["Name", (one) => one.Name]], "None yet: an inquiry is accepted for one of them."));
    fill(members, simpleTable("Partners", partners, [
      ["Partner", (one) => h("a", { href: `/operator/accounts/${one.PartnerSid}` }, one.PartnerName)], ["Since", (one) => date(one.MemberSince)],
      ...(may ? [["", (one) => h("button.small.danger", { type: "button", "aria-label": `Remove ${one.PartnerName}`, onclick: () => take(`${uri}/Members/${one.PartnerSid}`, "Remove?", `${one.PartnerName} opens no further inquiries in this campaign; those there are stay.`, reload) }, "Remove")]] : []),
    ], "None yet."), memberList["@nextpageuri"] ? h("p.muted", null, `The first ${MEMBERS_SHOWN}; the API lists all.`) : null);
    fill(tokens, simpleTable("Tracking tokens", tokenList.TrackingTokens, [
      ["Label", (one) => one.Label || "—"], ["Made", (one) => date(one.CreationDate)],
      ["", (one) => (one.RevokedDate ? h("span.muted", null, `Revoked ${date(one.RevokedDate)}`) : may ? h("button.small.danger", { type: "button", "aria-label": `Revoke tracking token ${one.Label || one.Id}`, onclick: () => take(`${uri}/TrackingTokens/${one.Id}`, "Revoke?", "Conversions sent with it are refused from then on.", reload) }, "Revoke") : "")],
    ], "None yet: without one no conversions are taken."));
    return campaign;
  }
  const campaign = await reload();
  const card = (title, action, onclick, node) => h("section.card", null, h("div.card-head", null, h("h2", null, title), h("span.gap"), may ? h("button.small", { type: "button", onclick }, action) : null), node);
  return { title: campaign.Name, node: h("div", null, head, about,
    card("Action trackers", "New tracker", () => addTracker(uri, reload), trackers),
    card("Partners", "Add a partner", () => addMember(uri, partners, reload), members),
    card("Tracking tokens", "New tracking token", () => addToken(uri, reload), tokens)) };
}
