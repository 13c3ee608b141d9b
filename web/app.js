/* app.js — the pages' main: who is signed in, the frame around, then the page of the address. */
import { ApiError, current, get, use, whenSignedOut } from "./api.js";
import { go, isUnsaved, start } from "./router.js";
import { frame, refresh } from "./shell.js";
import { keepFocus } from "./ui/focus.js";
import { toast } from "./ui/toast.js";

/* A call that failed is never passed over in silence; what is no call's is a fault of ours, and stays in the console. */
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof ApiError)
    toast(event.reason.message, "bad");
  if (event.reason instanceof ApiError || event.reason?.name === "AbortError")
    event.preventDefault();
});

try {
  use(await get("/Session", null, { quiet: true }));
} catch {
  use(null); /* the sign-in page says more when the server is away */
}
const main = frame(document.body);
keepFocus(main);
whenSignedOut(() => {
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
