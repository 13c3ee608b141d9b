"""Lists of inquiries: pages and their links, filters to the second, and the calls of a client that
was written for impact.com's Action Inquiries API."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

ATTRIBUTES = ["@page", "@numpages", "@pagesize", "@total", "@start", "@end", "@uri",
              "@firstpageuri", "@nextpageuri", "@previouspageuri", "@lastpageuri"]


def ids(page):
    return [one["Id"] for one in page["ActionInquiries"]]


def attributes(page):
    return {name: page[name] for name in ATTRIBUTES}


# ---- pages ----

def test_the_attributes_are_all_there_and_all_strings(world):
    opened = [world.open() for _ in range(3)][::-1]
    page = world.partner.ok(world.partner.get("ActionInquiries"))
    assert list(page) == ATTRIBUTES + ["ActionInquiries"]
    assert all(isinstance(page[name], str) for name in ATTRIBUTES)
    assert ids(page) == opened
    whole = {"@page": "1", "@numpages": "1", "@pagesize": "1000", "@total": "3", "@start": "0",
             "@end": "2", "@nextpageuri": "", "@previouspageuri": ""}
    assert {name: page[name] for name in whole} == whole
    for name in ("@uri", "@firstpageuri", "@lastpageuri"):
        assert ids(world.partner.ok(world.partner.get(page[name]))) == opened, name


@pytest.mark.parametrize("role", ["partner", "brand"])
def test_the_links_lead_through_all_pages_and_keep_the_filters(world, role):
    account = getattr(world, role)
    opened = [world.open(OrderId=f"O {number}&/é") for number in range(7)][::-1]
    query = {"CampaignId": world.campaign, "ResolutionStatus": "UNRESOLVED", "PageSize": "3"}
    first = page = account.ok(account.get("ActionInquiries", **query))
    pages = [page]
    while page["@nextpageuri"]:
        page = account.ok(account.get(page["@nextpageuri"]))
        pages.append(page)
    assert [ids(one) for one in pages] == [opened[:3], opened[3:6], opened[6:]]
    assert [(one["@page"], one["@start"], one["@end"]) for one in pages] == [
        ("1", "0", "2"), ("2", "3", "5"), ("3", "6", "6")]
    assert all((one["@numpages"], one["@total"], one["@pagesize"]) == ("3", "7", "3")
               for one in pages)
    for number, one in enumerate(pages):
        for link in (one["@uri"], one["@firstpageuri"], one["@lastpageuri"]):
            split = urlsplit(link)
            assert split.path == f"{account.prefix}/ActionInquiries"
            sent = {name: values[0] for name, values in parse_qs(split.query).items()}
            assert {**sent, "Page": None} == {**query, "Page": None}
        assert ids(account.ok(account.get(one["@uri"]))) == ids(one)
        assert ids(account.ok(account.get(one["@firstpageuri"]))) == ids(first)
        assert ids(account.ok(account.get(one["@lastpageuri"]))) == opened[6:]
        before = one["@previouspageuri"]
        assert (before == "") == (number == 0)
        if before:
            assert ids(account.ok(account.get(before))) == ids(pages[number - 1])
    one = account.ok(account.get("ActionInquiries", OrderId="O 3&/é", CampaignId=world.campaign))
    assert ids(one) == [opened[3]]
    assert ids(account.ok(account.get(one["@lastpageuri"]))) == [opened[3]]


def test_no_match_is_an_empty_array(world):
    for query in ({}, {"CampaignId": "987654321"}, {"Page": "5"}):
        page = world.partner.ok(world.partner.get("ActionInquiries", **query))
        assert page["ActionInquiries"] == []
        assert (page["@total"], page["@numpages"], page["@nextpageuri"]) == ("0", "0", "")
    brand = world.brand.ok(world.brand.get("ActionInquiries", CampaignId=world.campaign))
    assert brand["ActionInquiries"] == []


def test_a_page_behind_the_last(world):
    opened = [world.open() for _ in range(2)]
    page = world.partner.ok(world.partner.get("ActionInquiries", Page="9", PageSize="1"))
    assert page["ActionInquiries"] == [] and page["@total"] == "2" and page["@page"] == "9"
    assert page["@nextpageuri"] == ""
    last = world.partner.ok(world.partner.get(page["@lastpageuri"]))
    assert ids(last) == [opened[0]]


@pytest.mark.parametrize("query", [
    {"Page": "0"}, {"Page": "-1"}, {"Page": "one"}, {"Page": "1.0"},
    {"Page": "99999999999999999999"},
    {"PageSize": "0"}, {"PageSize": "20001"}, {"PageSize": "ten"}, {"PageSize": " 1"}])
def test_pages_that_are_none(world, query):
    answer = world.partner.get("ActionInquiries", **query)
    assert answer.status_code == 400
    assert [error["Field"] for error in answer.json()["Errors"]] == list(query)


def test_the_largest_pages_and_numbers(world):
    inquiry = world.open()
    page = world.partner.ok(world.partner.get("ActionInquiries", PageSize="20000"))
    assert ids(page) == [inquiry]
    far = world.partner.ok(world.partner.get("ActionInquiries", Page="1000000000",
                                             PageSize="20000"))
    assert far["ActionInquiries"] == [] and far["@total"] == "1"


# ---- filters ----

def test_the_ends_of_a_span_of_time_are_in_it(world):
    at = {"2026-01-10T00:00:00Z": None, "2026-01-10T23:59:59Z": None,
          "2026-01-11T00:00:00Z": None, "2026-01-12T00:30:00+01:00": None}
    for when in at:
        at[when] = world.open(TransactionDate=when)
    one, two, three, four = at.values()

    def found(start, end):
        query = {"TransactionDateStart": start, "TransactionDateEnd": end}
        page = world.partner.ok(world.partner.get(
            "ActionInquiries", **{name: value for name, value in query.items() if value}))
        brand = world.brand.ok(world.brand.get(
            "ActionInquiries", CampaignId=world.campaign,
            **{name: value for name, value in query.items() if value}))
        assert ids(brand) == ids(page)
        return sorted(ids(page), key=int)
    assert found("2026-01-10", "2026-01-10") == [one, two]
    assert found("2026-01-11", "2026-01-11") == [three, four]  # its zone makes it the 11th in UTC
    assert found("2026-01-12", None) == []
    assert found("2026-01-10T23:59:59Z", "2026-01-10T23:59:59Z") == [two]
    assert found("2026-01-10T23:59:59Z", "2026-01-11T00:00:00Z") == [two, three]
    assert found("2026-01-11T01:00:00+01:00", "2026-01-11T01:00:00+01:00") == [three]
    assert found(None, "2026-01-09") == []
    assert found("2026-01-10T00:00:01Z", None) == [two, three, four]


def test_the_date_that_is_shown_finds_the_inquiry(world):
    inquiry = world.open()
    made = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))["CreationDate"]
    day = made[:10]
    for start, end in ((made, made), (day, day), (made, ""), ("", made)):
        query = {name: value for name, value in (("StartDate", start), ("EndDate", end)) if value}
        for account, more in ((world.partner, {}), (world.brand, {"CampaignId": world.campaign})):
            page = account.ok(account.get("ActionInquiries", **query, **more))
            assert ids(page) == [inquiry], (start, end)


def test_filters_are_taken_together(world):
    wanted = world.open(OrderId="A", MediaPartnerInquiryId="M1", CustomerId="C1",
                        TransactionDate="2026-01-10")
    world.open(OrderId="B", MediaPartnerInquiryId="M1", CustomerId="C2")
    world.open(OrderId="C", MediaPartnerInquiryId="M2", CustomerId="C1")
    query = {"CampaignId": world.campaign, "MediaPartnerInquiryId": "M1", "CustomerId": "C1",
             "ResolutionStatus": "UNRESOLVED", "TransactionDateStart": "2026-01-01",
             "TransactionDateEnd": "2026-01-31", "StartDate": "2026-01-01"}
    assert ids(world.partner.ok(world.partner.get("ActionInquiries", **query))) == [wanted]
    for name, other in (("CampaignId", "999999"), ("MediaPartnerInquiryId", "M3"),
                        ("CustomerId", "C3"), ("ResolutionStatus", "VALID"),
                        ("TransactionDateStart", "2026-01-20")):
        page = world.partner.ok(world.partner.get("ActionInquiries", **{**query, name: other}))
        assert page["ActionInquiries"] == [], name


def test_an_empty_parameter_is_none(world):
    inquiry = world.open()
    page = world.partner.ok(world.partner.get("ActionInquiries", ResolutionStatus="", StartDate="",
                                              CustomerId="", Page="", PageSize=""))
    assert ids(page) == [inquiry]


@pytest.mark.parametrize("role", ["partner", "brand"])
def test_a_type_is_a_filter(world, role):
    account = getattr(world, role)
    world.open(InquiryType="DECLINED")
    wanted = world.open(InquiryType="INCORRECT")
    page = account.ok(account.get("ActionInquiries", CampaignId=world.campaign,
                                  InquiryType="INCORRECT"))
    assert ids(page) == [wanted] and page["@total"] == "1"
    answer = account.get("ActionInquiries", CampaignId=world.campaign, InquiryType="LOST")
    assert answer.status_code == 400
    assert [error["Field"] for error in answer.json()["Errors"]] == ["InquiryType"]


def test_a_search_finds_inside_and_in_any_case(world):
    one = world.open(OrderId="ORD-417", MediaPartnerInquiryId="TICKET9", CustomerId="C-5521",
                     InquiryNotes="Die Größe ÄNDERTE sich; 100%_sicher")
    two = world.open(OrderId="ORD-42", MediaPartnerInquiryId="TICKET8", CustomerId="C-5522")
    world.brand.ok(world.brand.post(f"ActionInquiries/{two}/Comments", {"Comment": "Ищем ЗАКАЗ, ΛΌΓΟΣ"}))

    def partner(text, **more):
        return ids(world.partner.ok(world.partner.get("ActionInquiries", Search=text, **more)))

    def brand(text):
        return ids(world.brand.ok(world.brand.get("ActionInquiries", Search=text,
                                                  CampaignId="ALL")))
    for text in ("ORD-4", "ord-4", "Rd-4", "rd"):
        assert partner(text) == brand(text) == [two, one], text
    assert brand("back COR") == [two, one] and partner("back COR") == []
    assert partner("ORD-41") == partner("ticket9") == partner("c-5521") == partner("5521") == [one]
    assert two in partner(two) and two in brand(two)
    assert partner("TICKET", Sort="OrderId") == [one, two]
    assert partner("TICKET", State="CLOSED") == []
    for text in ("TICKET9", "C-5521", "ticket", "552"):
        assert brand(text) == [], "a brand finds by what it may not see"
    for text in ("änderte", "größe", "GRÖSSE", "100%_S", "0%_"):
        wanted = [] if text == "GRÖSSE" else [one]  # ß has no capital of one letter
        assert partner(text) == brand(text) == wanted, text
    for text in ("заказ", "ИЩЕМ заказ", "λόγος", "ΛΌΓΟσ"):
        assert partner(text) == brand(text) == [two], text
    for text in ("ORD%", "ORD_4", "*", "'", "\u2603", "!"):
        assert partner(text) == [], text
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": one, "ResolutionStatus": "DECLINED", "RejectReason": "Other", "ResolutionNotes": "Too late"}))
    assert partner("TOO L") == brand("oo la") == [one]
    stranger = world.account("PARTNER", "Stranger")
    assert ids(stranger.ok(stranger.get("ActionInquiries", Search="ORD"))) == []
    lines = world.partner.get("ActionInquiries.csv", Search="ORD-42").text.splitlines()
    assert len(lines) == 2 and "ORD-42" in lines[1]


def test_a_list_is_sorted_as_asked_and_its_links_keep_that(world):
    amounts = {world.open(TransactionAmount=amount, OrderId=order): order
               for amount, order in (("9.50", "b"), ("10", "c"), ("100.00", "a"))}
    names = list(amounts)
    query = {"CampaignId": world.campaign, "Sort": "-TransactionAmount", "PageSize": "2"}
    for account in (world.partner, world.brand):
        page = account.ok(account.get("ActionInquiries", **query))
        assert ids(page) == [names[2], names[1]]
        assert ids(account.ok(account.get(page["@nextpageuri"]))) == [names[0]]
        by_order = account.ok(account.get("ActionInquiries", CampaignId=world.campaign,
                                          Sort="OrderId"))
        assert [one["OrderId"] for one in by_order["ActionInquiries"]] == ["a", "b", "c"]


@pytest.mark.parametrize("role, sort", [
    ("partner", "MediaPartnerName"), ("brand", "CustomerId"), ("partner", "-"),
    ("partner", "--OrderId"), ("brand", "i.order_id; DROP TABLE inquiry")])
def test_an_order_that_is_none(world, role, sort):
    account = getattr(world, role)
    answer = account.get("ActionInquiries", CampaignId=world.campaign, Sort=sort)
    assert answer.status_code == 400
    error, = answer.json()["Errors"]
    assert error["Field"] == "Sort" and "TransactionDate" in error["Message"]
    assert ("CustomerId" in error["Message"]) == (role == "partner")


def test_a_brand_lists_all_its_campaigns_at_once(world):
    other = world.add_campaign(world.brand, "Acme Winter")
    world.join(other, world.partner)
    stranger = world.account("BRAND", "Another brand")
    opened = [world.open(), world.open(CampaignId=other), world.open()]
    page = world.brand.ok(world.brand.get("ActionInquiries", CampaignId="ALL"))
    assert ids(page) == opened[::-1]
    assert ids(world.brand.ok(world.brand.get("ActionInquiries", CampaignId=other))) == [opened[1]]
    assert stranger.ok(stranger.get("ActionInquiries", CampaignId="ALL"))["@total"] == "0"
    assert len(world.brand.get("ActionInquiries.csv", CampaignId="ALL").text.splitlines()) == 4
    for account, given in ((world.brand, "all"), (world.brand, ""), (world.partner, "ALL")):
        assert account.get("ActionInquiries", CampaignId=given).status_code == 400


@pytest.mark.parametrize("role, name", [
    ("partner", "MediaPartnerId"), ("brand", "CustomerId"), ("brand", "MediaPartnerInquiryId"),
    ("partner", "campaignid")])
def test_a_filter_of_the_other_role_is_refused(world, role, name):
    account = getattr(world, role)
    answer = account.get("ActionInquiries", CampaignId=world.campaign, **{name: "1"})
    assert answer.status_code == 400
    assert [error["Field"] for error in answer.json()["Errors"]] == [name]


def test_a_parameter_given_twice_is_refused(world):
    answer = world.partner.get("ActionInquiries?Page=1&Page=2")
    assert answer.status_code == 400 and "twice" in answer.json()["Message"]


# ---- an existing client ----

def test_a_client_of_impact_com_works_when_pointed_here(world):
    """Only what that API's published description promises: Basic auth, forms, JSON answers."""
    partner = requests.Session()
    partner.auth, partner.trust_env = (world.partner.sid, world.partner.token), False
    brand = requests.Session()
    brand.auth, brand.trust_env = (world.brand.sid, world.brand.token), False
    base = world.server.base
    asking = f"{base}/Mediapartners/{world.partner.sid}/ActionInquiries"
    answering = f"{base}/Advertisers/{world.brand.sid}/ActionInquiries"
    json_only = {"Accept": "application/json"}

    made = partner.post(asking, headers=json_only, data={
        "CampaignId": world.campaign, "OrderId": "IMP-1", "MediaPartnerInquiryId": "M123",
        "TransactionDate": "2026-01-15T09:00:00-05:00", "TransactionAmount": "120.5",
        "Currency": "USD", "InquiryType": "UNTRACKED", "ExpectedPayout": "12.05",
        "CustomerId": "C-9", "InquiryNotes": "No action was recorded"})
    assert made.status_code == 200
    assert made.headers["Content-Type"].startswith("application/json")
    assert made.json()["Status"] == "OK"
    uri = made.json()["Uri"]
    assert uri.startswith(f"/Mediapartners/{world.partner.sid}/ActionInquiries/")
    inquiry = partner.get(base + uri, headers=json_only).json()
    assert (inquiry["TransactionAmount"], inquiry["Currency"]) == ("120.50", "USD")
    assert inquiry["TransactionDate"] == "2026-01-15T14:00:00+00:00"
    assert inquiry["ResolutionStatus"] == "UNRESOLVED" and inquiry["Uri"] == uri

    seen = brand.get(answering, params={"CampaignId": world.campaign, "OrderId": "IMP-1",
                                        "ResolutionStatus": "UNRESOLVED"}).json()
    assert seen["@total"] == "1" and seen["ActionInquiries"][0]["Id"] == inquiry["Id"]
    put = brand.put(answering, data={
        "Id": inquiry["Id"], "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker,
        "FinalPayout": "10", "ItemSku1": "SKU", "ItemQuantity1": "1", "ItemSubtotal1": "120.5"})
    assert put.status_code == 200 and put.json()["Status"] == "OK"
    assert put.json()["Uri"] == f"/Advertisers/{world.brand.sid}/ActionInquiries/{inquiry['Id']}"

    page = partner.get(asking, params={"ResolutionStatus": "VALID", "PageSize": "1",
                                       "StartDate": inquiry["CreationDate"]}).json()
    assert [one["Id"] for one in page["ActionInquiries"]] == [inquiry["Id"]]
    assert page["ActionInquiries"][0]["FinalPayout"] == "10.00"
    refused = partner.post(asking, data={"OrderId": "IMP-2"})
    assert refused.status_code == 400 and refused.json()["Status"] == "ERROR"
    assert refused.json()["Message"]
    assert partner.get(asking + "/1234567").status_code == 404
    assert requests.get(asking, timeout=20).status_code == 401


def test_the_most_urgent_come_first(world):
    none = world.open()
    late = world.open(ResolutionDeadlineDate="2027-03-01")
    soon = world.open(ResolutionDeadlineDate="2027-01-01")
    none2 = world.open()

    def sorted_by(sort):
        return ids(world.brand.ok(world.brand.get("ActionInquiries", CampaignId="ALL", Sort=sort)))
    assert sorted_by("-Urgency") == [soon, late, none, none2]
    assert sorted_by("Urgency") == [none2, none, late, soon]
    with_partner = world.brand.ok(world.brand.get("ActionInquiries", CampaignId="ALL",
                                                  MediaPartnerId=world.partner.id))
    assert len(ids(with_partner)) == 4
