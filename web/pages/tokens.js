/* tokens.js — the tokens by which an account's programs call the API. */
import { get, own } from "../api.js";
import { fill, h } from "../dom.js";
import { heading } from "../ui/heading.js";
import { tokenForm, tokensTable } from "../ui/tokens_table.js";

export async function page({ signal }) {
  const place = h("div"), uri = own("");
  async function reload() {
    fill(place, tokensTable(uri, (await get(`${uri}/Tokens`, null, { signal })).Tokens, reload, true));
  }
  await reload();
  return { title: "Tokens", node: h("div", null,
    heading("Tokens", { actions: [h("button.primary", { type: "button", onclick: () => tokenForm(uri, reload) }, "New token")] }),
    h("section.card", null, place)) };
}
