"""The second factor in the pages: set up, signing in by two steps, an account that asks for it."""

from browser import PASSWORD
from harness.server import Browser
from harness.totp import Authenticator, enrol


def sign_in(browser, email):
    browser.go("/sign-in")
    browser.fill("Email", email).fill("Password", PASSWORD).click("Sign in", within="main")


def key(browser):
    return browser.field("Key").get_property("value").replace(" ", "")


def test_it_is_set_up_and_asked_for(browser, world):
    email = browser.user(world.partner)
    browser.become(email).go("/account")
    browser.click("Set up").see("Type the code that the app shows.")
    app = Authenticator(key(browser))
    browser.screenshot("second-factor-key")
    browser.fill("Code from the app", "12").click("Turn on")
    browser.see("is not right")
    browser.fill("Code from the app", app.code()).click("Turn on")
    browser.see("Keep these recovery codes")
    codes = browser.text(".codes").split()
    assert len(codes) == 10
    browser.screenshot("second-factor-codes")
    browser.click("I have kept them").see("Recovery codes left: 10.")

    browser.sign_out()
    browser.at("/sign-in")
    sign_in(browser, email)
    browser.see("The six digits that your authenticator app shows")
    browser.screenshot("second-factor-step")
    browser.fill("Code", "000000" if app.code() != "000000" else "000001").click("Go on")
    browser.see("The code is not right")
    browser.fill("Code", codes[0]).click("Go on")
    browser.at("/inquiries")

    browser.go("/account").see("Recovery codes left: 9.").click("Turn off")
    browser.fill("Password", PASSWORD, within="dialog").fill("Code", codes[1], within="dialog")
    browser.click("Turn off", within="dialog").see("Who learns your password alone does not come in.")


def test_who_must_have_one_sets_it_up_first(browser, world):
    world.operator.ok(world.operator.put(f"Accounts/{world.partner.sid}/SecondFactor", {"Required": True}))
    browser.sign_in(world.partner, "/notifications")
    browser.see("Set up your second factor")
    browser.click("Set up")
    app = Authenticator(key(browser))
    browser.fill("Code from the app", app.code()).click("Turn on").see("Keep these recovery codes")
    browser.click("I have kept them")
    browser.until(lambda: browser.text("main h1") == "Event notifications", "the page that was asked for")


def test_an_admin_takes_a_lost_one_away_and_asks_everybody_for_one(browser, world):
    lost = browser.user(world.partner)
    person = Browser(browser.server.base)
    person.sign_in(lost, PASSWORD)
    enrol(person)
    browser.sign_in(world.partner, "/people", role="ADMIN")
    browser.click(f"Take the second factor of {lost} away").see("Take the second factor away?")
    browser.click("Take away", within="dialog").see("The second factor is taken away.")
    answer = Browser(browser.server.base).post("/Session", {"Email": lost, "Password": PASSWORD})
    assert answer.status_code == 200 and "Ticket" not in answer.json(), answer.text
    browser.check_accessibility()
    rule = f"Accounts/{world.partner.sid}/SecondFactor"
    assert world.operator.ok(world.operator.get(rule))["Required"] == "false"
    browser.tick("Each user has a second factor").click("Save", within="main")
    browser.until(lambda: world.operator.ok(world.operator.get(rule))["Required"] == "true", "the rule")
