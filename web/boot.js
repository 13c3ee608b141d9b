/* boot.js — before anything else: when the pages' own files do not load, says so and tries again.
 *
 * Not a module: it runs although another file is missing.  Once app.js has laid its frame, it has nothing more to do.
 */
(() => {
  const AGAIN_MS = 5000;
  const began = () => document.querySelector("main") !== null;
  function say() {
    if (began() || document.querySelector("[role=alert]"))
      return;
    const box = document.createElement("p"), again = document.createElement("button");
    box.setAttribute("role", "alert");
    box.textContent = `${navigator.onLine ? "The server cannot be reached" : "You are offline"}, so this page did not load. It is tried again by itself. `;
    again.textContent = "Try again";
    again.addEventListener("click", () => location.reload());
    box.append(again);
    document.body.append(box);
    const look = () => fetch("/healthz", { cache: "no-store" }).then((answer) => { if (answer.ok) location.reload(); }).catch(() => {});
    setInterval(look, AGAIN_MS);
    addEventListener("online", look);
  }
  addEventListener("error", ({ target }) => { if (target instanceof HTMLScriptElement && !began()) setTimeout(say); }, true);
})();
