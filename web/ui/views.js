/* views.js — saved views of a list: its filters and columns under a name, opened by the address's `view`.
 *
 * const view = await openedView("POSTBACKS", context)   before the list: { context, columns, of } to make it with; `of` is null without one
 * viewsMenu({ page: "POSTBACKS", path: "/postbacks", opened: view.of, filters: () => the list's, columns: () => the list's, context })
 */
import { del, get, mayChange, own, post, put } from "../api.js";
import { fill, h } from "../dom.js";
import { confirm, dialog } from "./dialog.js";
import { form } from "./form.js";
import { toast } from "./toast.js";

/* The view that the address names.  Filters that stand beside it in the address count in place of its own. */
export async function openedView(names, context) {
  const id = context.query.get("view");
  if (!id)
    return { context, columns: null, of: null };
  let of;
  try {
    of = await get(own(`/Views/${encodeURIComponent(id)}`), null, { signal: context.signal });
  } catch (error) {
    if (error.status !== 404)
      throw error;
    toast("This view was deleted, or is not yours.", "bad");
    context.setQuery({ view: "" });
    return { context, columns: null, of: null };
  }
  const query = new URLSearchParams(context.query);
  if (!names.some((name) => query.get(name)))
    for (const [name, value] of Object.entries(of.Filters))
      query.set(name, value);
  return { context: { ...context, query }, columns: of.Columns, of };
}

export const sameFilters = (a, b) => [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => (a[name] ?? "") === (b[name] ?? ""));

const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));

export function viewsMenu({ page, path, opened, filters, columns, context }) {
  const pop = h("div.pop"), { signal, go } = context;
  const at = (view) => `${path}?view=${view.Id}`;
  async function failing(act) {
    try {
      await act();
    } catch (error) {
      toast([error.message, ...(error.errors ?? []).map((one) => `${one.Field}: ${one.Message}`)].join(" "), "bad");
    }
  }
  const ask = () => dialog("Save this view", (close) => h("div", null,
    h("p", null, "The filters and columns as they are now, to be opened again by its name or its address."),
    form({
      fields: [
        { name: "Name", label: "Name", required: true, maxlength: 80, autofocus: true },
        { name: "Shared", label: "For everybody of this account", kind: "checkbox" },
      ],
      values: {}, action: "Save", cancel: () => close(),
      submit: async (values) => {
        const made = await post(own("/Views"), { ...values, Page: page, Filters: given(filters()), Columns: columns() });
        toast("The view is saved.");
        close();
        go(at(made));
      },
    }).node));
  const again = () => failing(async () => {
    await put(own(`/Views/${opened.Id}`), { Filters: given(filters()), Columns: columns() });
    toast("The view is saved as it is now.");
    go(at(opened));
  });
  const drop = (view) => failing(async () => {
    const text = view.Shared === "true" ? "It is gone for everybody of this account." : "Nobody but you has it.";
    if (!await confirm({ title: `Delete the view “${view.Name}”?`, text, action: "Delete the view", tone: "danger", keep: "Keep it" }))
      return;
    await del(own(`/Views/${view.Id}`));
    toast("The view is deleted.");
    view.Id === opened?.Id ? go(path) : await draw();
  });
  const line = (view) => h("div.view", null,
    h("a", { href: at(view), "aria-current": view.Id === opened?.Id ? "page" : null }, view.Name, view.Shared === "true" ? null : h("span.muted", null, " (yours)")),
    mayChange() ? h("button.plain.small", { type: "button", "aria-label": `Delete the view ${view.Name}`, onclick: () => drop(view) }, "Delete") : null);
  async function draw() {
    const { Views: views } = await get(own("/Views"), { Page: page }, { signal });
    fill(pop, views.length ? views.map(line) : h("p.muted", null, "None yet."),
      mayChange() ? h("button.plain", { type: "button", onclick: ask }, "Save this view…") : null,
      mayChange() && opened ? h("button.plain", { type: "button", onclick: again }, `Save “${opened.Name}” as it is now`) : null);
  }
  return h("details.choose.views", { ontoggle: (event) => { if (event.target.open) failing(draw); } },
    h("summary.button", null, opened ? `View: ${opened.Name}` : "Views"), pop);
}
