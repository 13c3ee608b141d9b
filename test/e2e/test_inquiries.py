"""Action inquiries over the API: opening, reading, deciding, closing, and what is refused."""

REASON = "Transaction cannot be traced"


def fields_of(answer):
    return sorted(error["Field"] for error in answer.json()["Errors"])


def show(account, inquiry):
    return account.ok(account.get(f"ActionInquiries/{inquiry}"))


def decide(world, inquiry, status, **fields):
    return world.brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": status, **fields})


def found(account, **query):
    return [inquiry["Id"] for inquiry in
            account.ok(account.get("ActionInquiries", **query))["ActionInquiries"]]


# ---- opening ----

def test_a_form_opens_an_inquiry_as_existing_clients_send_it(world):
    answer = world.partner.call("POST", "ActionInquiries", data=world.inquiry(
        OrderId="A-1", InquiryNotes="naïve & plain", TrackingLink="https://a.example/?x=1&y=2"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["Status"] == "OK"
    uri = answer.json()["Uri"]
    assert uri.startswith(f"/Mediapartners/{world.partner.sid}/ActionInquiries/")
    shown = world.partner.ok(world.partner.get(uri))
    assert shown["Uri"] == uri and shown["OrderId"] == "A-1"
    assert shown["InquiryNotes"] == "naïve & plain"
    assert shown["TrackingLink"] == "https://a.example/?x=1&y=2"
    assert shown["Currency"] == "EUR" and shown["TransactionAmount"] == "89.90"
    assert (shown["ResolutionStatus"], shown["State"]) == ("UNRESOLVED", "OPEN")
    assert all(isinstance(value, str) for name, value in shown.items() if name != "Comments")


def test_every_wrong_field_is_named_in_one_answer(world):
    answer = world.partner.post("ActionInquiries", {
        "CampaignId": "9999999", "TransactionDate": "someday", "TransactionAmount": "-1",
        "Currency": "EURO", "InquiryType": "LOST", "TrackingLink": "javascript:1",
        "MediaPartnerInquiryId": "a\nb", "Colour": "red", "OrderId": "x" * 201})
    assert answer.status_code == 400
    assert fields_of(answer) == sorted([
        "CampaignId", "TransactionDate", "TransactionAmount", "Currency", "InquiryType",
        "TrackingLink", "MediaPartnerInquiryId", "Colour", "OrderId"])
    empty = world.partner.post("ActionInquiries", {})
    assert fields_of(empty) == ["CampaignId", "InquiryType", "OrderId", "TransactionAmount",
                                "TransactionDate"]


def test_the_campaigns_currency_decides_what_an_amount_may_be(world):
    yen = world.add_campaign(world.brand, "Acme Japan", "JPY")
    world.join(yen, world.partner)
    wrong = world.partner.post("ActionInquiries", world.inquiry(CampaignId=yen))
    assert wrong.status_code == 400 and fields_of(wrong) == ["TransactionAmount"]
    right = world.open(CampaignId=yen, TransactionAmount="8990")
    assert show(world.partner, right)["Currency"] == "JPY"
    other = world.open(CampaignId=yen, TransactionAmount="89.90", Currency="USD")
    assert show(world.partner, other)["TransactionAmount"] == "89.90"


def test_the_sale_amount_has_a_cap(world):
    world.open(TransactionAmount="5000000")
    over = world.partner.post("ActionInquiries", world.inquiry(TransactionAmount="5000000.01"))
    assert over.status_code == 400 and fields_of(over) == ["TransactionAmount"]


def test_a_second_open_one_is_refused_with_a_link_to_the_first(world):
    first = world.open(OrderId="TWICE")
    second = world.partner.post("ActionInquiries", world.inquiry(OrderId="TWICE"))
    assert second.status_code == 409
    assert f"/ActionInquiries/{first}" in second.text
    world.open(OrderId="TWICE", InquiryType="INCORRECT")
    world.partner.ok(world.partner.post(f"ActionInquiries/{first}/Close"))
    world.open(OrderId="TWICE")


def test_only_members_of_the_campaign_may_ask(world):
    stranger = world.account("PARTNER", "Stranger")
    answer = stranger.post("ActionInquiries", world.inquiry())
    assert answer.status_code == 400 and fields_of(answer) == ["CampaignId"]


# ---- who sees what ----

def test_the_brand_does_not_see_the_partners_private_fields(world):
    inquiry = world.open(MediaPartnerInquiryId="M1", CustomerId="C1", InquiryDate="2026-01-16",
                         InquiryNotes="between us")
    seen = show(world.brand, inquiry)
    for name in ("MediaPartnerInquiryId", "CustomerId", "InquiryDate", "InquiryNotes"):
        assert name not in seen
    assert seen["MediaPartnerName"] == "Cashback Corner"
    assert seen["Uri"] == f"/Advertisers/{world.brand.sid}/ActionInquiries/{inquiry}"
    (listed,) = world.brand.ok(world.brand.get("ActionInquiries",
                                               CampaignId=world.campaign))["ActionInquiries"]
    assert [one["Comment"] for one in listed.pop("Comments")] == ["between us"]  # C7: both read it
    assert "between us" not in str(listed)


def test_anothers_inquiry_is_not_found(world):
    inquiry = world.open()
    for kind in ("PARTNER", "BRAND"):
        stranger = world.account(kind, "Stranger")
        assert stranger.get(f"ActionInquiries/{inquiry}").status_code == 404
        comment = stranger.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "hello"})
        assert comment.status_code == 404
    partner = world.account("PARTNER", "Stranger")
    assert partner.post(f"ActionInquiries/{inquiry}/Close").status_code == 404
    brand = world.account("BRAND", "Stranger")
    assert brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "DECLINED",
                                         "RejectReason": REASON}).status_code == 404
    assert found(brand, CampaignId=world.campaign) == []
    assert world.partner.get("ActionInquiries/abc").status_code == 404
    assert world.partner.get("ActionInquiries/99999999999").status_code == 404


def test_a_reading_token_changes_nothing(world):
    inquiry = world.open()
    reader = type(world.partner)(world.partner.base, world.partner.sid,
                                 world.token(world.partner.sid, "READ"), world.partner.prefix)
    assert show(reader, inquiry)["Id"] == inquiry
    assert reader.post("ActionInquiries", world.inquiry()).status_code == 403
    assert reader.post(f"ActionInquiries/{inquiry}/Close").status_code == 403
    assert show(world.partner, inquiry)["State"] == "OPEN"


# ---- the life ----

def test_accepting_makes_an_action(world):
    inquiry = world.open(ExpectedPayout="6.50")
    missing = decide(world, inquiry, "VALID")
    assert missing.status_code == 400 and fields_of(missing) == ["ActionTrackerId"]
    foreign = decide(world, inquiry, "VALID", ActionTrackerId="999999")
    assert foreign.status_code == 400 and fields_of(foreign) == ["ActionTrackerId"]
    world.brand.ok(decide(world, inquiry, "VALID", ActionTrackerId=world.tracker,
                          TransactionAmount="80", FinalPayout="5.5", PromoCode="TEN",
                          ResolutionNotes="Found it", ItemSku1="A", ItemQuantity1="2"))
    shown = show(world.partner, inquiry)
    assert shown["ResolutionStatus"] == "VALID" and shown["ResolutionDate"] != ""
    assert shown["ActionId"] != ""
    assert shown["ActionUri"].endswith("/Actions/" + shown["ActionId"])
    assert shown["TransactionAmount"] == "80.00" and shown["FinalPayout"] == "5.50"
    assert shown["ResolutionNotes"] == "Found it"


def test_a_valid_inquiry_never_changes_but_can_be_closed(world):
    inquiry = world.open()
    world.brand.ok(decide(world, inquiry, "VALID", ActionTrackerId=world.tracker))
    again = decide(world, inquiry, "DECLINED", RejectReason=REASON)
    assert again.status_code == 409 and "VALID" in again.json()["Message"]
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    shown = show(world.partner, inquiry)
    assert (shown["ResolutionStatus"], shown["State"]) == ("VALID", "CLOSED")
    assert shown["ClosedDate"] != ""


def test_declining_needs_one_of_the_nine_reasons(world):
    inquiry = world.open()
    for reason in ({}, {"RejectReason": "Because"}):
        answer = decide(world, inquiry, "DECLINED", **reason)
        assert answer.status_code == 400 and fields_of(answer) == ["RejectReason"]
    world.brand.ok(world.brand.call("PUT", "ActionInquiries", data={
        "Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": REASON}))
    assert show(world.partner, inquiry)["RejectReason"] == REASON


def test_a_closed_inquiry_is_out_of_the_brands_hands(world):
    inquiry = world.open()
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    late = decide(world, inquiry, "DECLINED", RejectReason=REASON)
    assert late.status_code == 409 and "CLOSED" in late.json()["Message"]
    twice = world.partner.post(f"ActionInquiries/{inquiry}/Close")
    assert twice.status_code == 409


def test_a_declined_inquiry_is_reopened_once_with_a_comment(world):
    inquiry = world.open()
    reopen = f"ActionInquiries/{inquiry}/Reopen"
    assert world.partner.post(reopen, {"Comment": "Too early"}).status_code == 409
    world.brand.ok(decide(world, inquiry, "DECLINED", RejectReason=REASON))
    silent = world.partner.post(reopen, {})
    assert silent.status_code == 400 and fields_of(silent) == ["Comment"]
    world.partner.ok(world.partner.post(reopen, {"Comment": "Here is the receipt"}))
    shown = show(world.partner, inquiry)
    assert shown["ResolutionStatus"] == "UNRESOLVED" and shown["RejectReason"] == ""
    assert shown["Comments"][-1]["Comment"] == "Here is the receipt"
    world.brand.ok(decide(world, inquiry, "DECLINED", RejectReason=REASON))
    assert world.partner.post(reopen, {"Comment": "Again"}).status_code == 409


def test_what_is_incomplete_is_answered_by_a_comment(world):
    inquiry = world.open()
    world.brand.ok(decide(world, inquiry, "INCOMPLETE", ResolutionNotes="Which shop?"))
    world.brand.ok(world.brand.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "Well?"}))
    assert show(world.partner, inquiry)["ResolutionStatus"] == "INCOMPLETE"
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Comments",
                                        {"Comment": "The one in Bonn"}))
    shown = show(world.brand, inquiry)
    assert shown["ResolutionStatus"] == "UNRESOLVED"
    assert [comment["Comment"] for comment in shown["Comments"]] == ["Well?", "The one in Bonn"]
    assert all(set(comment) == {"User", "Comment", "Date"} for comment in shown["Comments"])
    long = world.partner.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "x" * 4001})
    assert long.status_code == 400 and fields_of(long) == ["Comment"]


# ---- lists ----

def test_the_newest_come_first_in_pages(world):
    ids = [world.open() for _ in range(5)]
    page = world.partner.ok(world.partner.get("ActionInquiries", PageSize=2, Page=2))
    assert [inquiry["Id"] for inquiry in page["ActionInquiries"]] == [ids[2], ids[1]]
    assert (page["@page"], page["@numpages"], page["@pagesize"], page["@total"]) == (
        "2", "3", "2", "5")
    assert "Page=3" in page["@nextpageuri"] and "Page=1" in page["@previouspageuri"]
    far = world.partner.ok(world.partner.get("ActionInquiries", Page=99))
    assert far["ActionInquiries"] == []


def test_every_filter_of_the_partner(world):
    first = world.open(OrderId="F1", MediaPartnerInquiryId="M1", CustomerId="C1",
                       TransactionDate="2026-01-10T12:00:00Z")
    second = world.open(OrderId="F2", MediaPartnerInquiryId="M2", CustomerId="C2",
                        TransactionDate="2026-01-12T23:59:59Z")
    world.brand.ok(decide(world, first, "DECLINED", RejectReason=REASON))
    world.partner.ok(world.partner.post(f"ActionInquiries/{first}/Close"))
    partner = world.partner
    assert found(partner, CampaignId=world.campaign) == [second, first]
    assert found(partner, CampaignId=int(world.campaign) + 1000) == []
    assert found(partner, MediaPartnerInquiryId="M1") == [first]
    assert found(partner, CustomerId="C2") == [second]
    assert found(partner, OrderId="F2") == [second]
    assert found(partner, ResolutionStatus="DECLINED") == [first]
    assert found(partner, ResolutionStatus="VALID") == []
    assert found(partner, State="CLOSED") == [first]
    assert found(partner, TransactionDateStart="2026-01-11") == [second]
    assert found(partner, TransactionDateEnd="2026-01-11") == [first]
    assert found(partner, TransactionDateStart="2026-01-12",
                 TransactionDateEnd="2026-01-12") == [second]
    assert found(partner, TransactionDateEnd="2026-01-10T12:00:00Z") == [first]
    assert found(partner, TransactionDateEnd="2026-01-10T11:59:59Z") == []
    made = show(partner, second)["CreationDate"]
    assert second in found(partner, StartDate=made, EndDate=made)
    assert found(partner, StartDate="2026-01-01", EndDate="2026-01-02") == []


def test_every_filter_of_the_brand(world):
    first, second = world.open(OrderId="F1"), world.open(OrderId="F2")
    other = world.account("PARTNER", "Other Partner")
    world.join(world.campaign, other)
    third = other.ok(other.post("ActionInquiries", world.inquiry(OrderId="F3")))
    third = third["Uri"].rsplit("/", 1)[1]
    world.brand.ok(decide(world, first, "DECLINED", RejectReason=REASON))
    here = {"CampaignId": world.campaign}
    assert found(world.brand, **here) == [third, second, first]
    assert found(world.brand, MediaPartnerId=world.partner.id, **here) == [second, first]
    assert found(world.brand, OrderId="F2", **here) == [second]
    assert found(world.brand, ResolutionStatus="UNRESOLVED", **here) == [third, second]
    assert found(world.brand, TransactionDateStart="2026-01-16", **here) == []
    assert found(world.brand, EndDate="2026-01-01", **here) == []


def test_a_wrong_query_is_refused_by_name(world):
    get = world.partner.get
    assert fields_of(get("ActionInquiries", Colour="red", CampaignId="x", StartDate="soon",
                         ResolutionStatus="MAYBE", State="AJAR", Page="0")) == [
        "CampaignId", "Colour", "Page", "ResolutionStatus", "StartDate", "State"]
    assert fields_of(get("ActionInquiries", StartDate="2026-02-01", EndDate="2026-01-01")) == [
        "EndDate"]
    assert fields_of(world.brand.get("ActionInquiries")) == ["CampaignId"]
    assert fields_of(world.brand.get("ActionInquiries", CampaignId=world.campaign,
                                     CustomerId="C1")) == ["CustomerId"]
    inquiry = world.open()
    assert fields_of(get(f"ActionInquiries/{inquiry}", Colour="red")) == ["Colour"]
