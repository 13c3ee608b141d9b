/* sessions_table.js — sessions that go on, each with the button that ends it. */
import { h } from "../dom.js";
import { ago, date, exact } from "../format.js";
import { device } from "./device.js";
import { simpleTable } from "./simple_table.js";

/* `people`: with whose they are. */
export const sessionsTable = (sessions, end, people = false) => simpleTable("Sessions", sessions, [
  ...(people ? [["Who", (one) => one.User.Name || one.User.Email]] : []),
  ["Device", (one) => h("span", { title: one.Device }, device(one.Device))],
  ["From", (one) => one.Address], ["Since", (one) => date(one.CreationDate)],
  ["Last seen", (one) => h("span", { title: exact(one.LastUseDate) }, one.Current === "true" ? "Now: this one" : ago(one.LastUseDate))],
  ["", (one) => (one.Current === "true" ? "" : h("button.small", { type: "button", "aria-label": `End the session of ${people ? one.User.Email : device(one.Device)}, ${one.Id}`, onclick: () => end(one) }, "End"))],
], "Nobody is signed in.");
