/* attachments.js — the files at an inquiry: loaded, added, taken away. */
import { del, get, mayChange, post, query } from "../../api.js";
import { fill, h } from "../../dom.js";
import { bytes, date } from "../../format.js";
import { confirm } from "../../ui/dialog.js";
import { toast } from "../../ui/toast.js";

const MOST = 5, BYTES_MOST = 5 * 1024 * 1024;
const TYPES = ["application/pdf", "image/png", "image/jpeg"];

/* { node, reload(inquiry) } for the inquiry at `uri`; `changed` is called when a file came or went. */
export function attachmentsOf(uri, signal, changed) {
  const place = h("div"), says = h("p.error", { role: "alert" });
  const input = h("input", { type: "file", accept: TYPES.join(","), "aria-label": "Attach a file", onchange: () => add() });
  const adding = h("div.no-print", { hidden: true }, input, h("p.hint", null, "PDF, PNG or JPEG, 5 MiB at most, five files in all. Both sides can load it."));
  let now = null, drawn = "";

  async function add() {
    const [file] = input.files;
    if (!file)
      return;
    fill(says);
    if (file.size > BYTES_MOST) {
      fill(says, `${file.name} has more than 5 MiB.`);
    } else {
      input.disabled = true;
      try {
        await post(`${uri}/Attachments${query({ Name: file.name })}`, file, { type: TYPES.includes(file.type) ? file.type : "application/octet-stream" });
        toast(`${file.name} is attached.`);
      } catch (error) {
        fill(says, `${file.name}: ${(error.errors ?? []).map((one) => one.Message).join("; ") || error.message}`);
      }
      input.disabled = false;
    }
    input.value = "";
    await Promise.all([reload(now), changed()]);
  }

  async function remove(one) {
    if (!await confirm({ title: `Take ${one.Name} away?`, text: "Neither side can load it any more.", action: "Take it away", tone: "danger" }))
      return;
    try {
      await del(`${uri}/Attachments/${one.Id}`);
    } catch (error) {
      toast(`Not taken away: ${error.message}`, "bad");
    }
    await Promise.all([reload(now), changed()]);
  }

  const line = (one, open) => h("li", null, h("p.trip", null,
    h("a", { href: `${uri}/Attachments/${one.Id}`, download: one.Name }, one.Name), h("span.muted", null, bytes(one.Bytes)),
    open && one.Own === "true" ? h("button.plain.no-print", { type: "button", "aria-label": `Take ${one.Name} away`, onclick: () => remove(one) }, "Take away") : null),
  h("p.who", null, `${one.User} · ${date(one.CreationDate)}`));

  async function reload(inquiry) {
    now = inquiry;
    const { Attachments } = await get(`${uri}/Attachments`, null, { signal }), open = inquiry.State === "OPEN" && mayChange();
    const shown = JSON.stringify([Attachments, open]);
    if (shown === drawn) /* what is the same stays: it may have the focus */
      return;
    drawn = shown;
    fill(place, Attachments.length ? h("ul.thread", null, Attachments.map((one) => line(one, open))) : h("p.muted", null, "None."));
    adding.hidden = !open || Attachments.length >= MOST;
  }
  return { reload, node: h("section.card", { "aria-label": "Files" }, h("h2", null, "Files"), place, says, adding) };
}
