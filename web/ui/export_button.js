/* export_button.js — what a list shows as a file, by a job: whatever its length, with the filters in force.
 *
 * exportButton([["Postbacks", "POSTBACKS"], …], () => the list's parameters, go)
 */
import { own, post } from "../api.js";
import { h, icon } from "../dom.js";
import { toast } from "./toast.js";

const FORMATS = [["CSV", "CSV"], ["NDJSON", "JSON lines"]];

export function exportButton(kinds, parameters, go) {
  const begin = (Records, Format) => async (event) => {
    event.target.disabled = true;
    try {
      const given = Object.entries(parameters()).filter(([, value]) => value !== "" && value !== undefined && value !== null);
      await post(own("/Exports"), { ...Object.fromEntries(given), Records, Format });
      toast("The export has begun. Its file appears here.");
      go("/jobs");
    } catch (error) {
      event.target.disabled = false;
      toast([error.message, ...(error.errors ?? []).map((one) => `${one.Field}: ${one.Message}`)].join(" "), "bad");
    }
  };
  return h("details.choose", null, h("summary.button", null, icon("download"), "Export"),
    h("div.pop", null, kinds.flatMap(([title, records]) => FORMATS.map(([format, words]) =>
      h("button.plain", { type: "button", onclick: begin(records, format) }, `${title} as ${words}`)))));
}
