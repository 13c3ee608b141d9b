"""The guide at /help, its link on every page, and the palette that finds things."""

import pytest
from selenium.webdriver.common.keys import Keys

DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def selected(browser):
    """The words of the option that Enter would take."""
    return browser.driver.execute_script(
        "return document.getElementById(document.activeElement.getAttribute('aria-activedescendant') ?? '')?.innerText ?? ''")


def test_everybody_reads_and_searches_the_guide(browser, world):
    browser.go("/help")
    browser.see("Approval rules", "Events and data points")
    browser.screenshot("help")
    browser.fill("Search the guide", "secret rotate")
    browser.click("Event notifications: Verifying signatures")
    browser.at("/help/verifying-signatures")
    browser.see("webhook-signature")
    browser.until(lambda: browser.driver.execute_script(
        "return document.activeElement.textContent === 'Verifying signatures'"
        " && Math.abs(document.activeElement.getBoundingClientRect().top) < 200"), "to be at the part")
    browser.fits()
    browser.fill("Search the guide", "<b>nothing</b>")
    browser.see("Nothing in the guide has all these words.")
    browser.go("/help/running-it")
    browser.see("Figures and alarms")
    browser.screenshot("help-running-it")
    browser.go("/help/of-what-is-not-there")
    browser.see("The guide has no such section.")


@DESKTOP
def test_each_page_leads_to_what_explains_it(browser, world, receiver):
    browser.sign_in(world.partner, "/postbacks")
    link = browser.named("a", "Help with this page, in a new tab")[0]
    assert link.get_attribute("href").endswith("/help/the-log-of-postbacks")
    browser.click("Support", "nav.side")
    browser.at("/support")
    assert browser.named("a", "Help with this page, in a new tab")[0].get_attribute("href").endswith("/help/support")
    notification = world.notify(world.partner, receiver.url("/hooks"), Name="Warehouse")["Id"]
    browser.go(f"/notifications/{notification}").click("Security", "main")
    browser.until(lambda: browser.named("a", "Help with this page, in a new tab")[0].get_attribute("href").endswith(
        "/help/verifying-signatures"), "the tab's own section")


def test_the_palette_finds_by_keyboard_alone(browser, world, receiver):
    notification = world.notify(world.partner, receiver.url("/hooks"), Name="Warehouse")["Id"]
    inquiry = world.open(OrderId="ORD-7731")
    postback = world.await_state(world.partner, "DELIVERED")[0]["Id"]
    browser.sign_in(world.partner, "/inquiries")

    def take(text, expected, path):
        browser.keys(Keys.CONTROL + "k" + Keys.NULL)
        browser.until(lambda: browser.driver.execute_script("return document.activeElement.role") == "combobox", "the field")
        browser.keys(text)
        browser.until(lambda: expected in selected(browser), f"{expected} to be chosen, not {selected(browser)}")
        if path.startswith("/postbacks/"):
            browser.check_accessibility()
        browser.keys(Keys.ENTER)
        browser.at(path)
        assert not browser.all("dialog")

    take("ORD-77", f"Inquiry {inquiry}", f"/inquiries/{inquiry}")
    take("wareh", "Warehouse", f"/notifications/{notification}")
    take(postback, f"Postback {postback}", f"/postbacks/{postback}")
    browser.keys(Keys.CONTROL + "k" + Keys.NULL)
    browser.until(lambda: browser.all("dialog"), "the palette")
    browser.keys("ORD-7731")
    browser.see(f"Inquiry {inquiry}", f"Postback {postback}", within="dialog")
    browser.keys(Keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the palette to close")
    take("downl", "Downloads and imports", "/jobs")
    browser.keys(Keys.CONTROL + "k" + Keys.NULL)
    browser.until(lambda: browser.all("dialog"), "the palette")
    browser.keys("retention", Keys.ARROW_UP)  # past the first comes the last
    browser.until(lambda: "Search the guide for" in selected(browser), "the guide")
    browser.keys(Keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the palette to close")


@DESKTOP
def test_what_was_asked_before_is_given_up_as_one_types_on(browser, world):
    browser.sign_in(world.partner, "/notices")
    browser.click("Find")
    browser.until(lambda: browser.all("dialog"), "the palette")
    browser.hold("ActionInquiries")
    browser.keys("A-1")
    browser.until(lambda: browser.held() == 1, "the first search")
    browser.keys("2")
    browser.until(lambda: browser.held() == 2, "the second search")
    assert browser.driver.execute_script("return window.held[0].signal.aborted")
    browser.let_go(1)
    browser.see("found; arrow keys choose", within="dialog")


@DESKTOP
def test_the_operator_finds_accounts(browser, world):
    browser.sign_in(world.operator, "/operator/health")
    browser.click("Find")
    browser.until(lambda: browser.all("dialog"), "the palette")
    browser.keys(world.partner.sid)
    browser.until(lambda: "Cashback Corner" in selected(browser), "the account")
    browser.keys(Keys.ENTER)
    browser.at(f"/operator/accounts/{world.partner.sid}")
    browser.click("Find")
    browser.until(lambda: browser.all("dialog"), "the palette")
    browser.keys("acme aut")
    browser.see("Acme Autumn", within="dialog")
