/* app.js — the pages' main: who is signed in, the frame around, then the page of the address. */
import { current, get, use, whenSignedOut } from "./api.js";
import { go, start } from "./router.js";
import { frame, refresh } from "./shell.js";

try {
  use(await get("/Session", null, { quiet: true }));
} catch {
  use(null); /* the sign-in page says more when the server is away */
}
const main = frame(document.body);
whenSignedOut(() => { refresh(); go(location.pathname + location.search, { replace: true }); });
let shownTo = current();
await start(main, () => {
  refresh(shownTo !== current());
  shownTo = current();
});
