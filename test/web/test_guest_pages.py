"""Looking into an account, and the portal in a frame of another product's page."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser import Browser
from harness.receiver import answers
from harness.server import Server, World, await_until

DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def test_the_operator_looks_into_an_account_and_leaves(browser, world, receivers):
    world.notify(world.partner, receivers(answers(410)).url(), Name="Their tracker")
    world.open()
    notice = world.await_notice(world.partner)
    browser.sign_in(world.operator, f"/operator/accounts/{world.partner.sid}", role="ADMIN")
    browser.click("Look into it")
    browser.at("/inquiries")
    browser.see("You look into Cashback Corner.")
    for path, words in (("/notifications", "Their tracker"), ("/postbacks", "opened"), ("/notices", notice["Text"][:30])):
        browser.go(path).see(words, within="main").see("You look into Cashback Corner.")
    browser.go("/notifications").screenshot("look")
    for action in ("Add", "New event notification", "Pause", "Resume", "Delete"):
        assert not browser.named("button, a", action, within="main"), action
    browser.click("Leave")
    browser.at(f"/operator/accounts/{world.partner.sid}")
    browser.see_no("You look into")
    browser.go("/operator/health").see("Health")
    await_until(lambda: {"look.begin", "look.end"} <= {one["Action"] for one in world.operator.ok(
        world.operator.get("Audit", AccountSid=world.partner.sid))["Entries"]}, "both in the account's log")


class Shop:
    """A product's page that shows a portal in a frame."""

    def __enter__(self):
        shop = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                body = (f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>"
                        f"<iframe title=Portal src='{shop.address}' style='border:0;width:100%;height:700px'></iframe>").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        self.address = ""
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(10)


@contextlib.contextmanager
def shown(chromium, server, width):
    browser = Browser(chromium, server, width)
    try:
        yield browser
    finally:
        browser.driver.switch_to.default_content()
    browser.close()


def frame_of(browser, shop, address):
    shop.address = address
    browser.driver.switch_to.default_content()
    browser.driver.get(shop.url)
    browser.driver.switch_to.frame(0)


def test_a_portal_is_shown_in_a_frame_of_an_allowed_page(chromium, width, receiver):
    with Shop() as shop, Server("--portal-origin", shop.url) as server:
        world = World(server)
        made = world.notify(world.partner, receiver.url(), Name="Their tracker")
        world.open()
        world.await_state(world.partner, "DELIVERED")

        def address():
            return server.base + world.operator.ok(world.operator.post(
                f"Accounts/{world.partner.sid}/PortalSessions",
                {"Name": "Acme Partners", "Color": "#0b5c4a"}))["Url"]
        with shown(chromium, server, width) as browser:
            used = address()
            frame_of(browser, shop, used)
            browser.see("Acme Partners", "Event notifications", "Their tracker")
            assert not browser.all("header.top") and not browser.all("nav.side")
            assert browser.driver.execute_script("return document.cookie + location.hash") == ""
            assert browser.driver.execute_script(
                "return document.documentElement.style.getPropertyValue('--accent')") == "#0b5c4a"
            browser.click("Their tracker", within="main")
            browser.until(lambda: browser.field("Name").get_property("value") == "Their tracker", "its settings")
            browser.until(lambda: browser.fill("Name", "Renamed").field("Name").get_property("value") == "Renamed", "a name")
            browser.click("Save").see("Saved.")
            assert world.partner.ok(world.partner.get(made["Uri"]))["Name"] == "Renamed"
            browser.click("Postbacks", within=".portal-head").see("Delivered", within="main")
            browser.driver.switch_to.default_content()
            browser.picture("portal")
            # once
            frame_of(browser, shop, used)
            browser.see("This page has ended", "This address was used already")
            # another page of ours is in nobody's frame
            frame_of(browser, shop, server.base + "/sign-in")
            assert "Sign in" not in browser.text()
            browser.driver.get_log("browser")  # which says so


@DESKTOP
def test_a_page_that_is_not_allowed_has_no_portal_in_its_frame(chromium, width):
    with Shop() as shop, Server("--portal-origin", "https://shop.example.com") as server:
        world = World(server)
        url = world.operator.ok(world.operator.post(
            f"Accounts/{world.partner.sid}/PortalSessions", {}))["Url"]
        with shown(chromium, server, width) as browser:
            frame_of(browser, shop, server.base + url)
            assert not browser.text(".portal-head")
            browser.driver.get_log("browser")
