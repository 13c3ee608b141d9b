/* operator_accounts.js — all accounts, and a new one. */
import { mayChange, post } from "../api.js";
import { h } from "../dom.js";
import { badge } from "../ui/badge.js";
import { dialog } from "../ui/dialog.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { list, pageOf } from "../ui/list.js";
import { toast } from "../ui/toast.js";
import { when } from "../ui/when.js";
import { lead } from "../ui/lead.js";

const KINDS = [["PARTNER", "Partner"], ["BRAND", "Brand"]];

const add = (go) => dialog("New account", (close) => form({
  action: "Add account",
  fields: [
    { name: "Kind", label: "Kind", kind: "select", options: KINDS, required: true },
    { name: "Name", label: "Name", required: true, maxlength: 200 },
    { name: "Email", label: "Mail address for notices", kind: "email", maxlength: 254 },
  ],
  cancel: () => close(),
  submit: async (values) => {
    const made = await post("/Operator/Accounts", { ...values, Email: values.Email || undefined });
    close();
    toast("The account is made.");
    go(`/operator/accounts/${made.Sid}`);
  },
}).node);

export async function page(context) {
  const accounts = list({
    id: "accounts", caption: "Accounts", context, turn: ["Previous", "Next"], rowKey: (row) => row.Sid, rowHref: (row) => `/operator/accounts/${row.Sid}`,
    filters: [{ name: "Search", label: "Name or SID", kind: "search", wide: true }, { name: "Kind", label: "Kind", kind: "select", options: [["", "All"], ...KINDS, ["OPERATOR", "Operator"]] }],
    columns: [
      { key: "name", title: "Name", always: true, cell: (row) => h("a", { href: `/operator/accounts/${row.Sid}` }, row.Name) },
      { key: "kind", title: "Kind", cell: (row) => badge("Kind", row.Kind) },
      { key: "active", title: "State", cell: (row) => (row.Active === "true" ? "Active" : h("span.badge.bad", null, "Not active")) },
      { key: "email", title: "Mail address", cell: (row) => row.Email },
      { key: "sid", title: "SID", cell: (row) => h("code", null, row.Sid) },
      { key: "created", title: "Made", cell: (row) => when(row.CreationDate) },
    ],
    empty: () => lead("No account like that. An account is a brand or a partner, with users of its own.", mayChange() ? ["New account", () => add(context.go)] : null, ["All accounts", "/operator/accounts"]),
    load: pageOf("/Operator/Accounts", "Accounts", "After"),
  });
  await accounts.ready;
  const actions = mayChange() ? [h("button.primary", { type: "button", onclick: () => add(context.go) }, "New account")] : [];
  return { title: "Accounts", node: h("div", null, heading("Accounts", { actions }), accounts.node) };
}
