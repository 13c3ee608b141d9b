/* operator_campaigns.js — all campaigns, and a new one. */
import { mayChange, post } from "../api.js";
import { h } from "../dom.js";
import { dialog } from "../ui/dialog.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";
import { toast } from "../ui/toast.js";
import { when } from "../ui/when.js";
import { lead } from "../ui/lead.js";
import { accountField } from "./account_choice.js";

const add = (go) =>
  dialog("New campaign", (close) => form({
    action: "Add campaign", cancel: () => close(),
    fields: [
      accountField("BrandSid", "Brand", "BRAND", { required: true }),
      { name: "Name", label: "Name", required: true, maxlength: 200 },
      { name: "Currency", label: "Currency", required: true, maxlength: 3, placeholder: "EUR", check: (value) => (/^[A-Z]{3}$/.test(value) ? "" : "Three capital letters of ISO 4217, such as EUR.") },
    ],
    submit: async (values) => {
      const made = await post("/Operator/Campaigns", values);
      close();
      toast("The campaign is made.");
      go(`/operator/campaigns/${made.Id ?? made.Uri.split("/").pop()}`);
    },
  }).node);

export async function page(context) {
  const campaigns = list({
    id: "campaigns", caption: "Campaigns", context, turn: ["Previous", "Next"], rowKey: (row) => row.Id, rowHref: (row) => `/operator/campaigns/${row.Id}`,
    filters: [{ name: "BrandSid", label: "Brand (SID)", wide: true }, { name: "PartnerSid", label: "Partner (SID)", wide: true }],
    columns: [
      { key: "name", title: "Name", always: true, cell: (row) => h("a", { href: `/operator/campaigns/${row.Id}` }, row.Name) },
      { key: "id", title: "Id", cell: (row) => row.Id },
      { key: "brand", title: "Brand", cell: (row) => h("a", { href: `/operator/accounts/${row.BrandSid}` }, row.BrandName) },
      { key: "currency", title: "Currency", cell: (row) => row.Currency },
      { key: "trackers", title: "Action trackers", cell: (row) => (row.Trackers ?? []).map((one) => one.Name).join(", ") },
      { key: "created", title: "Made", cell: (row) => when(row.CreationDate) },
    ],
    empty: () => lead("A campaign is what a brand sells by: its action trackers say which sales count, its partners bring them. It needs a brand's account first.",
      mayChange() ? ["New campaign", () => add(context.go)] : null, ["Accounts", "/operator/accounts?Kind=BRAND"]),
    load: pageOf("/Operator/Campaigns", "Campaigns", "After"),
  });
  await campaigns.ready;
  const actions = mayChange() ? [h("button.primary", { type: "button", onclick: () => add(context.go) }, "New campaign")] : [];
  return { title: "Campaigns", node: h("div", null, heading("Campaigns", { actions }), campaigns.node) };
}
