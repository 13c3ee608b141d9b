"""Actions: the list with its sums, an action's own page, a brand's changes, terms with their preview."""

import pytest

DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def action(account, id):
    return account.ok(account.get(f"Actions/{id}"))


def shown(browser):
    return browser.driver.execute_script(
        "return [...document.querySelectorAll('.table-place tbody tr td:first-child')].map((one) => one.innerText.trim())")


def lists(browser, *ids):
    browser.until(lambda: shown(browser) == list(ids), f"the list {ids}, not {shown(browser)}")


def leave(browser):
    """Says no to a question, which is gone then."""
    browser.click("Leave it", within="dialog")
    browser.until(lambda: not browser.all("dialog"), "the question to go")


# ---- the list ----

@pytest.mark.parametrize("role", ["partner", "brand"])
def test_the_list_its_filters_and_its_sums(browser, world, role):
    world.add_terms()
    one, two, three = (world.sell(f"S-{number}") for number in range(3))
    world.brand.ok(world.brand.put("Actions", {"ActionId": two, "State": "APPROVED"}))
    world.brand.ok(world.brand.put("Actions", {"ActionId": three, "Amount": "0"}))
    browser.sign_in(getattr(world, role), "/actions")
    lists(browser, three, two, one)
    browser.see("89.90 EUR", "payout 4.50 EUR", "1 action", within=".sums")
    browser.screenshot(f"actions-{role}")
    browser.choose("State", "Approved")
    lists(browser, two)
    browser.see("Approved", within=".sums")
    browser.see_no("Pending", within=".sums")
    assert "State=APPROVED" in browser.path
    browser.click("Clear")
    lists(browser, three, two, one)
    browser.fill("Order", "S-0")
    lists(browser, one)
    browser.click(one, within=".table-place")
    browser.at(f"/actions/{one}")
    browser.check_accessibility()


# ---- one action ----

def test_a_brand_changes_one_and_is_told_what_it_means(browser, world, receivers):
    receiver = receivers()
    world.notify(world.brand, receiver.url(), Category="Action Lifecycle Events")
    world.add_terms()
    id = world.sell("S-1", ItemSku1="BT-204", ItemQty1="2", ItemSubtotal1="60.00",
              ItemName1="<b>Boots</b>")
    browser.sign_in(world.brand, f"/actions/{id}")
    browser.see("Pending", "89.90 EUR", "4.50 EUR", "<b>Boots</b>", "Tracked", "action.tracked")
    browser.choose("What to do", "Change the amount")
    browser.fill("New amount, EUR", "59.90").choose("Reason", "Item returned")
    browser.click("Go on")
    browser.see("The amount goes from 89.90 to 59.90 EUR, and the payout from 4.50 to 3.00 EUR.",
                within="dialog")
    assert action(world.brand, id)["Amount"] == "89.90"
    browser.screenshot("action-change")
    browser.click("Change it", within="dialog")
    browser.see(f"Action {id} is changed.", "-30.00 EUR", "-1.50 EUR", "Item returned",
                "action.modified")
    assert action(world.partner, id)["Payout"] == "3.00"
    browser.choose("What to do", "Change an item")
    browser.fill("New quantity", "1")
    browser.click("Go on")
    browser.click("Change it", within="dialog")
    browser.see("BT-204, now 1")
    browser.choose("What to do", "Take it back")
    browser.choose("Reason", "A test")
    browser.click("Go on")
    browser.click("Take it back", within="dialog")
    browser.see("Reversed", "Taken back", "action.reversed")
    assert not browser.all("#change form")
    browser.check_accessibility()


@DESKTOP
def test_what_looks_like_a_slip_is_asked_once_more(browser, world):
    world.add_terms()
    id = world.sell("S-1")
    browser.sign_in(world.brand, f"/actions/{id}")
    browser.choose("What to do", "Change the amount")
    browser.fill("New amount, EUR", "8990")
    browser.click("Go on")
    browser.click("Change it", within="dialog")
    browser.see("ten times what was expected", within="dialog")
    leave(browser)
    assert action(world.brand, id)["Amount"] == "89.90"
    browser.click("Go on")
    browser.click("Change it", within="dialog")
    browser.click("Change it all the same", within="dialog")
    browser.see(f"Action {id} is changed.")
    assert action(world.brand, id)["Amount"] == "8990.00"


@DESKTOP
def test_one_that_is_approved_can_not_be_changed(browser, world):
    world.add_terms()
    id = world.sell("S-1")
    browser.sign_in(world.brand, f"/actions/{id}")
    browser.choose("What to do", "Approve it now")
    browser.click("Go on")
    browser.see("nothing can be changed", within="dialog")
    browser.click("Approve it", within="dialog")
    browser.see("Approved by the brand", "nothing can be changed any more")
    assert not browser.all("#change form")
    assert action(world.brand, id)["State"] == "APPROVED"


@DESKTOP
def test_an_inquiry_and_its_action_lead_to_each_other(browser, world):
    inquiry = world.open(OrderId="A-7")
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    id = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))["ActionId"]
    browser.sign_in(world.partner, f"/inquiries/{inquiry}")
    browser.click(id)
    browser.at(f"/actions/{id}")
    browser.see("An inquiry", "Never by itself")
    browser.click(inquiry, within=".facts")
    browser.at(f"/inquiries/{inquiry}")


@DESKTOP
@pytest.mark.parametrize("payout, doubt", [("90", "more than the sale"),
                                           ("45", "ten times what was expected")])
def test_a_payout_like_a_slip_is_asked_about_when_an_inquiry_is_accepted(
        browser, world, payout, doubt):
    inquiry = world.open(OrderId="A-7", ExpectedPayout="4.50")
    browser.sign_in(world.brand, f"/inquiries/{inquiry}")
    browser.click("Accept", within="#review")
    browser.fill("Final payout, EUR", payout)
    browser.click("Submit")
    browser.see(doubt, within="dialog")
    leave(browser)
    assert world.brand.ok(world.brand.get(f"ActionInquiries/{inquiry}"))["State"] == "OPEN"
    browser.click("Submit")
    browser.click("Accept it all the same", within="dialog")
    browser.see(f"Inquiry {inquiry} will be accepted.")


# ---- many at once ----

@DESKTOP
def test_many_are_changed_by_csv_after_a_preview(browser, world):
    world.add_terms()
    one, two, three = (world.sell(f"S-{number}") for number in range(3))
    browser.sign_in(world.brand, "/actions")
    browser.click("Change many")
    browser.at("/actions/import")
    browser.fill("or paste its lines",
                 f"Id,Amount,State,Reason\n{one},59.90,,\n{two},,REVERSED,OTHER\n{three},x,,\n")
    browser.click("Preview")
    browser.see("1 row bad", "2 rows good", "Nothing has been taken yet.")
    assert action(world.brand, one)["Amount"] == "89.90"
    browser.click("Take the 2 good rows")
    browser.see("2 rows taken", f"Action {one}")
    assert action(world.brand, one)["Amount"] == "59.90"
    assert action(world.brand, two)["State"] == "REVERSED"


# ---- terms ----

def test_a_brand_adds_terms_and_sees_what_they_mean(browser, world):
    browser.sign_in(world.brand, "/terms")
    browser.see("No terms: actions earn nothing")
    browser.until(lambda: "Online sale" in browser.field("Action tracker").text, "the tracker")
    browser.fill("Percentage", "5").fill("Made on", "2026-01-15")
    browser.click("Preview")
    browser.see("A sale of 89.90 EUR on 15 January 2026 pays 4.50 EUR, locks on 14 February 2026 "
                "and clears on 1 March 2026.")
    browser.screenshot("terms")
    browser.click("Add terms")
    browser.see("The terms are there.", "pays 5 % of the amount",
                "locks 30 days after the event's date", "clears 15 days after locking")
    assert len(world.brand.ok(world.brand.get("Terms"))["Terms"]) == 1
    browser.check_accessibility()
    browser.click("Remove terms", exact=False)
    browser.click("Remove", within="dialog")
    browser.see("No terms: actions earn nothing")


@DESKTOP
def test_the_operator_sets_them_and_the_partner_reads_them(browser, world):
    world.add_terms(PartnerSid=world.partner.sid, PayoutPercentage="7.5")
    campaign = world.add_campaign(world.brand, "Acme by the operator")
    world.operator.ok(world.operator.post(f"Campaigns/{campaign}/Trackers", {"Name": "Lead"}))
    other = world.account("PARTNER", "Vlog")
    world.join(campaign, other)
    browser.sign_in(world.partner, "/terms")
    browser.see("pays 7.5 % of the amount")
    assert not browser.all("form")
    browser.sign_out()
    browser.sign_in(world.operator, "/operator/terms")
    browser.see("pays 7.5 % of the amount")
    browser.choose("Campaign", "Acme by the operator (EUR)")
    browser.until(lambda: "Lead" in browser.field("Action tracker").text, "the tracker")
    browser.until(lambda: "Vlog" in browser.field("Partner").text, "the partners")
    browser.choose("Partner", "Vlog").fill("Percentage", "8").click("Add terms")
    browser.see("pays 8 % of the amount")
    made, = world.operator.ok(world.operator.get("Terms", CampaignId=campaign))["Terms"]
    assert (made["PartnerSid"], made["PayoutPercentage"]) == (other.sid, "8")
