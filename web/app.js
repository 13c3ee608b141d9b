/* app.js — the pages' main: who is signed in, the frame around, then the page of the address. */
import { ApiError, current, get, use, whenSignedOut } from "./api.js";
import { fill } from "./dom.js";
import { go, isUnsaved, start } from "./router.js";
import { frame, refresh } from "./shell.js";
import { keepFocus } from "./ui/focus.js";
import { away } from "./ui/away.js";
import { leaveLook, looking, takeUpLook } from "./ui/look.js";
import { toast } from "./ui/toast.js";

/* A call that failed is never passed over in silence; what is no call's is a fault of ours, and stays in the console. */
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof ApiError)
    toast(event.reason.message, "bad");
  if (event.reason instanceof ApiError || event.reason?.name === "AbortError")
    event.preventDefault();
});

const main = frame(document.body);
/* Whether somebody is signed in, as soon as the server says so. */
async function session() {
  if (takeUpLook())
    return;
  try {
    use(await get("/Session", null, { quiet: true }));
  } catch (error) {
    use(null);
    if (error.status === 0 || error.status >= 500)
      await new Promise((again) => {
        const signal = new AbortController().signal;
        fill(main, away({ text: error.message, again, signal }));
      }).then(session);
  }
}
await session();
keepFocus(main);
whenSignedOut(() => {
  if (looking()) {
    leaveLook({ ended: true });
    return false;
  }
  if (isUnsaved())
    return true;
  use(null);
  refresh();
  go(location.pathname + location.search, { replace: true });
  return false;
});
let shownTo = current();
await start(main, () => {
  refresh(shownTo !== current());
  shownTo = current();
});
