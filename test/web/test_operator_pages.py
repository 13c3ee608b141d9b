"""The operator's pages: accounts, users, tokens, campaigns, event types, headers, maintenance, audit."""

import datetime
import uuid

import pytest
import requests

from browser import PASSWORD
from harness.delivery import Delivery
from harness.receiver import resets
from harness.server import await_until


DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def unique(prefix):
    return f"{prefix} {uuid.uuid4().hex[:6]}"


def test_an_account_is_made_with_a_user_and_a_token_that_work(browser, server, world):
    name, email = unique("Shop"), f"{uuid.uuid4().hex[:8]}@example.com"
    browser.sign_in(world.operator, "/operator/accounts")
    browser.screenshot("operator-accounts")
    browser.click("New account")
    browser.choose("Kind", "Partner").fill("Name", name, within="dialog")
    browser.click("Add account")
    browser.see(name, within="h1")
    browser.click("New user")
    browser.fill("Email, to sign in with", email).fill("Name", "Dana", within="dialog").fill("Password", "short", within="dialog")
    browser.click("Add user")
    browser.see("At least 12 characters.")
    browser.fill("Password", PASSWORD, within="dialog").click("Add user")
    browser.see(email)
    assert requests.post(server.base + "/Session", json={"Email": email, "Password": PASSWORD}, timeout=40).status_code == 200
    browser.click("New token")
    browser.fill("Label", "shop").click("Make token")
    token = browser.find("input[aria-label=Token]").get_attribute("value")
    browser.click("Done")
    sid = browser.path.rsplit("/", 1)[1]
    asked = f"{server.base}/Mediapartners/{sid}/Campaigns"
    assert requests.get(asked, auth=(sid, token), timeout=40).status_code == 200
    browser.screenshot("operator-account")
    browser.click("Revoke shop", exact=False)
    browser.click("Revoke", within="dialog")
    browser.see("Revoked")
    assert requests.get(asked, auth=(sid, token), timeout=40).status_code == 401
    browser.click(f"Change {email}")
    browser.tick("Active", False, within="dialog").click("Save", within="dialog")
    browser.see("Not active")
    assert requests.post(server.base + "/Session", json={"Email": email, "Password": PASSWORD}, timeout=40).status_code == 401


@DESKTOP
def test_what_does_not_reach_the_server_is_told(browser, world):
    browser.sign_in(world.operator, f"/operator/accounts/{world.partner.sid}")
    browser.cut_off("/Tokens/", "DELETE")
    browser.click("Revoke ", exact=False)
    browser.click("Revoke", within="dialog")
    browser.see("The server cannot be reached.")


@DESKTOP
def test_a_dialog_goes_with_its_page(browser, world):
    browser.sign_in(world.operator, "/operator/accounts")
    browser.click("Campaigns", within="nav").at("/operator/campaigns")
    browser.click("New campaign")
    browser.find("dialog")
    browser.driver.back()
    browser.at("/operator/accounts")
    browser.until(lambda: not browser.all("dialog"), "no dialog")


def test_a_campaign_gets_trackers_partners_and_tokens(browser, world):
    name = unique("Autumn")
    browser.sign_in(world.operator, "/operator/campaigns")
    browser.click("New campaign")
    browser.until(lambda: browser.all("dialog"), "the form")
    browser.pick("Brand", world.brand.sid, within="dialog")
    browser.fill("Name", name, within="dialog").fill("Currency", "euro", within="dialog").click("Add campaign")
    browser.see("Three capital letters")
    browser.fill("Currency", "EUR", within="dialog").click("Add campaign")
    browser.see(name, within="h1")
    browser.click("New tracker").fill("Name", "Online sale", within="dialog").click("Add tracker")
    browser.see("Online sale")
    browser.click("Add a partner")
    browser.until(lambda: browser.all("dialog"), "the form")
    browser.pick("Partner", world.partner.sid, within="dialog")
    browser.click("Add partner", within="dialog")
    browser.see("Remove")
    browser.screenshot("operator-campaign")
    browser.click("Remove Cashback Corner", exact=False)
    browser.click("Remove", within="dialog")
    browser.see("None yet.")


def test_an_event_type_is_added_and_changed(browser, world):
    name = f"shop{uuid.uuid4().hex[:6]}.order_shipped"
    browser.sign_in(world.operator, "/operator/event-types")
    browser.screenshot("operator-event-types")
    browser.click("New event type")
    browser.at("/operator/event-types/new")
    browser.fill("Name", "Wrong Name").fill("Meaning", "An order left the house")
    browser.see("Words in small letters")
    browser.fill("Name", name)
    browser.click("Add a data point")
    for label, value in (("Name", "OrderId"), ("Meaning", "The order"), ("Sample", "ORD-1")):
        browser.find(f"tbody input[aria-label={label}]").send_keys(value)
    browser.screenshot("operator-event-type")
    browser.click("Add event type")
    browser.at("/operator/event-types")
    browser.see(name)
    browser.click(name)
    browser.fill("Meaning", "An order is on its way").click("Save")
    browser.see("An order is on its way")
    point, = world.operator.ok(world.operator.get(f"EventTypes/{name}"))["DataPoints"]
    assert (point["Name"], point["Sample"]) == ("OrderId", "ORD-1")


def test_custom_headers_are_set_and_never_shown(browser, world, receiver):
    work = Delivery(world, receiver.url(), Name=unique("Warehouse"))
    browser.sign_in(world.operator, f"/operator/headers?AccountSid={world.partner.sid}")
    browser.click("Headers of Warehouse", exact=False)
    browser.click("Add a header")
    browser.find("dialog input[aria-label=Name]").send_keys("X-Api-Key")
    browser.find("dialog input[aria-label=Value]").send_keys("k-5521")
    browser.click("Save", within="dialog")
    browser.see("X-Api-Key")
    browser.screenshot("operator-headers")
    work.send()
    assert receiver.wait(1)[0].header("X-Api-Key") == "k-5521"
    browser.click("Headers of Warehouse", exact=False)
    browser.until(lambda: browser.all("dialog"), "the form")
    assert "k-5521" not in browser.driver.page_source


def test_headers_wait_for_agreement_when_the_url_leads_elsewhere(browser, world, receiver):
    """A9: the operator sees whom they were set for and agrees; the account's page says it too."""
    work = Delivery(world, "http://127.0.0.1:9/before", Name=unique("Moving"))
    world.operator.ok(world.operator.put(f"Notifications/{work.id}/Headers", {
        "CustomHeaders": [{"Name": "X-Api-Key", "Value": "k-5521"}]}))
    work.change(Url=receiver.url())
    browser.sign_in(world.partner, f"/notifications/{work.id}")
    browser.click("Security").see("Set for http://127.0.0.1:9 and not used")
    browser.sign_in(world.operator, f"/operator/headers?AccountSid={world.partner.sid}")
    browser.see("set for http://127.0.0.1:9, waiting for agreement")
    browser.click("Agree to the receiver of Moving", exact=False)
    browser.click("Agree", within="dialog")
    browser.see("They go to the new receiver from now on.")
    work.send()
    assert receiver.wait(1)[0].header("X-Api-Key") == "k-5521"


def test_maintenance_pauses_shows_its_banner_and_catches_up(browser, world, receiver):
    work = Delivery(world, receiver.url())
    browser.sign_in(world.operator, "/operator/maintenance")
    browser.fill("Message to the accounts", "New disks.").click("Pause postbacks")
    browser.click("Pause", within="dialog")
    browser.see("Postbacks are paused")
    work.send()
    browser.screenshot("operator-maintenance")
    assert not receiver.requests
    browser.sign_in(world.partner, "/inquiries")
    browser.see("New disks.", within=".banner")
    browser.check_accessibility()
    browser.sign_in(world.operator, "/operator/maintenance")
    browser.click("End the maintenance")
    receiver.wait(1)
    browser.see("Postbacks go out")


def test_the_audit_log_tells_who_did_what(browser, world):
    browser.sign_in(world.operator, f"/operator/audit?AccountSid={world.operator.sid}")
    browser.until(lambda: len(browser.all(".table-place tbody tr")) > 3, "the changes")
    browser.see("account.add")
    browser.screenshot("operator-audit")


def test_the_operators_pages_are_not_for_accounts(browser, world):
    browser.sign_in(world.partner, "/operator/accounts")
    browser.see_no(world.brand.sid)
    browser.see("not")


def test_the_servers_health_is_shown_and_moves(browser, world, receiver):
    browser.sign_in(world.operator, "/")
    browser.at("/operator/health")
    browser.see("Well", "connections in", "disk free")
    browser.until(lambda: browser.driver.execute_script(
        "return document.querySelectorAll('canvas').length === 4 && typeof Chart !== 'undefined'"), "four charts")
    browser.screenshot("operator-health")
    world.operator.ok(world.operator.post("Maintenance", {}))
    browser.see("Maintenance", within="h1 ~ .badges")
    world.operator.ok(world.operator.post("Maintenance/End"))
    browser.see("Well", within="h1 ~ .badges")


@DESKTOP
def test_the_pages_that_look_again_go_on_after_the_server_was_away(browser, world):
    browser.sign_in(world.operator, "/operator/health")
    browser.see("Well", within="h1 ~ .badges")
    browser.cut_off("/Operator/Status")
    browser.see("No answer", within="h1 ~ .badges")
    browser.until(lambda: browser.driver.execute_script("return window.failed") > 1, "a second call without an answer")
    browser.connected().see("Well", within="h1 ~ .badges")
    browser.go("/operator/maintenance").see("Postbacks go out")
    browser.cut_off("/Operator/Maintenance$")
    browser.until(lambda: browser.driver.execute_script("return window.failed"), "a call without an answer")
    world.operator.ok(world.operator.post("Maintenance", {}))
    browser.connected().see("Postbacks are paused", within="h1 ~ .badge")
    browser.click("End the maintenance").see("Postbacks go out", within="h1 ~ .badge")


def test_health_says_what_is_wrong_with_counts(browser, world, receivers):
    """P7: failing event notifications and receivers that are down are no "Well"; a planned maintenance is no maintenance."""
    browser.sign_in(world.operator, "/operator/health")
    browser.see("Well", within="h1 ~ .badges")
    world.operator.ok(world.operator.post("Maintenance", {"StartDate": "2031-05-01T10:00:00Z"}))
    browser.see("Well", "Maintenance is planned from", "2031", within="h1 ~ .badges")
    assert browser.find(".badges .badge").get_attribute("class") == "badge good"
    cancel(world)
    sick = [Delivery(world, receivers(resets).url(), Name=f"Sick {number}") for number in range(2)]
    try:
        sick[0].send_many(8)  # to both
        browser.see("2 failing", "2 receivers down", within="h1 ~ .badges").see_no("Well", within="h1 ~ .badges")
        assert {one.get_attribute("class") for one in browser.all(".badges .badge")} == {"badge bad"}
        browser.screenshot("operator-health-sick")
    finally:  # the server is the module's
        for one in sick:
            one.api.ok(one.api.delete(one.path))
    browser.see("Well", within="h1 ~ .badges")


def cancel(world):
    world.operator.ok(world.operator.post("Maintenance/End"))
    await_until(lambda: world.operator.ok(world.operator.get("Maintenance"))["State"] == "OFF", "no maintenance")


def banner(browser):
    return browser.text(".banner") if browser.all(".banner") else ""


@DESKTOP
def test_maintenance_is_told_to_whom_it_concerns(browser, world, receivers):
    """P16: a planned one in its last days, a catch-up to who has something waiting; and it can be put away."""
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=20)).isoformat()
    world.operator.ok(world.operator.post("Maintenance", {"StartDate": "2031-05-01T10:00:00Z", "Message": "Far away."}))
    try:
        browser.sign_in(world.partner, "/inquiries")
        look = "const done = arguments[0]; import('/assets/shell.js').then(({ look }) => look().then(done));"
        browser.driver.execute_async_script(look)
        assert banner(browser) == ""
        cancel(world)
        world.operator.ok(world.operator.post("Maintenance", {"StartDate": soon, "Message": "Tomorrow."}))
        browser.driver.execute_async_script(look)
        browser.see("Tomorrow.", within=".banner")
        browser.click("Put this message away", within=".banner")
        assert banner(browser) == ""
        browser.go("/postbacks").driver.execute_async_script(look)
        assert banner(browser) == ""  # it stays away
        cancel(world)
        world.operator.ok(world.operator.post("Maintenance", {"Message": "Now."}))
        browser.go("/inquiries").see("Now.", within=".banner")  # another thing to say
        slow = Delivery(world, receivers().url(), account=world.brand, MaximumRequests=1)
        slow.send_many(40)
        world.operator.ok(world.operator.post("Maintenance/End"))
        browser.until(lambda: world.operator.ok(world.operator.get("Maintenance"))["State"] == "CATCHING_UP", "the catch-up")
        browser.driver.execute_async_script(look)
        assert banner(browser) == ""  # nothing of this account's waits
        browser.sign_in(world.brand, "/postbacks")
        browser.see("Maintenance is over", within=".banner")
        slow.api.ok(slow.api.delete(slow.path))
    finally:
        world.operator.post("Maintenance/End")
