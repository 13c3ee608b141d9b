"""What holds on every page: a person's zone and language, rows that are read, lists that lead on, what failed is tried again."""

import uuid

import pytest
import requests

from browser import PASSWORD

DESKTOP = pytest.mark.parametrize("width", ["desktop"])
ROWS = """
  const rows = [...document.querySelectorAll('main tbody tr')].map((one) => one.getBoundingClientRect());
  return { high: rows.map((one) => one.height), seen: rows.filter((one) => one.bottom <= innerHeight).length }"""


def german(server, email):
    """The person reads as in Berlin from now on."""
    session = requests.Session()
    answer = session.post(server.base + "/Session", timeout=40, json={"Email": email, "Password": PASSWORD}).json()
    put = session.put(server.base + "/Session/Profile", timeout=40, headers={"X-CSRF-Token": answer["CsrfToken"]},
                      json={"TimeZone": "Europe/Berlin", "Locale": "de-DE"})
    assert put.status_code == 200, put.text


@DESKTOP
def test_money_and_times_are_those_of_the_person(browser, server, world):
    email = browser.user(world.brand)
    german(server, email)
    browser.become(email).go("/rules")
    browser.see("Times are those of Europe/Berlin (UTC+", within=".zone-line")
    limit = "Only if the payout asked is under"
    browser.fill(limit, "1.234")
    browser.see("Read as 1.234.")
    browser.fill(limit, "89,9,0")
    browser.see("An amount such as 49,90.")
    browser.fill(limit, "1.234,56")
    browser.see_no("Read as", within="main")
    browser.click("Add rule")
    browser.see("the payout asked is under 1.234,56 EUR")
    rules = world.brand.ok(world.brand.get("ApprovalRules"))["ApprovalRules"]
    assert [one["PayoutUnder"] for one in rules] == ["1234.56"]
    world.brand.ok(world.brand.delete(f"ApprovalRules/{rules[0]['Id']}"))


@DESKTOP
def test_fifteen_rows_are_seen_each_on_a_line(browser, world):
    for number in range(18):
        world.operator.ok(world.operator.post("Accounts", {
            "Kind": "PARTNER", "Name": f"Cashback of all regions in the North {number}", "Email": f"reports{number}@example.com"}))
    browser.sign_in(world.operator, "/operator/accounts")
    browser.find("main tbody tr:nth-child(18)")
    rows = browser.driver.execute_script(ROWS)
    assert all(40 <= high <= 48 for high in rows["high"]), rows
    assert rows["seen"] >= 15, rows
    when = browser.find("main tbody time.ago")
    assert "UTC" in when.get_attribute("title") and "ago" in when.text


@DESKTOP
def test_what_did_not_load_is_tried_again(browser, world):
    browser.sign_in(world.operator, "/operator/accounts")
    browser.find("main tbody tr")
    browser.cut_off("/Operator/Accounts", "GET")
    browser.fill("Name or SID", world.partner.sid.lower())
    browser.see("The server cannot be reached.", within=".table-place")
    browser.connected().click("Try again")
    browser.until(lambda: len(browser.all("main tbody tr")) == 1, "the account of that SID")
    browser.fill("Name or SID", f"nobody {uuid.uuid4().hex}")
    browser.see("No account like that.", "New account")


@DESKTOP
def test_an_accounts_postbacks_are_one_click_from_it(browser, world):
    browser.sign_in(world.operator, f"/operator/accounts/{world.partner.sid}")
    browser.click("Postbacks", within="main .facts")
    browser.at("/postbacks")
    browser.see("Postbacks", within="h1")
    browser.driver.execute_script("sessionStorage.clear()")
