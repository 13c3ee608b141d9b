"""Takes the pictures of doc/pictures that README and guide show, and measures the pages: with 3,000 inquiries,
25,000 postbacks and receivers that fail.

script/pictures runs it.  The repository has one picture a page; all others (both widths, light and dark) and what was
measured are left in artefacts/pictures."""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

from big_world import BigWorld, Receivers  # noqa: E402
from browser import ROOT, WIDTHS, Browser, Chromium  # noqa: E402
from harness.server import Server, World  # noqa: E402

PICTURES = os.path.join(ROOT, "doc", "pictures")
ALL = os.path.join(ROOT, "artefacts", "pictures")

# In each page as it is loaded: when it last changed, in milliseconds since one asked for it.
WATCH = """
window.lastChange = 0;
new MutationObserver(() => { window.lastChange = performance.now(); }).observe(
  document, { childList: true, subtree: true, attributes: true, characterData: true });
"""
MEASURE = """
const files = performance.getEntriesByType('resource').filter((one) => one.name.includes('/assets/') && !one.name.includes('/lib/'));
const calls = performance.getEntriesByType('resource').filter((one) => !one.name.includes('/assets/') && !one.name.includes('/Changes'));
return {
  page: Math.round(window.lastChange),
  calls: Math.round(Math.max(0, ...calls.map((one) => one.duration))),
  bytes: [...files, ...performance.getEntriesByType('navigation')].reduce((sum, one) => sum + one.encodedBodySize, 0),
};
"""


def pages(world, shown):
    partner, brand, operator = world.partner, world.brand, world.operator
    return [
        ("sign-in", None, "/sign-in"), ("help", None, "/help"), ("help-section", None, "/help/verifying-signatures"),
        ("inquiries", partner, "/inquiries"), ("inquiry-new", partner, "/inquiries/new"), ("inquiry-import", partner, "/inquiries/import"),
        ("inquiry", partner, f"/inquiries/{shown['inquiry']}"),
        ("actions", partner, "/actions"), ("action", partner, f"/actions/{shown['action']}"), ("terms", partner, "/terms"),
        ("brand-inquiries", brand, "/inquiries"), ("review", brand, f"/inquiries/{shown['open']}"), ("rules", brand, "/rules"),
        ("notifications", partner, "/notifications"), ("notification", partner, f"/notifications/{shown['notification']}"),
        ("notification-deliveries", partner, f"/notifications/{shown['failing']}?View=deliveries"),
        ("notification-security", partner, f"/notifications/{shown['notification']}?View=security"),
        ("postbacks", partner, "/postbacks"), ("postback", partner, f"/postbacks/{shown['postback']}"), ("jobs", partner, "/jobs"),
        ("notices", partner, "/notices"), ("support", partner, "/support"), ("support-request", partner, f"/support/{shown['support']}"), ("account", partner, "/account"),
        ("operator-health", operator, "/operator/health"), ("operator-maintenance", operator, "/operator/maintenance"),
        ("operator-accounts", operator, "/operator/accounts"), ("operator-account", operator, f"/operator/accounts/{partner.sid}"),
        ("operator-campaigns", operator, "/operator/campaigns"), ("operator-campaign", operator, f"/operator/campaigns/{world.campaign}"),
        ("operator-event-types", operator, "/operator/event-types"), ("operator-event-type", operator, f"/operator/event-types/{shown['type']}"),
        ("operator-headers", operator, "/operator/headers"), ("operator-support", operator, "/operator/support?State="),
        ("operator-audit", operator, "/operator/audit"),
    ]


def take(browser, name, wanted):
    """The first screens of the page: both widths, light and dark."""
    for width in WIDTHS:
        browser.resize(width)
        browser.until(browser.is_narrow_enough, "the page to fit")
        browser.drawn()
        for scheme in ("light", "dark"):
            browser.color(scheme)
            browser.picture(name, path=os.path.join(ALL, f"{name}-{width}-{scheme}.webp"), high=1400)
    browser.color("light")
    browser.resize("desktop")
    browser.drawn()
    kept = os.path.join(PICTURES, f"{name}.webp")
    if name in wanted or (not wanted and os.path.exists(kept)):
        browser.picture(name, path=kept, high=1100)


def measure(browser, path):
    """Asked for anew, with nothing in the browser's cache: how it was the second time, when the server knew the way."""
    for _ in range(2):
        browser.cdp("Network.clearBrowserCache")
        browser.go(path)
        browser.drawn()
    return browser.driver.execute_script(MEASURE)


def main(wanted):
    """With names: the repository's pictures of these pages alone."""
    os.makedirs(ALL, exist_ok=True)
    began = time.monotonic()
    with Receivers() as receivers, Server() as server, Chromium() as chromium:
        world = World(server)
        big = BigWorld(world, receivers).fill(inquiries=3000, postbacks=25000, accounts=40, sales=60)
        print(f"{big.postbacks()} postbacks; the world was made in {time.monotonic() - began:.0f} s.")
        browser, signed_in, rows = Browser(chromium, server, "desktop"), None, []
        browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        for name, who, path in pages(world, big.shown):
            if who is not None and who is not signed_in:
                browser.become(browser.user(who))
                signed_in = who
            found = measure(browser, path)
            rows.append(f"| `{name}` | {found['page']} | {found['calls']} | {found['bytes'] / 1024:.0f} |")
            print(rows[-1], flush=True)
            take(browser, name, wanted)
    with open(os.path.join(ALL, "measured.md"), "w", encoding="utf-8") as out:
        out.write("| page | drawn after, ms | its slowest call, ms | loaded, KiB |\n|---|---:|---:|---:|\n" + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
