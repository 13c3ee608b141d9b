/* progress.js — a bar that says how far something is. */
import { h } from "../dom.js";

export function progress(done, total, label) {
  const percent = total > 0 ? Math.min(100, Math.floor((done * 100) / total)) : 0;
  return h("div.progress", null, h("progress", { max: 100, value: percent, "aria-label": label }), h("span", null, `${percent} %`));
}
