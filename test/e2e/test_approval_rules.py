"""A brand's approval rules: at once, after days, after the month's end, and their limits."""

import datetime
import json

import pytest

from harness.server import await_until


def rule(world, **fields):
    answer = world.brand.ok(world.brand.post("ApprovalRules", {
        "CampaignId": world.campaign, "ActionTrackerId": world.tracker,
        "Approve": "IMMEDIATELY", **fields}))
    assert answer["Uri"] == f"{world.brand.prefix}/ApprovalRules/{answer['Id']}"
    return answer


def rules(world):
    return world.brand.ok(world.brand.get("ApprovalRules"))["ApprovalRules"]


def show(world, inquiry):
    return world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))


def status(world, inquiry):
    return show(world, inquiry)["ResolutionStatus"]


def day(text):
    return datetime.datetime.fromisoformat(text)


def test_a_rule_approves_at_once_and_fires_all_its_events(world, receivers):
    inquiries, actions = receivers(), receivers()
    world.notify(world.partner, inquiries.url(), Ordered=True)
    world.notify(world.partner, actions.url(), Category="Action Lifecycle Events")
    made = rule(world)
    assert rules(world) == [{**rules(world)[0], **{
        "Id": made["Id"], "CampaignId": world.campaign, "ActionTrackerId": world.tracker,
        "ActionTrackerName": "Online sale", "Approve": "IMMEDIATELY", "Days": "0",
        "PartnerSid": "", "PayoutUnder": "", "TotalUnder": "", "Currency": "EUR"}}]
    inquiry = world.open(ExpectedPayout="6.50", OrderId="O-1")
    shown = show(world, inquiry)
    assert shown["ResolutionStatus"] == "VALID" and shown["FinalPayout"] == "6.50"
    assert shown["ActionId"] and shown["AutoApprovalDate"] and shown["ResolutionDate"]
    assert [json.loads(request.body)["EventType"] for request in inquiries.wait(2)] == [
        "action_inquiry.opened", "action_inquiry.resolved"]
    action = json.loads(actions.wait(1)[0].body)
    assert (action["EventType"], action["Oid"]) == ("action.tracked", "O-1")
    entry = world.operator.ok(world.operator.get("Audit", AccountSid=world.brand.sid))["Entries"]
    assert f"approval rule {made['Id']}" in [one["Actor"] for one in entry]


def test_after_days_the_clock_approves(world, receiver):
    world.notify(world.brand, receiver.url(), Ordered=True)
    rule(world, Approve="AFTER_DAYS", Days="0")
    due = world.open()
    shown = show(world, due)
    assert shown["ResolutionStatus"] == "UNRESOLVED"
    assert abs((day(shown["AutoApprovalDate"]) - day(shown["CreationDate"])).total_seconds()) < 1
    declined, incomplete, closed = (world.open() for _ in range(3))
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": declined, "ResolutionStatus": "DECLINED", "RejectReason": "Other"}))
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": incomplete, "ResolutionStatus": "INCOMPLETE"}))
    world.partner.ok(world.partner.post(f"ActionInquiries/{closed}/Close"))
    await_until(lambda: status(world, due) == "VALID", "the rule approved", 30)
    assert show(world, due)["ActionId"]
    bodies = [json.loads(request.body) for request in receiver.wait(7)]
    resolved = [body["InquiryId"] for body in bodies
                if body["EventType"] == "action_inquiry.resolved"]
    assert sorted(resolved) == sorted([due, declined])
    # What a person had decided, or closed, is not approved by the same look of the clock.
    assert [status(world, one) for one in (declined, incomplete, closed)] == [
        "DECLINED", "INCOMPLETE", "UNRESOLVED"]
    assert show(world, declined)["AutoApprovalDate"] == ""


@pytest.mark.parametrize("days", [1, 30, 365])
def test_the_date_of_approval_in_days(world, days):
    rule(world, Approve="AFTER_DAYS", Days=days)
    shown = show(world, world.open())
    apart = day(shown["AutoApprovalDate"]) - day(shown["CreationDate"])
    assert abs(apart - datetime.timedelta(days=days)) < datetime.timedelta(seconds=1)
    assert shown["ResolutionStatus"] == "UNRESOLVED"


def test_the_date_of_approval_after_the_month(world):
    rule(world, Approve="AFTER_END_OF_MONTH", Days="5")
    shown = show(world, world.open())
    made = day(shown["CreationDate"])
    month = (made.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    approved = day(shown["AutoApprovalDate"])
    assert datetime.timedelta(days=4) < approved - datetime.datetime(
        month.year, month.month, 1, tzinfo=datetime.timezone.utc) <= datetime.timedelta(days=5)


def test_limits_of_the_payout_and_of_the_sum(world):
    rule(world, PayoutUnder="10", TotalUnder="25")
    assert status(world, world.open(ExpectedPayout="9.99")) == "VALID"
    assert status(world, world.open(ExpectedPayout="10.00")) == "UNRESOLVED"
    assert status(world, world.open()) == "UNRESOLVED"  # no payout asked: nothing to compare
    assert status(world, world.open(ExpectedPayout="9.99")) == "VALID"
    assert status(world, world.open(ExpectedPayout="5.02")) == "UNRESOLVED"  # 25.00 in all
    assert status(world, world.open(ExpectedPayout="5.01")) == "VALID"
    assert status(world, world.open(ExpectedPayout="1", Currency="USD")) == "UNRESOLVED"


def test_a_partners_own_rule_goes_before_that_of_all(world):
    other = world.account("PARTNER", "Other")
    world.join(world.campaign, other)
    rule(world, Approve="AFTER_DAYS", Days="7")
    rule(world, PartnerSid=world.partner.sid)
    assert status(world, world.open()) == "VALID"
    made = other.ok(other.post("ActionInquiries", world.inquiry()))
    shown = other.ok(other.get(made["Uri"]))
    assert shown["ResolutionStatus"] == "UNRESOLVED" and shown["AutoApprovalDate"]


def test_another_campaigns_rule_does_nothing_here(world):
    elsewhere = world.add_campaign(world.brand, "Elsewhere")
    tracker = world.operator.ok(world.operator.post(f"Campaigns/{elsewhere}/Trackers",
                                                    {"Name": "Sale"}))["Id"]
    rule(world, CampaignId=elsewhere, ActionTrackerId=tracker)
    shown = show(world, world.open())
    assert shown["ResolutionStatus"] == "UNRESOLVED" and shown["AutoApprovalDate"] == ""


def test_a_rule_taken_away_approves_no_more(world):
    made = rule(world)
    world.brand.ok(world.brand.delete(made["Uri"]))
    assert rules(world) == []
    assert status(world, world.open()) == "UNRESOLVED"
    assert world.brand.delete(made["Uri"]).status_code == 404


def test_a_deleted_rules_waiting_inquiries_are_left_to_the_brand(world):
    """Due together with another rule's, which shows that the clock has looked."""
    made = rule(world, Approve="AFTER_DAYS", Days="0", PayoutUnder="5")
    left = world.open(ExpectedPayout="1")
    world.brand.ok(world.brand.delete(made["Uri"]))
    rule(world, Approve="AFTER_DAYS", Days="0")
    later = world.open()
    await_until(lambda: status(world, later) == "VALID", "the other rule approved", 30)
    assert status(world, left) == "UNRESOLVED"
    assert show(world, left)["AutoApprovalDate"] == ""


@pytest.mark.parametrize("fields, wrong", [
    ({"CampaignId": ""}, ["CampaignId"]),
    ({"Approve": ""}, ["Approve"]),
    ({"CampaignId": "999999", "Approve": "", "PayoutUnder": "x", "Days": "-1"},
     ["Approve", "CampaignId", "Days", "PayoutUnder"]),
    ({"CampaignId": "999999"}, ["CampaignId"]),
    ({"ActionTrackerId": "999999"}, ["ActionTrackerId"]),
    ({"PartnerSid": "nobody"}, ["PartnerSid"]),
    ({"PayoutUnder": "0", "TotalUnder": "-5"}, ["PayoutUnder", "TotalUnder"]),
    ({"PayoutUnder": "1.005"}, ["PayoutUnder"]),
    ({"Approve": "SOMETIMES", "Days": "x", "Colour": "red"}, ["Approve", "Colour", "Days"]),
    ({"Approve": "AFTER_DAYS"}, ["Days"]),
    ({"Approve": "AFTER_DAYS", "Days": "366"}, ["Days"]),
    ({"Approve": "IMMEDIATELY", "Days": "3"}, ["Days"]),
])
def test_wrong_rules_are_refused_by_field(world, fields, wrong):
    answer = world.brand.post("ApprovalRules", {
        "CampaignId": world.campaign, "ActionTrackerId": world.tracker, "Approve": "IMMEDIATELY",
        **fields})
    assert answer.status_code == 400, answer.text
    assert sorted(error["Field"] for error in answer.json()["Errors"]) == wrong
    assert rules(world) == []


def test_a_rule_is_for_the_brands_own_campaign_and_its_members(world):
    stranger = world.account("BRAND", "Stranger")
    answer = stranger.post("ApprovalRules", {"CampaignId": world.campaign,
                                             "ActionTrackerId": world.tracker,
                                             "Approve": "IMMEDIATELY"})
    assert [error["Field"] for error in answer.json()["Errors"]] == ["CampaignId"]
    outsider = world.account("PARTNER", "Outsider")
    answer = world.brand.post("ApprovalRules", {
        "CampaignId": world.campaign, "ActionTrackerId": world.tracker,
        "Approve": "IMMEDIATELY", "PartnerSid": outsider.sid})
    assert [error["Field"] for error in answer.json()["Errors"]] == ["PartnerSid"]
    made = rule(world)
    assert stranger.delete(f"ApprovalRules/{made['Id']}").status_code == 404
    assert len(rules(world)) == 1
