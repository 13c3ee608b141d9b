/* account.js — the signed-in person: who they are, their profile, password, sessions and second factor. */
import { current, del, get, put, use } from "../api.js";
import { fill, h } from "../dom.js";
import { words } from "../format.js";
import { facts } from "../ui/facts.js";
import { form } from "../ui/form.js";
import { heading } from "../ui/heading.js";
import { sessionsTable } from "../ui/sessions_table.js";
import { secondFactor } from "../ui/second_factor.js";
import { toast } from "../ui/toast.js";

const LANGUAGES = ["bg-BG", "cs-CZ", "da-DK", "de-AT", "de-CH", "de-DE", "el-GR", "en-GB", "en-US", "es-ES", "es-MX", "et-EE", "fi-FI", "fr-CH", "fr-FR", "hu-HU", "it-IT",
  "ja-JP", "ko-KR", "lt-LT", "lv-LV", "nb-NO", "nl-NL", "pl-PL", "pt-BR", "pt-PT", "ro-RO", "sk-SK", "sl-SI", "sv-SE", "tr-TR", "uk-UA", "zh-CN"];
const named = new Intl.DisplayNames(["en"], { type: "language" });
/* What is chosen already is among them, though this browser may not know it. */
const choices = (known, chosen, name, none) => [["", none], ...[...new Set([...known, chosen].filter(Boolean))].map((one) => [one, name(one)])];

function profileForm(User) {
  return form({
    action: "Save profile", values: User,
    fields: [
      { name: "Name", label: "Your name", required: true, maxlength: 200, autocomplete: "name" },
      { name: "Email", label: "Mail address", kind: "email", required: true, maxlength: 254, autocomplete: "email", hint: "You sign in with it. A new one may have to be confirmed." },
      { name: "TimeZone", label: "Time zone", kind: "select", options: choices(Intl.supportedValuesOf("timeZone"), User.TimeZone, (one) => one.replaceAll("_", " "), "As in this browser") },
      { name: "Locale", label: "Numbers and dates as in", kind: "select", options: choices(LANGUAGES, User.Locale, (one) => named.of(one) ?? one, "As in this browser") },
    ],
    submit: async (values) => {
      const changed = await put("/Session/Profile", values);
      use(await get("/Session"));
      toast(changed.Mailed === "true" ? `Saved. A link is on its way to ${values.Email}: open it to confirm the address.` : "Saved.");
    },
  }).node;
}

async function ownSessions(signal) {
  const place = h("div");
  async function end(one) {
    await del(one ? `/Session/Sessions/${one.Id}` : "/Session/Sessions");
    toast(one ? "The session has ended." : "All your other sessions have ended.");
    await reload();
  }
  async function reload() {
    const { Sessions } = await get("/Session/Sessions", null, { signal });
    fill(place, sessionsTable(Sessions, end), Sessions.length > 1 ? h("div.actions", null, h("button", { type: "button", onclick: () => end(null) }, "End all others")) : null);
  }
  await reload();
  return place;
}

export async function page({ signal }) {
  const { User, Account } = current();
  const sheet = form({
    action: "Change password",
    fields: [
      { name: "Password", label: "Password now", kind: "password", required: true, autocomplete: "current-password" },
      { name: "NewPassword", label: "New password", kind: "password", required: true, autocomplete: "new-password", hint: "At least 12 characters.",
        check: (value) => (value.length < 12 ? "At least 12 characters." : "") },
      { name: "Again", label: "New password again", kind: "password", required: true, autocomplete: "new-password",
        check: (value, values) => (value === values.NewPassword ? "" : "The two are not the same.") },
    ],
    submit: async ({ Password, NewPassword }) => {
      await put("/Session/Password", { Password, NewPassword });
      ["Password", "NewPassword", "Again"].forEach((name) => sheet.set(name, ""));
      toast("The password is changed; your other sessions have ended.");
    },
  });
  return { title: "Password and profile", node: h("div", null, heading("Password and profile"),
    h("section.card", null, facts([["Name", User.Name], ["Email", User.Email], ["Role", words.Role[User.Role]], ["Account", Account.Name], ["Account SID", Account.Sid], ["Kind", words.Kind[Account.Kind]]])),
    h("section.card", null, h("h2", null, "Profile"), profileForm(User)),
    h("section.card", null, h("h2", null, "Change password"), sheet.node),
    h("section.card", null, h("h2", null, "Where you are signed in"), await ownSessions(signal)),
    secondFactor({ signal })) };
}
