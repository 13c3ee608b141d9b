/* undo.js — a decision that was sent can be taken back for ten seconds. */
import { own, post } from "../../api.js";
import { offer, toast } from "../../ui/toast.js";

/* Says what will be so, and offers to undo it; `changed` is called when it was undone, or when its time is over. */
export function offerUndo(text, ids, changed = () => {}) {
  offer(text, "Undo", async () => {
    try {
      const { Done, Refused } = ids.length === 1
        ? await post(own(`/ActionInquiries/${ids[0]}/Undo`)).then(() => ({ Done: "1", Refused: "0" })) : await post(own("/ActionInquiries/Bulk"), { Ids: ids, Step: "UNDO" });
      toast(Number(Refused) ? `${Done} taken back; ${Refused} could not be any more.` : "Taken back: all is as it was.");
    } catch (error) {
      toast(`Not taken back: ${error.message}`, "bad");
    }
  }).then(changed).catch(() => { /* the page was left */ });
}
