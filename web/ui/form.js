/* form.js — a form made from a table of fields, checked beside each field as one types.
 *
 * const f = form({ fields, values, action: "Create", submit: async (values) => …, extra, cancel })
 *   f.node, f.values(), f.set(name, value), f.field(name) (the control), f.show(error), f.check()
 * A field: { name, label, kind, hint, required, check(value, values) → "" or what is wrong, options, when(values), … }
 *   kind: text (default), email, password, number, money, decimal, date, datetime, textarea, select, checkbox, checks (many of `options`), choice (searched: choice.js), file, static,
 *   group (a heading over the fields that follow, `text` below it)
 *   options: ["A", …] or [["value", "Words"], …]; `rows`, `maxlength`, `autocomplete`, `placeholder`, `min`, `max`, `step`, `spellcheck` go to the control
 *   `dress(control)` gives the node that stands in the control's place and holds it
 *   `when`: the field is shown, and given, only when this holds;  `wide`: over the form's whole width
 * Values are strings; checkbox "true"/"false"; checks an array.  `submit` may throw an ApiError: each of its wrong
 * fields is shown in place (by `name`, or by `names` when the API calls it otherwise), the rest above the form.
 * An error's `link`, [words, address], follows its message.
 */
import { fill, h, unique } from "../dom.js";
import { decimal, money, typed } from "../format.js";
import { choice } from "./choice.js";

const MONEY = /^\d{1,12}(\.\d{1,4})?$/;
const builtin = {
  money: (value) => (MONEY.test(value) ? "" : `An amount such as ${typed("49.90")}.`),
  number: (value) => (/^-?\d+$/.test(value) ? "" : "A whole number."),
  email: (value) => (/^\S+@\S+$/.test(value) ? "" : "An address such as ann@example.com."),
};

/* Typed and shown as the person's language writes it; its value is the API's. */
const isDecimal = ({ kind }) => kind === "money" || kind === "decimal";

function control(field, id, described) {
  const { kind = "text" } = field;
  const shared = {
    id, name: field.name, required: field.required && kind !== "checks", "aria-describedby": described, maxlength: field.maxlength,
    autocomplete: field.autocomplete ?? "off", placeholder: isDecimal(field) ? typed(field.placeholder) : field.placeholder, rows: field.rows, spellcheck: field.spellcheck, autofocus: field.autofocus,
  };
  if (kind === "textarea")
    return h("textarea", { rows: 4, ...shared, class: field.code ? "code" : null });
  if (kind === "select")
    return h("select", shared, pairs(field.options).map(([value, text]) => h("option", { value }, text)));
  if (kind === "checkbox")
    return h("input", { ...shared, type: "checkbox" });
  const types = { password: "password", date: "date", datetime: "datetime-local", email: "email", file: "file" };
  const inputmode = { money: "decimal", decimal: "decimal", number: "numeric" }[kind];
  return h("input", { ...shared, type: types[kind] ?? "text", inputmode, min: field.min, max: field.max, step: field.step, accept: field.accept, class: field.code ? "code" : null });
}

const still = ({ kind }) => kind === "static" || kind === "group"; /* shown, and of no value */

export const pairs = (options = []) => options.map((one) => (Array.isArray(one) ? one : [one, one]));

function make(field, changed) {
  const id = unique("field"), hintId = `${id}-hint`, errorId = `${id}-error`;
  const error = h("p.error", { id: errorId });
  const hint = field.hint ? h("p.hint", { id: hintId }, field.hint) : null;
  const described = `${hint ? `${hintId} ` : ""}${errorId}`;
  const label = [field.label, field.required ? h("span.must", { "aria-hidden": "true" }, " *") : null];
  const readAs = isDecimal(field) ? h("p.hint.read-as", { role: "status" }) : null; /* how an amount is understood that could mean two things */
  let node, input = null, boxes = [], searched = null;
  if (field.kind === "group") {
    node = h("div.field.wide.group", null, h("h2", null, field.label), field.text ? h("p.hint", null, field.text) : null);
  } else if (field.kind === "static") {
    node = h("div.field", { class: field.wide ? "wide" : null }, h("p.label", null, field.label), field.node ?? h("p", null, field.text), hint, error);
  } else if (field.kind === "checks") {
    boxes = pairs(field.options).map(([value, text, remark]) => {
      const box = h("input", { type: "checkbox", name: field.name, value, onchange: changed });
      return { box, line: h("label.check", null, box, h("span", null, text, remark ? h("span.muted", null, ` ${remark}`) : null)) };
    });
    node = h("fieldset.field", { "aria-describedby": described, class: field.wide ? "wide" : null }, h("legend", null, label), hint, h("div.checks", null, boxes.map((one) => one.line)), error);
  } else if (field.kind === "choice") {
    searched = choice({ id, name: field.name, described, required: field.required, find: field.find, free: field.free, placeholder: field.placeholder, changed });
    ({ input } = searched);
    input.addEventListener("input", changed);
    node = h("div.field", { class: field.wide ? "wide" : null }, h("label", { for: id }, label), searched.node, hint, error);
  } else {
    input = control(field, id, described);
    node = field.kind === "checkbox"
      ? h("div.field", null, h("label.check", { for: id }, input, h("span", null, label)), hint, error)
      : h("div.field", { class: field.wide || field.kind === "textarea" ? "wide" : null }, h("label", { for: id }, label), field.dress ? field.dress(input) : input, hint, readAs, error);
    if (readAs)
      input.addEventListener("input", () => { const { value, unsure } = decimal(input.value); fill(readAs, unsure ? `Read as ${money(value)}.` : null); });
    input.addEventListener("input", changed);
    input.addEventListener("change", changed);
  }
  return {
    field, node, input: input ?? boxes[0]?.box ?? node, touched: false, unknown: searched?.typed,
    get() {
      if (field.kind === "checkbox")
        return String(input.checked);
      if (field.kind === "checks")
        return boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
      if (still(field))
        return undefined;
      if (searched)
        return searched.get();
      if (isDecimal(field))
        return decimal(input.value.trim()).value;
      return ["textarea", "password"].includes(field.kind) ? input.value : input.value.trim();
    },
    set(value, words) {
      if (searched)
        searched.set(value ?? field.free?.[0], words ?? (value === undefined ? field.free?.[1] : undefined));
      else if (field.kind === "checkbox")
        input.checked = String(value) === "true";
      else if (field.kind === "checks")
        boxes.forEach(({ box }) => { box.checked = (value ?? []).includes(box.value); });
      else if (!still(field) && field.kind !== "file")
        input.value = (isDecimal(field) ? typed(value) : value) ?? "";
    },
    say(text) {
      fill(error, text || null);
      node.classList.toggle("wrong", Boolean(text));
      for (const one of input ? [input] : boxes.map(({ box }) => box))
        text ? one.setAttribute("aria-invalid", "true") : one.removeAttribute("aria-invalid");
    },
  };
}

export function form({ fields, values = {}, action = "Save", tone = "primary", submit, extra, cancel, changed: onChanged }) {
  const summary = h("div.summary", { role: "alert", tabindex: "-1" });
  const shown = () => all.filter((one) => !one.node.hidden);
  const read = () => Object.fromEntries(shown().filter((one) => !still(one.field)).map((one) => [one.field.name, one.get()]));

  function wrong(one, given) {
    const { field } = one, value = one.get(), empty = value === undefined || value.length === 0;
    if (empty)
      return one.unknown?.() ? "Choose one of those that are found." : field.required ? "This is needed." : "";
    return builtin[field.kind]?.(value) || field.check?.(value, given) || "";
  }
  let unchecked = false; /* "Some fields need a look." is said, until none does */
  function tell(some) {
    unchecked = some;
    fill(summary, some ? h("p", null, "Some fields need a look.") : null);
  }
  function arrange() {
    const given = Object.fromEntries(all.filter((one) => !still(one.field)).map((one) => [one.field.name, one.get()]));
    for (const one of all)
      if (one.field.when)
        one.node.hidden = !one.field.when(given);
  }
  function changed(one) {
    arrange();
    const given = read();
    if (one && (one.touched || one.get()?.length)) {
      one.touched = true;
      one.say(wrong(one, given));
    }
    for (const other of shown()) /* a check may look at other fields */
      if (other !== one && other.touched)
        other.say(wrong(other, given));
    if (unchecked && !shown().some((other) => wrong(other, given)))
      tell(false);
    onChanged?.(given);
  }
  const all = fields.map((field) => { const one = make(field, () => changed(one)); return one; });
  all.forEach((one) => { one.set(values[one.field.name] ?? (one.field.kind === "select" ? pairs(one.field.options)[0]?.[0] : undefined)); });
  arrange();
  for (const one of all)
    one.input.addEventListener("blur", () => { one.touched = one.touched || one.get()?.length > 0; if (one.touched) one.say(wrong(one, read())); });

  /* Shows an ApiError's parts where they belong. */
  function show(error) {
    const rest = [];
    let first = null;
    for (const { Field, Message } of error.errors ?? []) {
      const one = shown().find(({ field }) => field.name === Field || field.names?.includes(Field) || Field?.startsWith(`${field.name}.`) || Field?.startsWith(`${field.name}[`));
      if (one) {
        one.say(Message);
        one.touched = true;
        first ??= one;
      } else {
        rest.push(Field ? `${Field}: ${Message}` : Message);
      }
    }
    unchecked = false;
    fill(summary, h("p", null, error.message, error.link ? [" ", h("a", { href: error.link[1] }, error.link[0])] : null), rest.length ? h("ul", null, rest.map((text) => h("li", null, text))) : null);
    (first?.input ?? summary).focus();
  }
  function check() {
    const given = read();
    let first = null;
    for (const one of shown()) {
      one.touched = true;
      const text = wrong(one, given);
      one.say(text);
      if (text)
        first ??= one;
    }
    tell(Boolean(first));
    first?.input.focus();
    return !first;
  }
  async function send(act) {
    if (node.hasAttribute("aria-busy")) /* Enter in a control asks again, though the buttons are off */
      return;
    fill(summary);
    if (!check())
      return;
    const focused = document.activeElement;
    node.querySelectorAll("button").forEach((one) => { one.disabled = true; });
    node.setAttribute("aria-busy", "true");
    try {
      await act(read());
    } catch (error) {
      if (error.name !== "AbortError")
        show(error);
    } finally {
      node.removeAttribute("aria-busy");
      node.querySelectorAll("button").forEach((one) => { one.disabled = false; });
      if (document.activeElement === document.body && node.contains(focused))
        focused.focus(); /* a button that was off has lost it */
    }
  }
  const node = h("form.form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); send(submit); } },
    summary, h("div.fields", null, all.map((one) => one.node)),
    h("div.actions", null,
      h("button", { type: "submit", class: tone }, action),
      (extra ?? []).map(({ text, submit: other }) => h("button", { type: "button", onclick: () => send(other) }, text)),
      cancel ? h(typeof cancel === "string" ? "a.button" : "button", typeof cancel === "string" ? { href: cancel } : { type: "button", onclick: cancel }, "Cancel") : null));
  const byName = (name) => all.find((one) => one.field.name === name);
  return {
    node, values: read, show, check,
    set: (name, value, words) => { byName(name).set(value, words); arrange(); },
    field: (name) => byName(name).input,
    say: (name, text) => byName(name).say(text),
  };
}
