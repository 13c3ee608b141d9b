"""Actions: read by the partner who is credited and by the brand that pays, one or a list of them,
however they were made."""

import pytest
import requests

from harness.server import World

ROLES = ["partner", "brand"]


def track(world, oid, partner=None, **more):
    """A conversion that the brand's shop reports; gives the action's id."""
    if not hasattr(world, "tracking_token"):
        world.tracking_token = world.operator.ok(world.operator.post(
            f"Campaigns/{world.campaign}/TrackingTokens", {}))["Token"]
    answer = requests.get(
        f"{world.server.base}/Track/{world.campaign}/{world.tracker}", timeout=30,
        params={"token": world.tracking_token, "irpid": (partner or world.partner).sid,
                "oid": oid, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["ActionId"]


def accept(world, **fields):
    """An inquiry that the brand accepts; gives its id."""
    inquiry = world.open(**fields)
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker,
        "FinalPayout": "4.50", "PromoCode": "TEN", "CustomerId": "C-9",
        "ItemSku1": "BT-204", "ItemQuantity1": "1"}))
    return inquiry


def ids(account, **query):
    if "Advertisers" in account.prefix:
        query = {"CampaignId": "ALL", **query}
    page = account.ok(account.get("Actions", **query))
    assert page["@total"] == str(len(page["Actions"]))
    return [one["Id"] for one in page["Actions"]]


def fields_of(response):
    assert response.status_code == 400, response.text
    return [error["Field"] for error in response.json()["Errors"]]


@pytest.mark.parametrize("role", ROLES)
def test_the_address_in_an_accepted_inquiry_leads_to_its_action(world, role):
    account, inquiry = getattr(world, role), accept(world, OrderId="A-77")
    shown = account.ok(account.get(f"ActionInquiries/{inquiry}"))
    assert shown["ActionUri"] == f"{account.prefix}/Actions/{shown['ActionId']}"
    action = account.ok(account.get(shown["ActionUri"]))
    created = action.pop("CreationDate")
    assert created == shown["ResolutionDate"] == action.pop("LastUpdatedDate")
    assert action == {
        "Id": shown["ActionId"], "Uri": shown["ActionUri"], "CampaignId": world.campaign,
        "CampaignName": "Acme Autumn", "ActionTrackerId": world.tracker,
        "ActionTrackerName": "Online sale", "MediaPartnerId": world.partner.id,
        "MediaPartnerName": "Cashback Corner", "ActionType": "SALE",
        "ReferringType": "ACTION_INQUIRY", "Oid": "A-77", "Status": "PENDING", "State": "PENDING",
        "StatusDetail": "", "Payout": "4.50", "DeltaPayout": "0.00", "IntendedPayout": "4.50",
        "Amount": "89.90", "DeltaAmount": "0.00", "IntendedAmount": "89.90",
        "LockingDate": "", "ClearingDate": "", "ClearedDate": "", "Currency": "EUR", "EventDate": "2026-01-15T00:00:00+00:00",
        "CustomerId": "C-9" if role == "brand" else "", "PromoCode": "TEN", "SubId1": "", "SubId2": "", "SubId3": "",
        "SharedId": "", "Items": [{"Sku": "BT-204", "Quantity": "1"}]}


@pytest.mark.parametrize("role", ROLES)
def test_a_tracked_conversion_is_in_the_list_and_by_itself(world, role):
    account = getattr(world, role)
    id = track(world, "S-1", amount="12.5", customerid="C-5", promocode="TRAIL10", subid1="news",
               subid2="w47", subid3="b2", sharedid="spring", eventdate="2026-01-15T09:15:00Z")
    (listed,) = account.ok(account.get("Actions", CampaignId=world.campaign))["Actions"]
    wanted = {"Id": id, "Oid": "S-1", "ReferringType": "DATAPOST", "Amount": "12.50",
              "Payout": "", "CustomerId": "C-5" if role == "brand" else "",
              "PromoCode": "TRAIL10", "SubId1": "news",
              "SubId2": "w47", "SubId3": "b2", "SharedId": "spring", "Items": [],
              "EventDate": "2026-01-15T09:15:00+00:00"}
    assert {name: listed[name] for name in wanted} == wanted
    assert account.ok(account.get(listed["Uri"])) == listed


@pytest.mark.parametrize("role", ROLES)
def test_the_pages_are_newest_first_and_keep_the_filters(world, role):
    account = getattr(world, role)
    made = [track(world, f"S {number}&/é") for number in range(5)][::-1]
    page = account.ok(account.get("Actions", CampaignId=world.campaign, Status="PENDING", PageSize="2"))
    assert list(page)[:6] == ["@page", "@numpages", "@pagesize", "@total", "@start", "@end"]
    assert (page["@total"], page["@numpages"], page["@previouspageuri"]) == ("5", "3", "")
    seen = []
    while True:
        seen.append([one["Id"] for one in page["Actions"]])
        if not page["@nextpageuri"]:
            break
        assert "Status=PENDING" in page["@nextpageuri"]
        page = account.ok(account.get(page["@nextpageuri"]))
    assert seen == [made[:2], made[2:4], made[4:]]
    behind = account.ok(account.get("Actions", CampaignId=world.campaign, Page="1000000000", PageSize="20000"))
    assert behind["Actions"] == [] and behind["@total"] == "5"


@pytest.mark.parametrize("role", ROLES)
def test_filters(world, role):
    account = getattr(world, role)
    first, second = track(world, "S-1"), track(world, "S-2")
    third = account.ok(account.get(f"ActionInquiries/{accept(world, OrderId='S-3')}"))["ActionId"]
    day = account.ok(account.get(f"Actions/{first}"))["CreationDate"]
    assert ids(account) == [third, second, first]
    assert ids(account, CampaignId=world.campaign) == [third, second, first]
    assert ids(account, CampaignId="987654321") == []
    assert ids(account, Oid="S-2") == [second]
    assert ids(account, Oid="s-2") == ids(account, Oid="S-") == ids(account, Oid="S-%") == []
    assert ids(account, Oid="' OR 1=1 --") == []
    assert ids(account, Status="PENDING") == [third, second, first]
    assert ids(account, Status="REVERSED") == ids(account, Status="APPROVED") == []
    assert first in ids(account, StartDate=day, EndDate=day)
    assert ids(account, StartDate=day[:10]) == [third, second, first]
    assert ids(account, StartDate="2099-01-01") == ids(account, EndDate="2000-01-01") == []
    assert ids(account, Oid="S-3", Status="PENDING", CampaignId=world.campaign,
               StartDate="2020-01-01", EndDate="2099-12-31") == [third]


@pytest.mark.parametrize("role", ROLES)
def test_published_filters(world, role):
    """C9: State, the action's own date, and the date of locking, which none has yet."""
    account = getattr(world, role)
    first = track(world, "S-1", eventdate="2026-01-15T09:15:00Z")
    second = track(world, "S-2", eventdate="2026-02-15T09:15:00Z")
    assert ids(account, State="PENDING") == [second, first]
    assert ids(account, State="PENDING", Status="PENDING") == [second, first]
    assert ids(account, State="APPROVED") == ids(account, State="REVERSED") == []
    assert ids(account, ActionDateStart="2026-02-01") == [second]
    assert ids(account, ActionDateStart="2026-01-15", ActionDateEnd="2026-01-15") == [first]
    assert ids(account, ActionDateEnd="2026-01-15T09:15:00Z") == [first]
    assert ids(account, ActionDateEnd="2026-01-15T09:14:59Z") == []
    assert ids(account, LockingDateStart="2020-01-01", LockingDateEnd="2099-01-01") == []
    assert ids(account, LockingDateEnd="2099-01-01") == []
    assert fields_of(account.get("Actions", CampaignId=world.campaign, State="OPEN", ActionDateStart="soon",
                                 LockingDateEnd="x")) == ["State", "ActionDateStart", "LockingDateEnd"]
    assert fields_of(account.get("Actions", CampaignId=world.campaign, State="PENDING", Status="REVERSED")) == ["State"]
    shown = account.ok(account.get(f"Actions/{first}"))
    assert (shown["State"], shown["ReferringType"]) == ("PENDING", "DATAPOST")


@pytest.mark.parametrize("role", ROLES)
def test_bad_filters_are_all_named(world, role):
    account = getattr(world, role)
    assert sorted(fields_of(account.get("Actions", **{
        "CampaignId": "first", "Status": "pending", "StartDate": "yesterday", "Page": "0",
        "PageSize": "20001", "OrderId": "S-1"}))) == [
            "CampaignId", "OrderId", "Page", "PageSize", "StartDate", "Status"]
    refused = account.get("Actions", CampaignId=world.campaign, Status="OPEN").json()["Errors"]
    assert refused == [{"Field": "Status", "Message": "must be PENDING, APPROVED or REVERSED"}]
    assert fields_of(account.get("Actions", CampaignId=world.campaign, StartDate="2026-02-01", EndDate="2026-01-01")) == [
        "EndDate"]
    id = track(world, "S-1")
    assert fields_of(account.get(f"Actions/{id}", Status="PENDING")) == ["Status"]


def test_a_brand_names_a_campaign_or_all_of_them(world):
    id = track(world, "S-1")
    assert fields_of(world.brand.get("Actions")) == ["CampaignId"]
    assert ids(world.brand, CampaignId="ALL") == ids(world.brand, CampaignId=world.campaign) == [id]
    assert ids(world.partner) == [id]
    assert fields_of(world.partner.get("Actions", CampaignId="ALL")) == ["CampaignId"]


def test_an_action_is_that_of_its_two_accounts_alone(world):
    id, other = track(world, "S-1"), World(world.server)
    rival = world.account("PARTNER", "Rival")
    world.join(world.campaign, rival)
    rivals = track(world, "S-1R", rival)
    for account in (other.partner, other.brand, rival):
        for path in (f"Actions/{id}", "Actions/987654321", "Actions/0", "Actions/x"):
            answer = account.get(path)
            assert answer.status_code == 404, (account.sid, answer.text)
            assert answer.json()["Message"] == f"There is no action {path.split('/')[1]}"
        assert id not in ids(account) and ids(account, Oid="S-1") == []
    assert ids(other.brand, CampaignId=world.campaign) == []
    assert world.partner.get(f"Actions/{rivals}").status_code == 404
    assert ids(world.partner) == [id] and ids(rival) == [rivals]
    assert ids(world.brand) == [rivals, id]  # whoever the partner is


def test_an_order_that_two_accounts_have_is_each_ones_own(world):
    rival = world.account("PARTNER", "Rival")
    world.join(world.campaign, rival)
    second = world.operator.ok(world.operator.post(
        f"Campaigns/{world.campaign}/Trackers", {"Name": "Newsletter"}))["Id"]
    mine = track(world, "S-1")
    world.tracker = second
    rivals = track(world, "S-1", rival)
    assert (ids(world.partner, Oid="S-1"), ids(rival, Oid="S-1")) == ([mine], [rivals])
    assert ids(world.brand, Oid="S-1") == [rivals, mine]
