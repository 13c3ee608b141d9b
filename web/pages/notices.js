/* notices.js — what the system tells the account, newest first. */
import { get, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date } from "../format.js";
import { look } from "../shell.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";

const SIZE = 50;

export async function page({ signal }) {
  const items = h("ul.thread.notices"), more = h("div.pager"), all = h("button", { type: "button" }, "Mark all as read");
  let next = "";

  async function read(notice, item) {
    try {
      await post(own(`/Notices/${notice.Id}/Read`));
      item.replaceWith(draw({ ...notice, ReadDate: new Date().toISOString() }));
      look();
    } catch (error) {
      toast(error.message, "bad");
    }
  }
  function draw(notice) {
    const item = h("li", { class: notice.ReadDate ? "read" : "unread" }, h("p.says", null, notice.Text),
      h("p.who", null, date(notice.CreationDate), notice.ReadDate ? null : h("span.badge.warn", null, "New")),
      !notice.ReadDate && mayChange() ? h("button.small", { type: "button", onclick: () => read(notice, item) }, "Mark as read") : null);
    return item;
  }
  async function load() {
    const answer = await get(own("/Notices"), { PageSize: SIZE, Before: next }, { signal });
    items.append(...answer.Notices.map(draw));
    next = answer["@nextpageuri"] ? new URL(answer["@nextpageuri"], location.origin).searchParams.get("Before") : "";
    fill(more, next ? h("button", { type: "button", onclick: older }, "Older") : null);
    all.hidden = !mayChange() || Number(answer.Unread) === 0;
    if (!items.firstChild)
      items.replaceWith(h("p.empty", null, "No notices. Trouble with a receiver, maintenance and answers of the support appear here."));
  }
  async function older(event) {
    event.target.disabled = true;
    try {
      await load();
    } catch (error) {
      event.target.disabled = false;
      toast(error.message, "bad");
    }
  }
  all.addEventListener("click", async () => {
    try {
      await post(own("/Notices/Read"));
      next = "";
      fill(items);
      await load();
      look();
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  await load();
  return { title: "Notices", node: h("div", null, heading("Notices", { actions: [all] }), h("section.card", null, items, more)) };
}
