/* conflict.js — two who change one thing: the second one sees both versions side by side, and chooses.
 *
 * saveOver(path, body, revision, { names, words }) puts the body as a change of that revision.  Resolves to the answer;
 * or to null when the other version was taken, and the page is to be drawn anew.  Whoever chooses neither gets an
 * ApiError, and what is typed stays.  names(field) → its words; words(field, value) → a value's.
 */
import { ApiError, put } from "../api.js";
import { h } from "../dom.js";
import { dialog } from "./dialog.js";

const KEEP = 1, TAKE = 2;

const plain = (value) => {
  if (value === undefined || value === "" || value?.length === 0)
    return "–";
  return Array.isArray(value) ? value.join(", ") : String(value);
};

function sides(changed, { names = (field) => field, words = (_, value) => plain(value) }) {
  const cell = (label, field, value, before) => h("td", { "data-label": label, class: before ? "muted" : null }, h("pre", null, words(field, value)));
  const as = (one, value) => one.Before !== undefined && JSON.stringify(one.Before) === JSON.stringify(value);
  return h("div.conflict", { tabindex: "0", role: "region", "aria-label": "Both versions" }, h("table", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Field"), h("th", { scope: "col" }, "Mine"), h("th", { scope: "col" }, "Theirs"))),
    h("tbody", null, changed.map((one) => h("tr", null, h("th", { scope: "row" }, names(one.Field)),
      cell("Mine", one.Field, one.Yours, as(one, one.Yours)), cell("Theirs", one.Field, one.Theirs, as(one, one.Theirs)))))));
}

function ask(conflict, says) {
  return dialog("Somebody else changed this", (close) => h("div", null,
    h("p", null, "It was saved by somebody else while you changed it. These are the fields where the two differ; what nobody changed is in grey."),
    sides(conflict.Changed, says),
    h("div.actions", null,
      h("button", { type: "button", autofocus: true, onclick: () => close(TAKE) }, "Take theirs"),
      h("button.primary", { type: "button", onclick: () => close(KEEP) }, "Keep mine"))));
}

export async function saveOver(path, body, revision, says = {}) {
  for (let rests = revision; ;) {
    try {
      return await put(path, body, { match: rests });
    } catch (error) {
      const conflict = error.status === 409 && error.body?.Changed ? error.body : null;
      if (!conflict)
        throw error;
      const choice = conflict.Changed.length ? await ask(conflict, says) : KEEP;
      if (choice === TAKE)
        return null;
      if (choice !== KEEP)
        throw new ApiError(409, { Message: "Not saved: somebody else changed it meanwhile. Save again to choose." });
      rests = conflict.Revision;
    }
  }
}
