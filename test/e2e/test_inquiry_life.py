"""The life of an action inquiry: every step from every stage, taken with its event or refused with
the reason; what an accepted one brings about; what each side sees of it."""

import json

import pytest

REASON = "Transaction cannot be traced"
ALL_TYPES = ["action_inquiry." + step for step in
             ("opened", "resolved", "closed", "incomplete", "replied", "reopened")]
BY_DEFAULT = ["action_inquiry.opened", "action_inquiry.resolved", "action_inquiry.closed"]

# ---- the table ----

STAGES = ["UNRESOLVED", "VALID", "DECLINED", "INCOMPLETE", "REOPENED", "DECLINED AGAIN",
          "CLOSED UNRESOLVED", "CLOSED VALID", "CLOSED DECLINED", "CLOSED INCOMPLETE"]
STEPS = ["accept", "decline", "ask", "reply", "reopen", "close"]

# (stage, step) → status and state after it, the event.  What is not here is refused.
ALLOWED = {
    ("UNRESOLVED", "accept"): ("VALID", "OPEN", "resolved"),
    ("UNRESOLVED", "decline"): ("DECLINED", "OPEN", "resolved"),
    ("UNRESOLVED", "ask"): ("INCOMPLETE", "OPEN", "incomplete"),
    ("UNRESOLVED", "close"): ("UNRESOLVED", "CLOSED", "closed"),
    ("VALID", "close"): ("VALID", "CLOSED", "closed"),
    ("DECLINED", "reopen"): ("UNRESOLVED", "OPEN", "reopened"),
    ("DECLINED", "close"): ("DECLINED", "CLOSED", "closed"),
    ("INCOMPLETE", "reply"): ("UNRESOLVED", "OPEN", "replied"),
    ("INCOMPLETE", "close"): ("INCOMPLETE", "CLOSED", "closed"),
    ("REOPENED", "accept"): ("VALID", "OPEN", "resolved"),
    ("REOPENED", "decline"): ("DECLINED", "OPEN", "resolved"),
    ("REOPENED", "ask"): ("INCOMPLETE", "OPEN", "incomplete"),
    ("REOPENED", "close"): ("UNRESOLVED", "CLOSED", "closed"),
    ("DECLINED AGAIN", "close"): ("DECLINED", "CLOSED", "closed"),
}


class Life:
    """One inquiry and the steps that may be tried on it."""

    def __init__(self, world, **fields):
        self.world = world
        self.id = world.open(**fields)

    def decide(self, status, **fields):
        return self.world.brand.put("ActionInquiries", {
            "Id": self.id, "ResolutionStatus": status, **fields})

    def try_(self, step):
        partner = self.world.partner
        if step == "accept":
            return self.decide("VALID", ActionTrackerId=self.world.tracker)
        if step == "decline":
            return self.decide("DECLINED", RejectReason=REASON)
        if step == "ask":
            return self.decide("INCOMPLETE", ResolutionNotes="Which shop?")
        if step == "reply":
            return partner.post(f"ActionInquiries/{self.id}/Comments", {"Comment": "In Bonn"})
        if step == "reopen":
            return partner.post(f"ActionInquiries/{self.id}/Reopen", {"Comment": "Look again"})
        return partner.post(f"ActionInquiries/{self.id}/Close")

    def go(self, *steps):
        for step in steps:
            self.world.partner.ok(self.try_(step))
        return self

    def show(self, account=None):
        account = account or self.world.partner
        return account.ok(account.get(f"ActionInquiries/{self.id}"))


WAYS = {
    "UNRESOLVED": [], "VALID": ["accept"], "DECLINED": ["decline"], "INCOMPLETE": ["ask"],
    "REOPENED": ["decline", "reopen"], "DECLINED AGAIN": ["decline", "reopen", "decline"],
    "CLOSED UNRESOLVED": ["close"], "CLOSED VALID": ["accept", "close"],
    "CLOSED DECLINED": ["decline", "close"], "CLOSED INCOMPLETE": ["ask", "close"],
}


def types_at(receiver, count):
    return [json.loads(request.body)["EventType"] for request in receiver.wait(count)]


@pytest.mark.parametrize("stage", STAGES)
def test_every_step_from(world, receivers, stage):
    at_partner, at_brand = receivers(), receivers()
    for account, receiver in ((world.partner, at_partner), (world.brand, at_brand)):
        world.notify(account, receiver.url(), EventTypes=ALL_TYPES, Ordered=True)
    fired = 0
    for step in STEPS:
        life = Life(world).go(*WAYS[stage])
        fired += 1 + len(WAYS[stage])
        before = life.show()
        answer = life.try_(step)
        after = life.show()
        if (stage, step) in ALLOWED:
            assert answer.status_code == 200, (stage, step, answer.text)
            status, state, event = ALLOWED[stage, step]
            assert (after["ResolutionStatus"], after["State"]) == (status, state), (stage, step)
            fired += 1
            for receiver in (at_partner, at_brand):
                last = json.loads(receiver.wait(fired)[fired - 1].body)
                assert last["EventType"] == "action_inquiry." + event, (stage, step)
                assert last["InquiryId"] == life.id and last["State"] == state
                assert last["ResolutionStatus"] == status
        elif step == "reply":  # elsewhere a comment is a comment: nothing moves
            assert answer.status_code == 200, (stage, answer.text)
            assert after["Comments"][-1]["Comment"] == "In Bonn"
            assert {**after, "Comments": before["Comments"]} == before
        else:
            assert answer.status_code == 409, (stage, step, answer.status_code, answer.text)
            words = answer.json()["Message"]
            assert f"Inquiry {life.id} " in words and answer.json()["Errors"] == []
            assert ("CLOSED" if stage.startswith("CLOSED") else before["ResolutionStatus"]) \
                in words or "only once" in words, words
            assert after == before, (stage, step)
    last = Life(world)  # whatever a refused step had fired would have come before this one
    for receiver in (at_partner, at_brand):
        requests = receiver.wait(fired + 1)
        assert len(requests) == fired + 1
        assert json.loads(requests[fired].body)["InquiryId"] == last.id


def test_three_types_are_fired_unless_more_are_ticked(world, receivers):
    ticked, plain = receivers(), receivers()
    world.notify(world.partner, ticked.url(), EventTypes=ALL_TYPES, Ordered=True)
    made = world.notify(world.partner, plain.url(), Ordered=True)
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert shown["EventTypes"] == BY_DEFAULT
    Life(world).go("ask", "reply", "decline", "reopen", "accept", "close")
    wanted = ["opened", "incomplete", "replied", "resolved", "reopened", "resolved", "closed"]
    assert types_at(ticked, 7) == ["action_inquiry." + step for step in wanted]
    assert types_at(plain, 4) == ["action_inquiry." + step for step in
                                  ("opened", "resolved", "resolved", "closed")]


# ---- accepting ----

def test_an_accepted_inquiry_is_an_action_for_both(world, receivers):
    at_partner, at_brand = receivers(), receivers()
    for account, receiver in ((world.partner, at_partner), (world.brand, at_brand)):
        world.notify(account, receiver.url(), Category="Action Lifecycle Events")
    life = Life(world, OrderId="O-1", ExpectedPayout="6.50", TransactionAmount="89.90")
    world.brand.ok(life.decide("VALID", ActionTrackerId=world.tracker, FinalPayout="5.25",
                               TransactionAmount="80.00", PromoCode="TEN",
                               TransactionDate="2026-01-14T10:00:00+02:00",
                               ItemSku1="S1", ItemQuantity1="2", ItemSubtotal1="40.00",
                               ItemSku2="S2"))
    shown = life.show()
    assert shown["ActionId"] and shown["ResolutionDate"]
    assert shown["FinalPayout"] == "5.25" and shown["TransactionAmount"] == "80.00"
    for receiver in (at_partner, at_brand):
        action = json.loads(receiver.wait(1)[0].body)
        wanted = {
            "EventType": "action.tracked", "ActionId": shown["ActionId"], "Oid": "O-1",
            "CampaignId": world.campaign, "CampaignName": "Acme Autumn", "Amount": "80.00",
            "Payout": "5.25", "Currency": "EUR", "ActionTrackerId": world.tracker,
            "ActionTrackerName": "Online sale", "ReferringType": "ACTION_INQUIRY",
            "MediaPartnerName": "Cashback Corner", "PromoCode": "TEN"}
        assert {name: action[name] for name in wanted} == wanted
        assert action["EventDate"].startswith("2026-01-14T08:00:00")
        assert [item["Sku"] for item in action["Items"]] == ["S1", "S2"]
        assert action["Items"][0]["Quantity"] == "2"


def test_what_was_asked_is_granted_when_the_brand_says_nothing(world):
    life = Life(world, ExpectedPayout="6.50").go("accept")
    assert life.show()["FinalPayout"] == "6.50"


def test_what_a_decision_does_not_name_stays(world):
    life = Life(world, CustomerId="C1", TransactionAmount="89.90")
    before = life.show()
    world.brand.ok(life.decide("INCOMPLETE"))
    after = life.show()
    assert {name for name in after if after[name] != before[name]} == {"ResolutionStatus"}


@pytest.mark.parametrize("status, fields, wrong", [
    ("VALID", {}, ["ActionTrackerId"]),
    ("VALID", {"ActionTrackerId": "999999"}, ["ActionTrackerId"]),
    ("VALID", {"ActionTrackerId": "x", "TransactionAmount": "0", "FinalPayout": "-1",
               "TransactionDate": "2126-01-01", "ItemQuantity1": "none"},
     ["ActionTrackerId", "ItemQuantity1"]),
    ("VALID", {"ActionTrackerId": "1", "TransactionAmount": "0", "FinalPayout": "-1",
               "TransactionDate": "2126-01-01", "ItemSubtotal1": "1.005"},
     ["ActionTrackerId", "FinalPayout", "ItemSubtotal1", "TransactionAmount", "TransactionDate"]),
    ("DECLINED", {}, ["RejectReason"]),
    ("DECLINED", {"RejectReason": "Because"}, ["RejectReason"]),
    ("DECLINED", {"RejectReason": "Other", "FinalPayout": "3"}, ["FinalPayout"]),
    ("INCOMPLETE", {"RejectReason": "Other", "FinalPayout": "3"}, ["FinalPayout"]),
    ("UNRESOLVED", {}, ["ResolutionStatus"]),
    ("", {}, ["ResolutionStatus"]),
    ("MAYBE", {"Id": "", "Colour": "red"}, ["Colour", "Id", "ResolutionStatus"]),
    ("DECLINED", {"Id": "1.5", "RejectReason": "Other"}, ["Id"]),
])
def test_every_wrong_field_of_a_decision_is_named(world, status, fields, wrong):
    life = Life(world)
    before = life.show()
    answer = life.decide(status, **fields)
    assert answer.status_code == 400, answer.text
    assert sorted(error["Field"] for error in answer.json()["Errors"]) == wrong
    assert all(error["Message"] for error in answer.json()["Errors"])
    assert life.show() == before


@pytest.mark.parametrize("given, shown", [
    ("Another marketing channel was credited with sale",
     "Another marketing channel was credited with the sale"),
    ("Another marketing channel was credited with sale, due to a voucher/discount code used",
     "Another marketing channel was credited with the sale, due to a voucher/discount code used"),
] + [(reason, reason) for reason in (
    "This transaction has been tracked successfully",
    "Another marketing channel was credited with the sale",
    "Another marketing channel was credited with the sale, due to a voucher/discount code used",
    "Did not meet terms and conditions set by merchant",
    "Transaction not completed - Order cancelled, changed, or returned",
    "Transaction cannot be traced",
    "Transaction not fully completed online",
    "Enquiry does not provide complete information required for evaluation",
    "Other")])
def test_the_nine_reasons(world, given, shown):
    life = Life(world)
    world.brand.ok(life.decide("DECLINED", RejectReason=given))
    assert life.show()["RejectReason"] == shown


# ---- what each side sees ----

PARTNERS_OWN = {"MediaPartnerInquiryId", "CustomerId", "InquiryDate", "InquiryNotes"}
BRANDS_OWN = {"MediaPartnerId", "MediaPartnerName"}
# Shown of an inquiry, and in no event: how an account works at it.
WORK, BRANDS_WORK = {"AssigneeId", "Assignee"}, {"HeldStatus", "HeldUntilDate"}
OF_BOTH = {
    "Id", "CampaignId", "CampaignName", "OrderId", "TransactionDate", "TransactionAmount",
    "Currency", "InquiryType", "ExpectedPayout", "ResolutionDeadlineDate", "TrackingLink",
    "Comments", "ActionId", "ActionUri", "AutoApprovalDate", "ResolutionStatus", "RejectReason",
    "FinalPayout", "ResolutionDate", "CreationDate", "Uri", "State", "ClosedDate",
    "ResolutionNotes", "PromoCode"}


def test_the_fields_of_each_role(world):
    life = Life(world, MediaPartnerInquiryId="M77", CustomerId="C1", InquiryDate="2026-01-16",
                InquiryNotes="one\ntwo", ExpectedPayout="6.5", ResolutionDeadlineDate="2026-02-01",
                TrackingLink="https://shop.example/?a=b", TransactionDate="2026-01-15")
    partner, brand = life.show(), life.show(world.brand)
    assert set(partner) == OF_BOTH | PARTNERS_OWN | WORK
    assert set(brand) == OF_BOTH | BRANDS_OWN | WORK | BRANDS_WORK
    for name in OF_BOTH - {"Uri"}:
        assert partner[name] == brand[name], name
    wanted = {
        "MediaPartnerInquiryId": "M77", "CustomerId": "C1", "InquiryNotes": "one\ntwo",
        "ExpectedPayout": "6.50", "TrackingLink": "https://shop.example/?a=b",
        "TransactionDate": "2026-01-15T00:00:00+00:00",
        "InquiryDate": "2026-01-16T00:00:00+00:00",
        "ResolutionDeadlineDate": "2026-02-01T00:00:00+00:00",
        "ActionId": "", "ActionUri": "", "AutoApprovalDate": "", "RejectReason": "",
        "FinalPayout": "", "ResolutionDate": "", "ClosedDate": ""}
    assert [one["Comment"] for one in partner["Comments"]] == ["one\ntwo"]
    assert {name: partner[name] for name in wanted} == wanted
    assert brand["MediaPartnerId"] == world.partner.id
    assert brand["MediaPartnerName"] == "Cashback Corner"
    for account, shown in ((world.partner, partner), (world.brand, brand)):
        listed = account.ok(account.get("ActionInquiries", CampaignId=world.campaign))
        assert listed["ActionInquiries"] == [shown]
        assert all(isinstance(value, str) for name, value in shown.items() if name != "Comments")


def test_an_event_carries_every_field_and_what_the_api_does_not_show(world, receivers):
    at_partner, at_brand = receivers(), receivers()
    for account, receiver in ((world.partner, at_partner), (world.brand, at_brand)):
        world.notify(account, receiver.url())
    life = Life(world, MediaPartnerInquiryId="M77", CustomerId="C1", InquiryDate="2026-01-16",
                InquiryNotes="note")
    every = {"EventId", "EventType", "EventTime", "AccountSid", "InquiryId"} | BRANDS_OWN \
        | OF_BOTH - {"Id"}
    for account, receiver, own in ((world.partner, at_partner, PARTNERS_OWN),
                                   (world.brand, at_brand, set())):
        body = json.loads(receiver.wait(1)[0].body)
        assert set(body) == every | own
        shown = life.show(account)
        for name in set(shown) & set(body):
            assert body[name] == shown[name], name
        assert body["Uri"] == shown["Uri"] and body["InquiryId"] == life.id


def test_comments_of_both_sides_in_order_and_with_their_cap(world):
    life = Life(world)
    for account, text in ((world.brand, "first"), (world.partner, "second\nline"),
                          (world.brand, "drittens: ß")):
        account.ok(account.post(f"ActionInquiries/{life.id}/Comments", {"Comment": text}))
    comments = life.show()["Comments"]
    assert [one["Comment"] for one in comments] == ["first", "second\nline", "drittens: ß"]
    assert all(one["User"] and one["Date"] for one in comments)
    assert life.show(world.brand)["Comments"] == comments
    for body in ({}, {"Comment": ""}, {"Comment": "  "}, {"Comment": "x" * 4001},
                 {"Comment": "a\u0001b"}, {"Comment": ["a"]}, {"Comment": "a", "User": "me"}):
        answer = world.partner.post(f"ActionInquiries/{life.id}/Comments", body)
        assert answer.status_code == 400, body
        assert answer.json()["Errors"], body
    assert len(life.show()["Comments"]) == 3
    for _ in range(197):
        world.partner.ok(world.partner.post(f"ActionInquiries/{life.id}/Comments",
                                            {"Comment": "x" * 4000}))
    full = world.brand.post(f"ActionInquiries/{life.id}/Comments", {"Comment": "one more"})
    assert full.status_code == 409 and "200" in full.json()["Message"]
    world.partner.ok(world.partner.post(f"ActionInquiries/{life.id}/Close"))


def test_a_body_that_close_has_no_use_for(world):
    life = Life(world)
    answer = world.partner.call("POST", f"ActionInquiries/{life.id}/Close", data={"Comment": "bye"})
    assert answer.status_code == 200, answer.text
    assert life.show()["State"] == "CLOSED"


# ---- a second one about the same order ----

def test_a_second_open_one_is_refused_whatever_the_status_of_the_first(world):
    for way in ([], ["accept"], ["decline"], ["ask"]):
        life = Life(world, OrderId="TWICE").go(*way)
        second = world.partner.post("ActionInquiries", world.inquiry(OrderId="TWICE"))
        assert second.status_code == 409, (way, second.text)
        answer = second.json()
        assert answer["Status"] == "ERROR" and f"inquiry {life.id}." in answer["Message"]
        assert answer["Uri"] == life.show()["Uri"]
        assert world.partner.get(answer["Uri"]).status_code == 200
        life.go("close")


def test_the_same_order_elsewhere_is_no_second_one(world):
    Life(world, OrderId="SAME")
    elsewhere = world.add_campaign(world.brand, "Acme Winter")
    world.join(elsewhere, world.partner)
    Life(world, OrderId="SAME", CampaignId=elsewhere)
    Life(world, OrderId="SAME", InquiryType="DECLINED")
    Life(world, OrderId="same")
    other = world.account("PARTNER", "Other")
    world.join(world.campaign, other)
    assert other.post("ActionInquiries", world.inquiry(OrderId="SAME")).status_code == 200


# ---- history ----

def history(account, inquiry):
    return account.ok(account.get(f"ActionInquiries/{inquiry}/History"))["History"]


def test_the_history_keeps_each_decision_with_its_reason(world):
    """Also the first one, which a reopening takes from the inquiry itself."""
    inquiry = world.open(InquiryNotes="not in my report")
    decide = world.brand.put
    world.brand.ok(decide("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "INCOMPLETE",
                                              "ResolutionNotes": "Which shop?"}))
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "Lyon"}))
    world.brand.ok(decide("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": "Transaction cannot be traced",
        "ResolutionNotes": "no trace"}))
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Reopen", {"Comment": "The receipt"}))
    world.brand.ok(decide("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker,
        "FinalPayout": "4.00", "ResolutionNotes": "found"}))
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    for account in (world.partner, world.brand):
        told = history(account, inquiry)
        assert [(one["Step"], one["By"], one["RejectReason"], one["Text"], one["FinalPayout"])
                for one in told] == [
            ("OPENED", "PARTNER", "", "", ""), ("ASKED", "BRAND", "", "Which shop?", ""),
            ("REPLIED", "PARTNER", "", "Lyon", ""),
            ("DECLINED", "BRAND", "Transaction cannot be traced", "no trace", ""),
            ("REOPENED", "PARTNER", "", "The receipt", ""), ("ACCEPTED", "BRAND", "", "found", "4.00"),
            ("CLOSED", "PARTNER", "", "", "")]
        assert all(one["Date"] and one["User"] for one in told)


def test_a_rules_decision_is_told_as_its_own(world):
    rule = world.brand.ok(world.brand.post("ApprovalRules", {
        "CampaignId": world.campaign, "ActionTrackerId": world.tracker, "Approve": "IMMEDIATELY"}))["Id"]
    inquiry = world.open(ExpectedPayout="1.00")
    assert [(one["Step"], one["By"]) for one in history(world.brand, inquiry)] == [
        ("OPENED", "PARTNER"), ("ACCEPTED", "RULE")]
    assert rule in history(world.brand, inquiry)[1]["User"]
