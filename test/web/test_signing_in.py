"""Signing in and out, the password, and that nothing is shown without."""

import pytest

from browser import PASSWORD

PAGES = ["/", "/inquiries", "/inquiries/new", "/inquiries/import", "/inquiries/1", "/rules", "/notifications",
         "/notifications/new", "/notifications/1", "/postbacks", "/postbacks/1", "/notices", "/support",
         "/support/1", "/account", "/operator", "/operator/accounts", "/operator/accounts/PA1", "/operator/campaigns",
         "/operator/campaigns/1", "/operator/event-types", "/operator/event-types/x", "/operator/support",
         "/operator/support/1", "/operator/headers", "/operator/maintenance", "/operator/health", "/operator/audit"]


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
    browser.find("details.person summary").click()
    browser.click("Sign out")
    browser.at("/sign-in")
    for cookie in cookies:  # the cookie is worth nothing any more
        browser.cdp("Network.setCookie", name=cookie["name"], value=cookie["value"],
                    url=browser.server.base)
    browser.go("/account")
    browser.at("/sign-in")


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


@pytest.mark.parametrize("width", ["desktop"])
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


@pytest.mark.parametrize("width", ["desktop"])
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
