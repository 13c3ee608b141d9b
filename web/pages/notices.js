/* notices.js — what the system tells the account, newest first. */
import { get, mayChange, own, post } from "../api.js";
import { fill, h } from "../dom.js";
import { date, localTimes } from "../format.js";
import { look } from "../shell.js";
import { heading } from "../ui/heading.js";
import { toast } from "../ui/toast.js";

const SIZE = 50;

export async function page({ signal }) {
  const place = h("div"), items = h("ul.thread.notices"), more = h("div.pager"), all = h("button", { type: "button" }, "Mark all as read");
  let next = "";

  async function read(notice, item) {
    try {
      await post(own(`/Notices/${notice.Id}/Read`));
      fill(item, says({ ...notice, ReadDate: new Date().toISOString() }, item));
      look();
    } catch (error) {
      toast(error.message, "bad");
    }
  }
  function says(notice, item) {
    item.className = notice.ReadDate ? "read" : "unread";
    return [h("p.says", null, localTimes(notice.Text), notice.Page ? [" ", h("a", { href: notice.Page }, "See it")] : null),
      h("p.who", null, date(notice.CreationDate), notice.ReadDate ? null : h("span.badge.warn", null, "New")),
      !notice.ReadDate && mayChange() ? h("button.small", { type: "button", onclick: () => read(notice, item) }, "Mark as read") : null];
  }
  function draw(notice) {
    const item = h("li");
    return fill(item, says(notice, item));
  }
  async function load() {
    const answer = await get(own("/Notices"), { PageSize: SIZE, Before: next }, { signal });
    items.append(...answer.Notices.map(draw));
    next = answer["@nextpageuri"] ? new URL(answer["@nextpageuri"], location.origin).searchParams.get("Before") : "";
    fill(more, next ? h("button", { type: "button", onclick: older }, "Older") : null);
    all.hidden = !mayChange() || Number(answer.Unread) === 0;
    fill(place, items.firstChild ? items : h("p.empty", null, "No notices. Trouble with a receiver, maintenance and answers of the support appear here."));
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
  return { title: "Notices", node: h("div", null, heading("Notices", { actions: [all] }), h("section.card", null, place, more)) };
}
