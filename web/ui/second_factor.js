/* second_factor.js — the second step of signing in, and setting up a second factor.
 *
 * codeStep(ticket, enter)   the form for the code; enter(session) once it was right
 * secondFactor({ signal, done })  the section for one's own: set up, new recovery codes, turn off;
 *                           done() once it was set up and the recovery codes were put away
 */
import { get, post } from "../api.js";
import { fill, h } from "../dom.js";
import { dialog } from "./dialog.js";
import { form } from "./form.js";
import { secret } from "./secret.js";
import { toast } from "./toast.js";

const AT = "/Session/SecondFactor";
const code = (more) => ({ name: "Code", label: "Code", required: true, autocomplete: "one-time-code", maxlength: 40, autofocus: true, wide: true, ...more });

export function codeStep(ticket, enter) {
  const sheet = form({
    action: "Go on",
    fields: [code({ hint: "The six digits that your authenticator app shows, or one of your recovery codes." })],
    submit: async ({ Code }) => enter(await post("/Session/Code", { Ticket: ticket, Code }, { quiet: true })),
  });
  return h("div", null, sheet.node, h("p", null, h("a", { href: "/sign-in" }, "Begin again")));
}

/* They are shown this once. */
const recovery = (codes, action, away) => h("div.recovery", null,
  h("p", null, "Keep these recovery codes where you find them without your phone. Each lets you in once. They are not shown again."),
  h("ul.codes", { "aria-label": "Recovery codes" }, codes.map((one) => h("li", null, h("code", null, one)))),
  h("div.actions", null,
    h("a.button", { download: "recovery-codes.txt", href: `data:text/plain,${encodeURIComponent(codes.join("\n") + "\n")}` }, "Save as a file"),
    h("button.primary", { type: "button", onclick: away }, action)));

export function secondFactor({ signal, done = () => {} }) {
  const place = h("div");

  async function begin() {
    const made = await post(AT, {});
    const sheet = form({
      action: "Turn on",
      fields: [code({ label: "Code from the app", hint: "Six digits; they change every 30 seconds." })],
      submit: async ({ Code }) => {
        const { RecoveryCodes } = await post(`${AT}/Confirm`, { Code });
        toast("The second factor is on; your other sessions have ended.");
        fill(place, recovery(RecoveryCodes, "I have kept them", async () => { await draw(); await done(); }));
      },
    });
    fill(place,
      h("ol.steps", null,
        h("li", null, h("p", null, "Open an authenticator app on your phone and add this key, or ", h("a", { href: made.OtpAuthUri }, "open the app on this device"), "."),
          secret(made.Secret.replace(/(.{4})(?=.)/g, "$1 "), "Key")),
        h("li", null, h("p", null, "Type the code that the app shows."), sheet.node)));
  }

  /* What takes the password and a code. */
  const asking = (title, action, text, path, then) => dialog(title, (close) => h("div", null, h("p", null, text), form({
    action,
    fields: [
      { name: "Password", label: "Password", kind: "password", required: true, autocomplete: "current-password", wide: true },
      code({ autofocus: false, hint: "From your app, or a recovery code." }),
    ],
    submit: async (values) => {
      const answer = await post(`${AT}/${path}`, values);
      close();
      await then(answer);
    },
  }).node));

  function drawOn(now) {
    fill(place,
      h("p", null, "It is on: signing in takes your password and a code. ", `Recovery codes left: ${now.RecoveryCodesLeft}.`),
      h("div.actions", null,
        h("button", { type: "button", onclick: () => asking("New recovery codes", "Make new codes", "The codes until now are taken no longer.", "RecoveryCodes",
          (answer) => fill(place, recovery(answer.RecoveryCodes, "I have kept them", draw))) }, "New recovery codes"),
        h("button.danger", { type: "button", onclick: () => asking("Turn off the second factor", "Turn off",
          now.Required === "true" ? "Your account asks for one: you set up another before anything else." : "From then on your password alone lets you in.", "Remove",
          async () => { toast("The second factor is off."); await draw(); }) }, "Turn off")));
  }

  async function draw() {
    const now = await get(AT, null, { signal });
    if (now.State === "ON")
      return drawOn(now);
    return fill(place,
      h("p", null, "With a second factor, signing in takes your password and a code from your phone. Who learns your password alone does not come in."),
      h("div.actions", null, h("button.primary", { type: "button", onclick: begin }, "Set up")));
  }
  draw();
  return h("section.card", null, h("h2", null, "Second factor"), place);
}
