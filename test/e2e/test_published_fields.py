"""Fields of action inquiries as a published client sends and reads them: C1, C5, C6, C7 and C10."""

import pytest

from harness.delivery import Delivery


def accept(world, inquiry, **fields):
    """Accepted by the brand; gives the action's id."""
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker, **fields}))
    return world.brand.ok(world.brand.get(f"ActionInquiries/{inquiry}"))["ActionId"]


def fields_of(response):
    assert response.status_code == 400, response.text
    return [error["Field"] for error in response.json()["Errors"]]


def test_all_published_names_of_items_are_taken(world, receiver):
    """C1: they are in the action, for both sides, and in the event."""
    delivery = Delivery(world, receiver.url(), EventTypes=["action.tracked"])
    action = accept(world, world.open(), **{
        "ItemSku1": "BT-204", "ItemCategory1": "Boots", "ItemName1": "Trail boot",
        "ItemSubCategory1": "Winter", "ItemMPN1": "0-4411", "ItemTotalRebate1": "5.0",
        "ItemQty1": "2", "ItemSubtotal1": "79.90", "ItemQty2": 1, "ItemSubTotal2": 10})
    items = [{"Sku": "BT-204", "Category": "Boots", "Name": "Trail boot", "SubCategory": "Winter",
              "Mpn": "0-4411", "TotalRebate": "5.0", "Quantity": "2", "Amount": "79.90"},
             {"Quantity": "1", "Amount": "10"}]
    for account in (world.partner, world.brand):
        assert account.ok(account.get(f"Actions/{action}"))["Items"] == items
    assert receiver.wait(1)[0].body.count(b"TotalRebate") == 1
    delivery.await_state("DELIVERED")


@pytest.mark.parametrize("fields,wrong", [
    ({"ItemQty1": "1.5"}, ["ItemQty1"]),
    ({"ItemQty1": "0"}, ["ItemQty1"]),
    ({"ItemTotalRebate1": "lots"}, ["ItemTotalRebate1"]),
    ({"ItemTotalRebate1": "1.005"}, ["ItemTotalRebate1"]),
    ({"ItemQty1": "1", "ItemQuantity1": "2"}, ["ItemQuantity1"]),
    ({"ItemSku101": "x"}, ["ItemSku101"]),
    ({"ItemSku": "x"}, ["ItemSku"]),
    ({"ItemColour1": "red"}, ["ItemColour1"]),
])
def test_a_wrong_item_is_named(world, fields, wrong):
    """C1: what, and where."""
    answer = world.brand.put("ActionInquiries", {
        "Id": world.open(), "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker, **fields})
    assert fields_of(answer) == wrong


@pytest.mark.parametrize("reference", [
    "REF-1001", "6f1c2f9e-53e2-4e0b-9d7a-0a7b3e1f9c11", "shop/7:8 #9", "Nº 5 – é", "x" * 100])
def test_a_partners_reference_is_a_plain_string(world, reference):
    """C5: taken, shown, and found again."""
    inquiry = world.open(MediaPartnerInquiryId=reference)
    assert world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))[
        "MediaPartnerInquiryId"] == reference
    found = world.partner.ok(world.partner.get("ActionInquiries", MediaPartnerInquiryId=reference))
    assert [one["Id"] for one in found["ActionInquiries"]] == [inquiry]


@pytest.mark.parametrize("reference", ["x" * 101, "two\nlines", "bell\a"])
def test_a_reference_has_a_length_and_one_line(world, reference):
    """C5"""
    answer = world.partner.post("ActionInquiries", {
        "CampaignId": world.campaign, "OrderId": "A-1", "TransactionDate": "2026-01-15",
        "TransactionAmount": "1", "InquiryType": "UNTRACKED", "MediaPartnerInquiryId": reference})
    assert fields_of(answer) == ["MediaPartnerInquiryId"]


def test_each_side_knows_the_customer_by_an_id_of_its_own(world, receivers):
    """C6: the partner's stays in the inquiry, the brand's goes to the action."""
    partners, brands = receivers(), receivers()
    wanted = {"Method": "GET", "EventTypes": ["action.tracked"]}
    Delivery(world, partners.url("/{CustomerId}"), **wanted)
    Delivery(world, brands.url("/{CustomerId}"), account=world.brand, **wanted)
    resolved = receivers()
    Delivery(world, resolved.url("/{CustomerId}"), Method="GET", Category="Action Inquiry Events",
             EventTypes=["action_inquiry.resolved"])
    inquiry = world.open(CustomerId="memberA")
    action = accept(world, inquiry, CustomerId="brandB")
    shown = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))
    assert shown["CustomerId"] == "memberA"
    found = world.partner.ok(world.partner.get("ActionInquiries", CustomerId="memberA"))
    assert [one["Id"] for one in found["ActionInquiries"]] == [inquiry]
    assert world.partner.ok(world.partner.get("ActionInquiries", CustomerId="brandB"))["@total"] == "0"
    assert world.brand.ok(world.brand.get(f"Actions/{action}"))["CustomerId"] == "brandB"
    assert world.partner.ok(world.partner.get(f"Actions/{action}"))["CustomerId"] == "memberA"
    assert partners.wait(1)[0].target == "/memberA"
    assert brands.wait(1)[0].target == "/brandB"
    assert resolved.wait(1)[0].target == "/memberA"


def test_a_brand_never_sees_the_partners_customer(world):
    """C6: nor when it names none of its own."""
    action = accept(world, world.open(CustomerId="memberA"))
    assert world.brand.ok(world.brand.get(f"Actions/{action}"))["CustomerId"] == ""
    assert world.partner.ok(world.partner.get(f"Actions/{action}"))["CustomerId"] == "memberA"


@pytest.mark.parametrize("form", ["json", "form", "csv"])
def test_a_note_is_the_first_comment(world, receivers, form):
    """C7: for both sides, and in the event."""
    brands = receivers()
    Delivery(world, brands.url(), account=world.brand, Category="Action Inquiry Events",
             EventTypes=["action_inquiry.opened"])
    fields = {"CampaignId": world.campaign, "OrderId": "N-1", "TransactionDate": "2026-01-15",
              "TransactionAmount": "10", "InquiryType": "UNTRACKED", "InquiryNotes": "hello"}
    if form == "csv":
        text = ("Campaign Id,Order Id,Sale Amount,Transaction Date,Type,Notes\r\n"
                f"{world.campaign},N-1,10,2026-01-15,UNTRACKED,hello\r\n")
        answer = world.partner.session.post(
            f"{world.partner.base}{world.partner.prefix}/ActionInquiries/Import", data=text,
            headers={"Content-Type": "text/csv"}, timeout=30)
        uri = world.partner.ok(answer)["Uris"][0]
    elif form == "json":
        uri = world.partner.ok(world.partner.post("ActionInquiries", fields))["Uri"]
    else:
        answer = world.partner.session.post(
            f"{world.partner.base}{world.partner.prefix}/ActionInquiries", data=fields, timeout=30)
        uri = world.partner.ok(answer)["Uri"]
    id = uri.split("/")[-1]
    world.partner.ok(world.partner.post(f"ActionInquiries/{id}/Comments", {"Comment": "more"}))
    for account in (world.partner, world.brand):
        comments = account.ok(account.get(f"ActionInquiries/{id}"))["Comments"]
        assert [one["Comment"] for one in comments] == ["hello", "more"]
        assert comments[0]["User"] == comments[1]["User"] and comments[0]["Date"]
    assert "InquiryNotes" not in world.brand.ok(world.brand.get(f"ActionInquiries/{id}"))
    assert brands.wait(1)[0].body.count(b"hello") == 1


def test_no_note_is_no_comment(world):
    """C7"""
    assert world.brand.ok(world.brand.get(f"ActionInquiries/{world.open(InquiryNotes='')}"))[
        "Comments"] == []


@pytest.mark.parametrize("reason", ["Other", "Whatever the client has there", ""])
@pytest.mark.parametrize("status", ["VALID", "INCOMPLETE"])
def test_a_reason_to_reject_is_passed_over_where_nothing_is_rejected(world, status, reason):
    """C10"""
    inquiry = world.open()
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": status, "ActionTrackerId": world.tracker,
        "RejectReason": reason}))
    shown = world.brand.ok(world.brand.get(f"ActionInquiries/{inquiry}"))
    assert (shown["ResolutionStatus"], shown["RejectReason"]) == (status, "")


@pytest.mark.parametrize("id", ["0", "987654321", "99999999999999999999", "007"])
def test_an_id_that_is_nobodys_finds_nothing(world, id):
    """C10: an empty list, and no mistake."""
    world.open()
    for account, name, query in (
            (world.partner, "ActionInquiries", {"CampaignId": id}),
            (world.brand, "ActionInquiries", {"CampaignId": id}),
            (world.brand, "ActionInquiries", {"CampaignId": "ALL", "MediaPartnerId": id}),
            (world.partner, "Actions", {"CampaignId": id}),
            (world.brand, "Actions", {"CampaignId": id}),
            (world.partner, "Postbacks", {"NotificationId": id}),
            (world.brand, "Postbacks", {"InquiryId": id})):
        page = account.ok(account.get(name, **query))
        assert page[name] == [], (name, query)
    assert fields_of(world.partner.get("ActionInquiries", CampaignId="first")) == ["CampaignId"]


ATTRIBUTES = ["@page", "@numpages", "@pagesize", "@total", "@start", "@end", "@uri",
              "@firstpageuri", "@nextpageuri", "@previouspageuri", "@lastpageuri"]
LISTS = {
    "partner": ["ActionInquiries", "Actions", "Campaigns", "EventNotifications", "Postbacks",
                "Notices", "SupportRequests"],
    "brand": ["ActionInquiries", "Actions", "Campaigns", "EventNotifications", "Postbacks",
              "Notices", "SupportRequests", "ApprovalRules"],
    "operator": ["Accounts", "Campaigns", "EventTypes", "Notifications", "SupportRequests", "Audit",
                 "Notices"],
}


@pytest.mark.parametrize("role", LISTS)
def test_every_list_has_all_attributes(world, role):
    """C8: all eleven, and as strings, whichever list it is."""
    account = getattr(world, role)
    world.open()
    for name in LISTS[role]:
        page = account.ok(account.get(name, **({"CampaignId": "ALL"} if
                                               role == "brand" and name in ("ActionInquiries", "Actions")
                                               else {})))
        assert list(page)[:11] == ATTRIBUTES, name
        assert all(isinstance(page[each], str) for each in ATTRIBUTES), name
        assert page["@uri"] and page["@firstpageuri"] and page["@page"] == "1", name


def test_lists_of_one_campaign_have_all_attributes(world):
    """C8: those below another thing too."""
    notification = world.notify(world.partner, "http://127.0.0.1:9/pb")["Id"]
    for account, path in (
            (world.partner, f"EventNotifications/{notification}/Replays"),
            (world.brand, f"Campaigns/{world.campaign}/Partners"),
            (world.operator, f"Campaigns/{world.campaign}/Members"),
            (world.operator, f"Campaigns/{world.campaign}/Trackers"),
            (world.operator, f"Campaigns/{world.campaign}/TrackingTokens"),
            (world.operator, f"Accounts/{world.partner.sid}/Tokens"),
            (world.operator, f"Accounts/{world.partner.sid}/Users")):
        page = account.ok(account.get(path))
        assert list(page)[:11] == ATTRIBUTES, path
        rows = next(value for name, value in page.items() if isinstance(value, list))
        assert page["@total"] == str(len(rows)), path


@pytest.mark.parametrize("role", ["partner", "brand"])
def test_campaigns_have_pages_and_their_published_names(world, role):
    """C8: counted, page by page; and under a cursor, as before."""
    account = getattr(world, role)
    ids = [world.campaign]
    for name in ("Acme Winter", "Acme Spring"):
        ids.append(world.add_campaign(world.brand, name, "EUR"))
        world.join(ids[-1], world.partner)
    page = account.ok(account.get("Campaigns", PageSize=2))
    assert [page[name] for name in ATTRIBUTES[:6]] == ["1", "2", "2", "3", "0", "1"]
    one = page["Campaigns"][0]
    assert (one["CampaignId"], one["CampaignName"]) == (one["Id"], one["Name"]) == (
        world.campaign, "Acme Autumn")
    assert (one["AdvertiserId"], one["AdvertiserName"]) == (world.brand.id, one["BrandName"])
    rest = account.ok(account.get(page["@nextpageuri"]))
    assert [each["Id"] for each in page["Campaigns"] + rest["Campaigns"]] == ids
    assert rest["@nextpageuri"] == "" and rest["@previouspageuri"] == page["@firstpageuri"]
    assert account.ok(account.get(page["@lastpageuri"])) == rest
    after = account.ok(account.get("Campaigns", After=ids[0], PageSize=1))
    assert [each["Id"] for each in after["Campaigns"]] == ids[1:2]
    assert (after["@total"], after["@page"], after["@lastpageuri"]) == ("", "", "")
    last = account.ok(account.get(after["@nextpageuri"]))
    assert [each["Id"] for each in last["Campaigns"]] == ids[2:]
