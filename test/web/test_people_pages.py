"""An account's people in the pages: invited, let in, changed, shut out; a profile, sessions, tokens, the
audit log; a forgotten password."""

import uuid

import pytest
import requests

from browser import PASSWORD

OTHER = "another pass phrase"


def link_of(browser):
    browser.until(lambda: browser.all("input[aria-label=Link]"), "the link")
    address = browser.find("input[aria-label=Link]").get_attribute("value")
    browser.click("Done", within="dialog")
    return address[len(browser.server.base):]


def sign_in(browser, email, password):
    browser.fill("Email", email).fill("Password", password).click("Sign in", within="main")


@pytest.mark.parametrize("width", ["desktop"])
def test_an_account_sees_to_its_people(browser, world):
    account = world.account("PARTNER", f"Shop {uuid.uuid4().hex[:6]}")
    first, second = (f"{uuid.uuid4().hex[:10]}@example.com" for _ in range(2))
    browser.sign_in(world.operator, f"/operator/accounts/{account.sid}")
    browser.click("Invite")
    browser.fill("Mail address", first, within="dialog").choose("Role", "Admin: users and tokens too")
    browser.click("Invite", within="dialog")
    link = link_of(browser)
    browser.see(first, "Send again")
    browser.sign_out()
    browser.at("/sign-in")

    browser.go(link)
    browser.see("You are invited to", first)
    assert browser.driver.execute_script("return location.hash") == ""
    browser.screenshot("invitation")
    browser.fill("Your name", "Ann Bee").fill("Password", PASSWORD).fill("Password again", PASSWORD)
    browser.click("Accept").see("Welcome.")
    browser.click("Sign in", within="main").at("/sign-in")
    sign_in(browser, first, PASSWORD)
    browser.at("/inquiries")

    browser.go("/people")
    browser.see(first, "Ann Bee", "Now: this one")
    browser.screenshot("people")
    browser.click("Invite")
    browser.fill("Mail address", second, within="dialog").click("Invite", within="dialog")
    old = link_of(browser)
    browser.click(f"Send the invitation of {second} again")
    new = link_of(browser)
    assert old != new
    token = new.split("#")[1]
    assert requests.post(browser.server.base + "/Session/Accept", timeout=40, json={
        "Link": token, "Name": "Bob", "Password": PASSWORD}).status_code == 200
    browser.go("/people").see("Nobody is invited at the moment.", "Bob")
    browser.click(f"Change {second}").choose("Role", "Read only", within="dialog").click("Save", within="dialog")
    browser.see("The user is changed.")
    browser.click(f"Another password for {second}").click("Send link", within="dialog")
    reset = link_of(browser)
    browser.click(f"Change {first}").choose("Role", "Read only", within="dialog").click("Save", within="dialog")
    browser.see("The account would have no ADMIN")
    browser.click("Cancel", within="dialog")

    browser.go("/tokens")
    browser.click("New token")
    browser.fill("Label", "shop", within="dialog").click("Make token", within="dialog")
    made = browser.find("input[aria-label=Token]").get_attribute("value")
    browser.click("Done", within="dialog").see("shop", "Never", "No end")
    assert requests.get(f"{browser.server.base}{account.prefix}/Campaigns", auth=(account.sid, made),
                        timeout=40).status_code == 200
    browser.screenshot("tokens")
    browser.go("/audit")
    browser.see("token.add", "user.change", "invitation.accept", "Ann Bee")
    browser.screenshot("audit")
    browser.sign_out()
    browser.at("/sign-in")

    browser.go(old)
    browser.see("This link is not good")
    browser.go(reset)
    browser.fill("Password", OTHER).fill("Password again", "no").click("Save the password")
    browser.see("The two are not the same.")
    browser.fill("Password again", OTHER).click("Save the password").see("The password is changed.")
    browser.go("/sign-in")
    sign_in(browser, second, OTHER)
    browser.at("/inquiries")
    assert not browser.all("nav a[href='/tokens']")


def test_a_person_sees_to_the_own_profile_and_sessions(browser, world):
    email = browser.user(world.brand)
    other = requests.post(browser.server.base + "/Session", json={"Email": email, "Password": PASSWORD}, timeout=40)
    browser.become(email).go("/account")
    browser.fill("Your name", "Zoé").choose("Time zone", "Asia/Tokyo").choose("Numbers and dates as in", "German (Germany)")
    browser.click("Save profile").see("Saved.")
    browser.go("/account")
    assert browser.field("Time zone").get_property("value") == "Asia/Tokyo"
    assert browser.field("Numbers and dates as in").get_property("value") == "de-DE"
    browser.see("Zoé", "Now: this one")
    browser.screenshot("account-profile")
    browser.click("End all others").see("All your other sessions have ended.")
    assert requests.get(browser.server.base + "/Session", cookies=other.cookies, timeout=40).status_code == 401
    browser.go("/account").see("Now: this one")


def test_a_forgotten_password_tells_nothing(browser, world):
    browser.go("/sign-in").click("Forgotten password?").at("/forgotten")
    browser.screenshot("forgotten")
    browser.fill("Email", "nobody@example.com").click("Send a link")
    browser.see("If nobody@example.com signs in here")
