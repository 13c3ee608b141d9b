"""An action's life by the API: each step allowed and each refused, with the updates, events,
postbacks and differences that it brings; what a published client reads of it."""

import json

import pytest
import requests

from harness.faults import FaultyServer
from harness.server import World, await_until

DAY = 24 * 3_600_000
ACTIONS = ["Action Lifecycle Events", "Action Clearing Events"]


def change(world, action, **fields):
    world.brand.ok(world.brand.put("Actions", {"ActionId": action, **fields}))


def show(account, action):
    return account.ok(account.get(f"Actions/{action}"))


def updates(account, action):
    """Oldest first."""
    return account.ok(account.get("ActionUpdates", ActionId=action))["ActionUpdates"][::-1]


def hear(world, receivers):
    """Both sides' receivers of all that happens to actions."""
    heard = []
    for account in (world.partner, world.brand):
        heard.append(receivers())
        for category in ACTIONS:
            world.notify(account, heard[-1].url(), Category=category)
    return heard


def told(heard, count):
    """What both have been told, in order: the same."""
    both = [[json.loads(request.body) for request in receiver.wait(count)] for receiver in heard]
    rows = [sorted(((one["EventId"], one["EventType"], one["Status"], one["DeltaAmount"],
                     one["DeltaPayout"]) for one in side)) for side in both]
    assert [row[1:] for row in rows[0]] == [row[1:] for row in rows[1]]
    return [row[1:] for row in rows[0]]


def refused(response, code):
    assert response.status_code == code, response.text
    return response.json()


# ---- the table ----

def test_a_sale_is_changed_and_taken_back(world, receivers):
    heard = hear(world, receivers)
    world.add_terms()
    action = world.sell()
    change(world, action, Amount="59.90", Reason="ITEM_RETURNED")
    world.brand.ok(world.brand.call("DELETE", "Actions", json={
        "ActionId": action, "DispositionCode": "CONS_FRAUD"}))
    assert told(heard, 3) == [
        ("action.tracked", "PENDING", "89.90", "4.50"),
        ("action.modified", "PENDING", "-30.00", "-1.50"),
        ("action.reversed", "REVERSED", "-59.90", "-3.00")]
    for account in (world.partner, world.brand):
        shown = show(account, action)
        wanted = {"State": "REVERSED", "StatusDetail": "CONS_FRAUD", "Amount": "0.00",
                  "Payout": "0.00", "IntendedAmount": "89.90", "IntendedPayout": "4.50",
                  "DeltaAmount": "-89.90", "DeltaPayout": "-4.50", "LockingDate": "",
                  "ClearingDate": "", "ClearedDate": ""}
        assert {name: shown[name] for name in wanted} == wanted
        assert [(one["StateDetail"], one["Disposition"], one["DeltaAmount"], one["DeltaPayout"])
                for one in updates(account, action)] == [
                    ("TRACKED", "", "89.90", "4.50"),
                    ("MODIFIED", "ITEM_RETURNED", "-30.00", "-1.50"),
                    ("REVERSED", "CONS_FRAUD", "-59.90", "-3.00")]


def test_a_sale_is_approved_before_its_time_and_then_stands(world, receivers):
    heard = hear(world, receivers)
    world.add_terms()
    action = world.sell()
    planned = show(world.brand, action)
    change(world, action, State="APPROVED")
    assert told(heard, 2)[1] == ("action.modified", "APPROVED", "0.00", "0.00")
    shown = show(world.brand, action)
    assert shown["State"] == "APPROVED" and shown["LockingDate"] < planned["LockingDate"]
    for fields in ({"Amount": "1"}, {"Amount": "0"},
                   {"State": "REVERSED", "DispositionCode": "OTHER"}):
        answer = refused(world.brand.put("Actions", {"ActionId": action, **fields}), 409)
        assert f"locked since {shown['LockingDate']}" in answer["Message"]
    refused(world.brand.call("DELETE", "Actions", json={
        "ActionId": action, "DispositionCode": "OTHER"}), 409)
    assert show(world.brand, action) == shown
    assert len(updates(world.brand, action)) == 2


def test_an_amount_of_nothing_is_a_reversal(world, receivers):
    heard = hear(world, receivers)
    action = world.sell()
    change(world, action, Amount="0")
    assert told(heard, 2)[1] == ("action.reversed", "REVERSED", "-89.90", "0.00")
    refused(world.brand.put("Actions", {"ActionId": action, "Amount": "10"}), 409)


def test_the_same_change_again_changes_and_fires_nothing(world, receivers):
    heard = hear(world, receivers)
    world.add_terms()
    action = world.sell(ItemSku1="BT-204", ItemQty1="2", ItemSubtotal1="60", ItemSku2="LA-1",
                  ItemSubtotal2="29.90")
    steps = [{"Amount": "80"}, {"Sku": "BT-204", "ItemSubTotalDelta": "-10", "Reason": "ORDER_ERROR"},
             {"Sku": "LA-1", "Quantity": "0"}, {"State": "APPROVED"}]
    for count, step in enumerate(steps, 2):
        for _ in range(3):
            change(world, action, **step)
        assert len(updates(world.brand, action)) == count
    for receiver in heard:
        receiver.wait(5)
        assert len(receiver.requests) == 5
    other = world.sell("A-2")
    for _ in range(3):
        world.brand.ok(world.brand.call("DELETE", f"Actions?ActionId={other}&DispositionCode=OTHER"))
    assert len(updates(world.brand, other)) == 2


def test_items_have_amounts_of_their_own(world, receivers):
    heard = hear(world, receivers)
    world.add_terms()
    action = world.sell(Amount="", ItemSku1="BT-204", ItemQty1="2", ItemSubtotal1="60.00",
                  ItemSku2="LA/1 é", ItemSubtotal2="29.90")
    assert show(world.partner, action)["Amount"] == "89.90"
    change(world, action, Sku="BT-204", Quantity="1", Sku2="LA/1 é", ItemSubTotalDelta2="-9.90",
           Reason="ITEM_RETURNED")
    assert told(heard, 2)[1] == ("action.modified", "PENDING", "-39.90", "-2.00")
    for account in (world.partner, world.brand):
        items = account.ok(account.get(f"Actions/{action}/Items"))["Items"]
        assert items == [{"Sku": "BT-204", "Quantity": "1", "Amount": "30.00"},
                         {"Sku": "LA/1 é", "Amount": "20.00"}]
        assert account.ok(account.get(f"Actions/{action}/Items/LA%2F1%20%C3%A9")) == items[1]
        assert account.get(f"Actions/{action}/Items/none").status_code == 404
        assert [(one["Sku"], one["Quantity"], one["DeltaAmount"], one["DeltaPayout"])
                for one in updates(account, action)[1:]] == [
                    ("BT-204", "1", "-30.00", "-1.50"), ("LA/1 é", "", "-9.90", "-0.50")]


def test_the_key_may_be_tracker_and_order(world):
    action = world.sell("A/1 é")
    key = {"ActionTrackerId": world.tracker, "OrderId": "A/1 é"}
    assert world.brand.ok(world.brand.put("Actions", {**key, "Amount": "10"}))["Uri"] == (
        f"{world.brand.prefix}/Actions/{action}")
    assert show(world.brand, action)["Amount"] == "10.00"
    refused(world.brand.put("Actions", {**key, "ActionId": world.sell("A-2"), "Amount": "9"}), 404)
    refused(world.brand.put("Actions", {**key, "OrderId": "A/2", "Amount": "9"}), 404)
    refused(world.brand.put("Actions", {"OrderId": "A/1 é", "Amount": "9"}), 400)


def test_what_a_change_would_mean(world):
    world.add_terms(PayoutPercentage="", PayoutAmount="20")
    action = world.sell()

    def preview(**fields):
        return world.brand.ok(world.brand.post("Actions/Preview", {"ActionId": action, **fields}))
    before = show(world.brand, action)
    foreseen = preview(Amount="19")
    assert (foreseen["Step"], foreseen["AmountBefore"], foreseen["Amount"], foreseen["Payout"]) == (
        "MODIFIED", "89.90", "19.00", "20.00")
    assert foreseen["Doubt"] == "The payout would be more than the sale."
    assert "89.90 to 19.00 EUR" in foreseen["Text"]
    assert preview(Amount="0")["Step"] == "REVERSED"
    assert preview(State="APPROVED")["Step"] == "APPROVED"
    assert preview(Amount="89.9")["Step"] == ""
    assert show(world.brand, action) == before and len(updates(world.brand, action)) == 1


def test_ten_times_what_was_expected_is_asked_about(world):
    world.add_terms()
    action = world.sell()
    foreseen = world.brand.ok(world.brand.post("Actions/Preview", {"ActionId": action,
                                                                   "Amount": "8990"}))
    assert foreseen["Doubt"] == "The payout would be ten times what was expected, or more."


@pytest.mark.parametrize("fields, wrong", [
    ({}, ["Amount"]),
    ({"Amount": "-1"}, ["Amount"]), ({"Amount": "1.005"}, ["Amount"]),
    ({"Amount": "5000000.01"}, ["Amount"]), ({"Amount": "1e2"}, ["Amount"]),
    ({"Amount": "9" * 41}, ["Amount"]), ({"Amount": "1", "Reason": "BECAUSE"}, ["Reason"]),
    ({"Amount": "1", "Sku": "A", "Quantity": "1"}, ["Amount"]),
    ({"Sku": "A", "Quantity": "-1"}, ["Quantity"]),
    ({"Sku": "A", "Quantity": "1.5"}, ["Quantity"]),
    ({"Sku": "nothing such", "Quantity": "1"}, ["Sku"]),
    ({"Sku": "A" * 201, "Quantity": "1"}, ["Sku", "Sku"]),
    ({"Sku101": "A", "Quantity101": "1"}, ["Sku101", "Quantity101"]),
    ({"State": "REVERSED"}, ["DispositionCode"]), ({"State": "LOCKED"}, ["State"]),
    ({"State": "REVERSED", "DispositionCode": "ORDER_UPDATE"}, ["DispositionCode"]),
    ({"State": "APPROVED", "Amount": "1"}, ["Amount"]), ({"Ammount": "1"}, ["Ammount"]),
    ({"Amount": ["1"]}, ["Amount"]), ({"Amount": {"a": 1}}, ["Amount"]),
])
def test_wrong_fields_are_named_and_nothing_is_done(world, fields, wrong):
    action = world.sell()
    before = show(world.brand, action)
    answer = refused(world.brand.put("Actions", {"ActionId": action, **fields}), 400)
    assert [error["Field"] for error in answer["Errors"]] == wrong, answer
    assert show(world.brand, action) == before


def test_only_the_brand_changes_its_own(world):
    action = world.sell()
    other = world.account("BRAND", "Zenith")
    refused(other.put("Actions", {"ActionId": action, "Amount": "1"}), 404)
    refused(other.call("DELETE", "Actions", json={"ActionId": action, "DispositionCode": "OTHER"}),
            404)
    refused(other.post("Actions/Preview", {"ActionId": action, "Amount": "1"}), 404)
    assert world.partner.put("Actions", {"ActionId": action, "Amount": "1"}).status_code == 405
    assert other.ok(other.get("ActionUpdates"))["ActionUpdates"] == []
    assert other.ok(other.get("Actions/Sums"))["Sums"] == []


# ---- terms ----

def test_terms_and_their_preview(world):
    fields = {"CampaignId": world.campaign, "ActionTrackerId": world.tracker,
              "PayoutPercentage": "5", "Locking": "AFTER_EVENT", "LockingDays": 30,
              "ClearingDays": 15}
    for account in (world.brand, world.operator):
        shown = account.ok(account.post("Terms/Preview", {
            **fields, "Amount": "89.90", "EventDate": "2026-01-15"}))
        assert shown["Text"] == ("A sale of 89.90 EUR on 15 January 2026 pays 4.50 EUR, locks on 14 "
                                 "February 2026 and clears on 1 March 2026.")
    made = world.add_terms()
    own = world.add_terms(PartnerSid=world.partner.sid, PayoutPercentage="7.5")
    refused(world.brand.post("Terms", {**fields, "StartDate": "2020-01-01"}), 409)
    for account in (world.brand, world.partner, world.operator):
        listed = account.ok(account.get("Terms", CampaignId=world.campaign))["Terms"]
        assert [one["Id"] for one in listed] == [own, made]
        assert listed[0]["PayoutPercentage"] == "7.5" and listed[1]["PartnerSid"] == ""
    other = world.account("PARTNER", "Vlog")
    assert other.ok(other.get("Terms"))["Terms"] == []
    world.join(world.campaign, other)
    assert [one["Id"] for one in other.ok(other.get("Terms"))["Terms"]] == [made]
    action = world.sell()
    assert show(world.partner, action)["Payout"] == "6.74"  # 6.7425
    world.brand.ok(world.brand.delete(f"Terms/{own}"))
    assert show(world.partner, action)["Payout"] == "6.74"  # what is there is not touched
    change(world, action, Amount="100")
    assert show(world.partner, action)["Payout"] == "7.50"  # … and goes on by them
    refused(world.brand.delete(f"Terms/{own}"), 404)
    stranger = world.account("BRAND", "Zenith")
    refused(stranger.delete(f"Terms/{made}"), 404)
    refused(stranger.post("Terms", fields), 400)


def test_without_terms_nothing_is_paid_and_nothing_locks(world):
    shown = show(world.partner, world.sell())
    assert (shown["Payout"], shown["LockingDate"], shown["ClearingDate"]) == ("", "", "")


# ---- conversions ----

def test_a_conversion_is_counted_once_under_either_name_of_its_partner(world):
    first = world.sell("S-1")
    again = world.brand.ok(world.brand.post("Conversions", {
        "CampaignId": world.campaign, "EventTypeId": world.tracker, "OrderId": "S-1",
        "MediaPartnerId": world.partner.sid, "Amount": "1"}))
    assert (again["ActionId"], again["Duplicate"]) == (first, "true")
    assert again["Uri"] == f"{world.brand.prefix}/Actions/{first}"
    answer = refused(world.brand.post("Conversions", {
        "CampaignId": world.campaign, "EventTypeId": world.tracker, "OrderId": "S-2",
        "ClickId": "abc", "Amount": "1"}), 400)
    assert [error["Field"] for error in answer["Errors"]] == ["ClickId"]
    other = world.account("BRAND", "Zenith")
    refused(other.post("Conversions", {
        "CampaignId": world.campaign, "EventTypeId": world.tracker, "OrderId": "S-3",
        "MediaPartnerId": world.partner.sid}), 400)


# ---- by inquiry ----

def test_an_inquirys_action_is_reversed_like_any_other(world, receivers):
    receiver = receivers()
    world.notify(world.partner, receiver.url(), Category="Action Lifecycle Events")
    world.add_terms(LockingDays="3650")  # not while the test goes on
    inquiry = world.open(OrderId="A-7")
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    shown = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))
    assert shown["FinalPayout"] == "4.50"
    change(world, shown["ActionId"], State="REVERSED", DispositionCode="ADV_ACT_DISPUTE")
    receiver.wait(2)
    found = world.partner.ok(world.partner.get("Actions", InquiryId=inquiry))["Actions"]
    assert [(one["Id"], one["State"]) for one in found] == [(shown["ActionId"], "REVERSED")]
    for query in ({"ActionId": shown["ActionId"]}, {"InquiryId": inquiry, "State": "DELIVERED"}):
        rows = await_until(lambda: (lambda rows: rows if len(rows) == 2 else None)(
            world.postbacks(world.partner, **query)), "both postbacks")
        assert [row["EventType"] for row in rows] == ["action.reversed", "action.tracked"]
    assert world.postbacks(world.brand, ActionId=shown["ActionId"]) == []


# ---- by CSV ----

def send(world, text, **query):
    return world.brand.call("POST", "Actions/Import", params=query, data=text.encode(),
                            headers={"Content-Type": "text/csv"})


def test_each_step_by_csv_with_its_preview(world, receivers):
    world.add_terms()
    one, two, three, four, five = (world.sell(f"S-{number}") for number in range(5))
    item = world.sell("S-5", ItemSku1="BT-204", ItemQty1="2", ItemSubtotal1="89.90")
    change(world, five, State="APPROVED")
    heard = hear(world, receivers)
    good = ("Id,Action Tracker Id,Oid,Amount,State,Reason,Sku,Quantity,Item Sub Total Delta\r\n"
            f"{one},,,59.90,,ITEM_RETURNED,,,\r\n"
            f",{world.tracker},S-1,,REVERSED,CONS_FRAUD,,,\r\n"
            f"{three},,,,APPROVED,,,,\r\n"
            f"{four},,,89.90,PENDING,,,,\r\n"
            f"{item},,,,,,BT-204,1,\r\n")
    previewed = world.brand.ok(send(world, good, DryRun="true"))
    assert (previewed["Rows"], previewed["Taken"], previewed["Unchanged"]) == ("5", "4", "1")
    assert len(updates(world.brand, one)) == 1 and show(world.brand, two)["State"] == "PENDING"
    taken = world.brand.ok(send(world, good))
    assert (taken["Taken"], taken["Unchanged"], taken["PassedOver"]) == ("4", "1", ["4"])
    assert taken["Message"] == "Took 4 of 5 rows; 1 was so already"
    assert taken["Uris"][1] == f"{world.brand.prefix}/Actions/{two}"
    assert sorted(told(heard, 4)) == sorted([
        ("action.modified", "PENDING", "-30.00", "-1.50"),
        ("action.reversed", "REVERSED", "-89.90", "-4.50"),
        ("action.modified", "APPROVED", "0.00", "0.00"),
        ("action.modified", "PENDING", "-44.95", "-2.25")])
    again = world.brand.ok(send(world, good))
    assert (again["Taken"], again["Unchanged"]) == ("0", "5")
    bad = (f"Id,Amount,State,Reason\r\n{five},1,,\r\n{one},x,,\r\n{two},,REVERSED,\r\n"
           f"987654321,1,,\r\n{four},10,,\r\n")
    refused_file = refused(send(world, bad), 400)
    assert refused_file["BadRows"] == "3" and refused_file["Taken"] == "0"
    assert [(one["Row"], one["Field"]) for one in refused_file["Errors"]] == [
        ("1", ""), ("2", "Amount"), ("4", "Id")]
    assert "locked since" in refused_file["Errors"][0]["Message"]
    assert show(world.brand, four)["Amount"] == "89.90"
    part = world.brand.ok(send(world, bad, TakeGoodRows="true"))
    assert part["Taken"] == "1" and show(world.brand, four)["Amount"] == "10.00"


def test_a_large_file_of_changes_is_a_job(world):
    world.add_terms()
    ids = [world.sell(f"S-{number}") for number in range(3)]
    text = "Id,Amount\r\n" + "".join(f"{id},10\r\n" for id in ids)
    begun = send(world, text, AsJob="true")
    assert begun.status_code == 202, begun.text
    uri = begun.json()["Uri"]
    job = await_until(lambda: (lambda job: job if job["Status"] == "COMPLETED" else None)(
        world.brand.ok(world.brand.get(uri))), "the job")
    assert job["Type"] == "ACTION_CHANGE_IMPORT"
    assert [show(world.brand, id)["Amount"] for id in ids] == ["10.00"] * 3


# ---- sums and lists ----

def test_sums_by_currency_and_state(world):
    world.add_terms()
    for number in range(3):
        world.sell(f"S-{number}")
    dollars = world.sell("S-3", CurrencyCode="USD", Amount="100")
    gone = world.sell("S-4")
    change(world, gone, Amount="0")
    for account in (world.partner, world.brand):
        sums = account.ok(account.get("Actions/Sums", CampaignId=world.campaign))["Sums"]
        assert sums == [
            {"Currency": "EUR", "State": "PENDING", "Count": "3", "Amount": "269.70",
             "Payout": "13.50"},
            {"Currency": "EUR", "State": "REVERSED", "Count": "1", "Amount": "0.00",
             "Payout": "0.00"},
            {"Currency": "USD", "State": "PENDING", "Count": "1", "Amount": "100.00",
             "Payout": "5.00"}]
        locking = show(account, dollars)["LockingDate"][:10]
        assert len(account.ok(account.get("Actions", CampaignId=world.campaign, State="PENDING", LockingDateStart=locking,
                                          LockingDateEnd=locking))["Actions"]) == 4
        assert account.ok(account.get("Actions", CampaignId=world.campaign, LockingDateEnd="2020-01-01"))["Actions"] == []
    other = world.account("PARTNER", "Vlog")
    world.join(world.campaign, other)
    theirs = world.sell("S-5", MediaPartnerId=other.id)
    for partner, count in ((world.partner, 5), (other, 1)):
        found = world.brand.ok(world.brand.get("Actions", CampaignId=world.campaign, MediaPartnerId=partner.id))["Actions"]
        assert len(found) == count and (theirs in [one["Id"] for one in found]) == (count == 1)
    assert world.partner.get("Actions", MediaPartnerId="1").status_code == 400


def test_the_filters_of_updates(world):
    world.add_terms(LockingDays="3650")  # not while the test goes on
    first = world.sell("S-1", EventDate="2026-01-15T09:15:00Z")
    second = world.sell("S-2", EventDate="2026-02-15T09:15:00Z")
    change(world, first, Amount="0")
    for account in (world.partner, world.brand):
        def found(**query):
            page = account.ok(account.get("ActionUpdates", **query))
            assert page["@total"] == str(len(page["ActionUpdates"]))
            return [(one["ActionId"], one["StateDetail"]) for one in page["ActionUpdates"]]
        tracked, reversal = [(second, "TRACKED"), (first, "TRACKED")], [(first, "REVERSED")]
        assert found() == found(CampaignId=world.campaign) == reversal + tracked
        assert found(CampaignId="987654321") == []
        assert found(ActionId=second) == tracked[:1]
        assert found(State="PENDING") == tracked and found(State="REVERSED") == reversal
        assert found(StartDate="2099-01-01") == found(EndDate="2000-01-01") == []
        assert found(ActionDateStart="2026-02-01") == tracked[:1]
        assert found(ActionDateEnd="2026-01-31") == reversal + tracked[1:]
        assert found(LockingDateStart="2036-02-01") == tracked[:1]
        assert found(LockingDateEnd="2036-01-31") == tracked[1:]  # one that is reversed has none


# ---- time ----

@pytest.fixture
def clocked():
    with FaultyServer() as running:
        yield running
        assert running.stop() == 0, running.log()


def await_state(world, action, **wanted):
    await_until(lambda: all(show(world.brand, action)[name] == value
                            for name, value in wanted.items()), f"{action} is {wanted}")


@pytest.mark.one_file("a server on PostgreSQL goes by the time of the database")
def test_locking_and_clearing_by_time_over_a_restart_and_a_clock_set_back(clocked, receivers):
    world = World(clocked)
    heard = hear(world, receivers)
    world.add_terms()
    action, later = world.sell(), world.sell("A-2")
    dates = show(world.brand, action)
    change(world, later, State="APPROVED")
    clocked.faults.clock_offset_ms = 29 * DAY
    await_state(world, later, State="APPROVED", ClearedDate=show(world.brand, later)["ClearingDate"])
    assert show(world.brand, action)["State"] == "PENDING"
    clocked.faults.clock_offset_ms = 31 * DAY
    await_state(world, action, State="APPROVED", LockingDate=dates["LockingDate"], ClearedDate="")
    clocked.faults.clock_offset_ms = 0
    answer = refused(world.brand.put("Actions", {"ActionId": action, "Amount": "1"}), 409)
    assert dates["LockingDate"] in answer["Message"]
    clocked.faults.clock_offset_ms = 46 * DAY
    assert clocked.stop() == 0
    clocked.start()
    world.moved()
    await_state(world, action, ClearedDate=dates["ClearingDate"])
    assert sorted(told(heard, 6)) == sorted([
        ("action.tracked", "PENDING", "89.90", "4.50"),
        ("action.modified", "APPROVED", "0.00", "0.00"),
        ("action.cleared", "APPROVED", "0.00", "0.00")] * 2)
    assert [one["StateDetail"] for one in updates(world.partner, action)] == [
        "TRACKED", "LOCKED", "CLEARED"]
    assert [one["StateDetail"] for one in updates(world.partner, later)] == [
        "TRACKED", "APPROVED", "CLEARED"]


def test_a_pause_holds_the_postbacks_and_not_the_life(world, receivers):
    heard = hear(world, receivers)
    world.operator.ok(world.operator.post("Maintenance", {}))
    await_until(lambda: world.operator.ok(world.operator.get("Maintenance"))["State"] == "ON",
                "the pause is on")
    action = world.sell()
    change(world, action, State="APPROVED")
    assert [one["StateDetail"] for one in updates(world.brand, action)] == ["TRACKED", "APPROVED"]
    assert not heard[0].requests
    world.operator.ok(world.operator.post("Maintenance/End"))
    assert told(heard, 2)[1] == ("action.modified", "APPROVED", "0.00", "0.00")
    await_until(lambda: world.operator.ok(world.operator.get("Maintenance"))["State"] == "OFF",
                "the pause is over")


# ---- a published client ----

class Client:
    """The calls of a client of impact.com's published files (as `tap-impact` makes them): a stream
    is read page by page, by @nextpageuri, with IrVersion, and only members it knows are used."""

    STREAMS = {
        "actions": ("Actions", "Actions", ["Id", "CampaignId", "State", "Amount", "Payout",
                                           "Currency", "EventDate", "LockingDate", "ClearedDate",
                                           "Oid", "SubId1", "SharedId"]),
        "action_inquiries": ("ActionInquiries", "ActionInquiries", [
            "Id", "CampaignId", "OrderId", "ResolutionStatus", "CreationDate"]),
        "action_updates": ("ActionUpdates", "ActionUpdates", [
            "Id", "ActionId", "CampaignId", "ActionTrackerId", "State", "StateDetail",
            "Disposition", "DeltaPayout", "DeltaAmount", "Currency", "UpdateDate", "LockingDate",
            "ClearingDate", "ActionDate", "Oid", "ActionUri", "Uri"]),
    }

    def __init__(self, account):
        self.account = account
        self.session = requests.Session()
        self.session.auth = account.session.auth
        self.session.headers["Accept"] = "application/json"

    def get(self, path, **query):
        answer = self.session.get(self.account.base + path, timeout=30, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def company(self):
        shown = self.get(self.account.prefix + "/CompanyInformation", IrVersion="15")
        return shown["CompanyName"], shown["Timezone"]

    def read(self, stream, **query):
        path, key, members = self.STREAMS[stream]
        page = self.get(f"{self.account.prefix}/{path}.json", IrVersion="15", PageSize="2", **query)
        rows = []
        while True:
            rows += [{name: row[name] for name in members} for row in page[key]]
            if not page["@nextpageuri"]:
                assert len(rows) == int(page["@total"])
                return rows
            page = self.get(page["@nextpageuri"])


@pytest.mark.parametrize("role", ["partner", "brand"])
def test_a_published_client_reads_it_all(world, role):
    account = getattr(world, role)
    world.add_terms(LockingDays="3650")  # not while the test goes on
    for number in range(5):
        world.sell(f"S-{number}", CustomerId="brands-own")
    inquiry = world.open(OrderId="S-9")
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    actions = Client(account).read("actions", CampaignId=world.campaign)
    change(world, actions[0]["Id"], Amount="10")
    change(world, actions[1]["Id"], Amount="0")
    change(world, actions[2]["Id"], State="APPROVED")
    client = Client(account)
    assert client.company()[1] == "UTC"
    actions = client.read("actions", CampaignId=world.campaign)
    assert len(actions) == 6
    assert [row["OrderId"] for row in client.read("action_inquiries",
                                                  CampaignId=world.campaign)] == ["S-9"]
    changes = client.read("action_updates", CampaignId=world.campaign)
    assert len(changes) == 9
    for action in actions:
        mine = [row for row in changes if row["ActionId"] == action["Id"]]
        cents = sum(round(float(row["DeltaPayout"]) * 100) for row in mine)
        assert cents == round(float(action["Payout"]) * 100)
        assert mine[0]["State"] == action["State"]
        assert client.get(mine[0]["Uri"])["ActionUri"] == f"{account.prefix}/Actions/{action['Id']}"
    day = changes[0]["UpdateDate"][:10]
    assert len(client.read("action_updates", CampaignId=world.campaign, StartDate=day,
                           EndDate=day)) == 9
    raw = account.ok(account.get("ActionUpdates"))["ActionUpdates"]
    seen = {row["CustomerId"] for row in raw}
    assert seen == ({"brands-own", ""} if role == "brand" else {""})
