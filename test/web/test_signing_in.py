"""Signing in and out, the password, and that nothing is shown without."""

import pytest

from browser import PASSWORD

PAGES = ["/", "/inquiries", "/inquiries/new", "/inquiries/import", "/inquiries/1", "/rules", "/notifications",
         "/notifications/new", "/notifications/1", "/postbacks", "/postbacks/1", "/jobs", "/notices", "/support",
         "/support/1", "/account", "/operator", "/operator/accounts", "/operator/accounts/PA1", "/operator/campaigns",
         "/operator/campaigns/1", "/operator/event-types", "/operator/event-types/x", "/operator/support",
         "/operator/support/1", "/operator/headers", "/operator/maintenance", "/operator/health", "/operator/audit"]
DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def sign_in(browser, email, password=PASSWORD):
    browser.fill("Email", email).fill("Password", password).click("Sign in")


def test_one_signs_in_and_comes_where_one_wanted(browser, world):
    email = browser.user(world.partner)
    browser.go("/account")
    browser.at("/sign-in")
    browser.screenshot("sign-in")
    sign_in(browser, email)
    browser.at("/account")
    browser.see(email, "Cashback Corner", "Partner")
    browser.screenshot("account")


def test_a_wrong_password_is_told_and_nothing_more(browser, world):
    email = browser.user(world.partner)
    browser.go("/sign-in")
    sign_in(browser, email, "not the password")
    browser.until(lambda: browser.all(".summary"), "a word on what is wrong")
    said = browser.text(".summary")
    browser.go("/sign-in")
    sign_in(browser, "nobody@example.com", "not the password")
    browser.until(lambda: browser.text(".summary") == said, "the same words for somebody unknown")


def test_signing_out_ends_it_for_every_page(browser, world):
    browser.sign_in(world.brand, "/account")
    cookies = browser.cdp("Network.getCookies", urls=[browser.server.base])["cookies"]
    browser.sign_out()
    browser.at("/sign-in")
    for cookie in cookies:  # the cookie is worth nothing any more
        browser.cdp("Network.setCookie", name=cookie["name"], value=cookie["value"],
                    url=browser.server.base)
    browser.go("/account")
    browser.at("/sign-in")


@DESKTOP
def test_a_sign_out_that_does_not_reach_the_server_is_told(browser, world):
    browser.sign_in(world.partner, "/account")
    browser.cut_off("/Session$", "DELETE").sign_out()
    browser.see("You are still signed in.")
    assert browser.path == "/account"
    browser.connected().sign_out()
    browser.at("/sign-in")


@DESKTOP
def test_who_signs_in_again_in_another_tab_goes_on_here(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    email, colleague = browser.user(world.partner), browser.user(world.partner)
    browser.become(email).go(f"/notifications/{made['Id']}").fill("Name", "Their tracker")
    browser.become(email).click("Save")
    browser.see("Saved.")
    browser.fill("Name", "Nobody's tracker")
    browser.become(colleague).click("Save")
    browser.see(f"{colleague} has signed in in another tab")
    got = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}"))
    assert got["Name"] == "Their tracker"
    assert browser.field("Name").get_property("value") == "Nobody's tracker"


@DESKTOP
def test_what_is_typed_outlives_the_session(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    email = browser.user(world.partner)
    browser.become(email).go(f"/notifications/{made['Id']}").fill("Name", "Their tracker")
    browser.cdp("Network.clearBrowserCookies")
    browser.click("Save").see("Your session has ended. Sign in again in another tab")
    browser.become(email).click("Save").see("Saved.")
    browser.cdp("Network.clearBrowserCookies")
    browser.driver.execute_script(  # unless the page found out before, by a call of its own
        "[...document.querySelectorAll('main a')].find((one) => one.innerText.trim() === 'Security')?.click()")
    browser.at("/sign-in")


@DESKTOP
def test_calls_that_find_the_new_session_at_once_all_go_on(browser, world):
    email = browser.user(world.partner)
    browser.become(email).go("/notices").become(email)
    said = browser.driver.execute_async_script("""
      const done = arguments[0];
      import('/assets/api.js').then(({ post, own }) => Promise.allSettled(
        Array.from({ length: 5 }, () => post(own('/Notices/Read'))))).then((all) =>
          done(all.map((one) => one.reason?.message ?? one.status)), (error) => done([error.message]));""")
    assert said == ["fulfilled"] * 5


@DESKTOP
def test_the_banner_of_a_maintenance_is_for_those_inside(browser, world):
    world.operator.ok(world.operator.post("Maintenance", {"Message": "New disks."}))
    browser.sign_in(world.partner, "/account")
    browser.see("New disks.", within=".banner")
    browser.sign_out().at("/sign-in")
    browser.until(lambda: not browser.all(".banner"), "no banner")
    world.operator.ok(world.operator.post("Maintenance/End"))


@DESKTOP
def test_an_address_that_is_none_is_not_found(browser, world):
    browser.sign_in(world.partner, "/notices")
    for address in "/inquiries/%zz", "/notifications/..%2FCampaigns":
        browser.driver.execute_script("""
          const link = document.createElement('a');
          link.href = arguments[0];
          document.querySelector('main').append(link);
          link.click();""", address)
        browser.see("Not found", within="h1")


def test_the_password_is_changed(browser, world):
    email = browser.user(world.partner)
    browser.go("/sign-in")
    sign_in(browser, email)
    browser.until(lambda: browser.path != "/sign-in", "to be signed in")
    browser.go("/account")
    browser.fill("Password now", PASSWORD).fill("New password", "short").fill("New password again", "other")
    browser.click("Change password")
    browser.see("At least 12 characters.", "The two are not the same.")
    browser.fill("New password", "a better one than that").fill("New password again", "a better one than that")
    browser.click("Change password")
    browser.see("The password is changed")
    browser.cdp("Network.clearBrowserCookies")
    browser.go("/sign-in")
    sign_in(browser, email, "a better one than that")
    browser.until(lambda: browser.path != "/sign-in", "to be signed in by the new password")


@DESKTOP
def test_without_a_session_every_page_leads_to_the_sign_in(browser, world):
    for page in PAGES:
        browser.go(page)
        browser.at("/sign-in")


def test_all_can_be_done_by_keyboard(browser, world):
    from selenium.webdriver.common.keys import Keys
    email = browser.user(world.partner)
    browser.go("/sign-in")
    browser.driver.execute_script("document.querySelector('.skip').focus()")
    browser.see("Skip to the content")
    browser.keys(Keys.ENTER)
    assert browser.driver.switch_to.active_element.get_attribute("id") == "main"
    browser.field("Email").click()
    browser.keys(email, Keys.TAB, PASSWORD, Keys.ENTER)
    browser.until(lambda: browser.path != "/sign-in", "to be signed in")


@DESKTOP
def test_the_first_page_is_quick_to_load(browser, world):
    """Under 150 KiB compressed, whichever page is the first."""
    for account, path in (world.partner, "/inquiries"), (world.brand, "/notifications"), (world.operator, "/operator/accounts"):
        browser.cdp("Network.clearBrowserCache")
        browser.sign_in(account, path)
        loaded = browser.driver.execute_script("""
          const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
          return all.map((one) => [one.name, one.encodedBodySize]);""")
        assert any(name.endswith(".js") for name, _ in loaded)
        assert sum(size for _, size in loaded) < 150 * 1024, loaded
