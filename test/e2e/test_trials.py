"""Settings tried before they are saved: really sent, on a sample or on an event of the account."""

import json

import pytest

from harness.receiver import answers
from harness.server import await_until


def settings(receiver, **more):
    return {"Category": "Action Inquiry Events", "Method": "POST", "Url": receiver.url("/new"), **more}


def refused(response):
    assert response.status_code == 400, response.text
    return {error["Field"] for error in response.json()["Errors"]}


def events(account, **query):
    return account.ok(account.get("Events", **query))["Events"]


def test_settings_of_a_new_one_are_tried_and_nothing_is_saved(world, receiver):
    tested = world.partner.ok(world.partner.post("EventNotifications/Test", settings(
        receiver, BodyFormat="FORM", BodyTemplate="order={OrderId}",
        EventType="action_inquiry.closed", Data={"OrderId": "A/1"})))
    request = receiver.wait(1)[0]
    assert (request.method, request.target, request.body) == ("POST", "/new", b"order=A%2F1")
    assert request.header("webhook-signature").startswith("v1,")
    assert tested["Verdict"] == "delivered" and tested["Response"]["Status"] == "200"
    assert tested["Request"]["Url"] == receiver.url("/new")
    assert world.partner.ok(world.partner.get("EventNotifications"))["EventNotifications"] == []
    assert world.postbacks(world.partner) == []


def test_unsaved_settings_stand_in_place_of_the_saved_ones(world, receiver):
    made = world.notify(world.partner, receiver.url("/saved"), BodyFormat="TEXT",
                        BodyTemplate="saved {OrderId}")
    world.partner.ok(world.partner.post(made["Uri"] + "/Test", {
        "Url": receiver.url("/tried"), "Method": "PUT", "EventType": "action_inquiry.opened"}))
    world.partner.ok(world.partner.post(made["Uri"] + "/Test"))
    tried, saved = receiver.wait(2)
    assert (tried.method, tried.target) == ("PUT", "/tried") and tried.body.startswith(b"saved ")
    assert (saved.method, saved.target) == ("POST", "/saved")
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert (shown["Url"], shown["Method"], shown["Revision"]) == (receiver.url("/saved"), "POST", "1")


def test_credentials_go_only_where_they_were_set_for(world, receivers):
    right, stranger = receivers(), receivers()
    made = world.notify(world.partner, right.url("/in"))
    world.operator.ok(world.operator.put(f"Notifications/{made['Id']}/Headers", {
        "CustomHeaders": [{"Name": "X-Api-Key", "Value": "k-5521"}]}))
    for url in (right.url("/other"), stranger.url("/in")):
        world.partner.ok(world.partner.post(made["Uri"] + "/Test", {"Url": url}))
    world.partner.ok(world.partner.post("EventNotifications/Test", settings(right)))
    first, new = right.wait(2)
    assert first.header("X-Api-Key") == "k-5521" and new.header("X-Api-Key") is None
    assert stranger.wait(1)[0].header("X-Api-Key") is None


def test_an_event_of_the_account_is_sent_as_it_came(world, receiver):
    inquiry = world.open()
    mine = await_until(lambda: events(world.partner), "its event")
    assert [(one["EventType"], one["InquiryId"]) for one in mine] == [
        ("action_inquiry.opened", inquiry)]
    made = world.notify(world.partner, receiver.url("/in"))
    for path in (made["Uri"] + "/Test", "EventNotifications/Test"):
        world.partner.ok(world.partner.post(path, settings(receiver, EventId=mine[0]["Id"])))
    for request in receiver.wait(2):
        assert json.loads(request.body)["InquiryId"] == inquiry
    preview = world.partner.ok(world.partner.post("EventNotifications/Preview", settings(
        receiver, EventId=mine[0]["Id"])))["Request"]
    assert json.loads(preview["Body"])["InquiryId"] == inquiry
    theirs = events(world.brand)
    assert theirs and not {one["Id"] for one in theirs} & {one["Id"] for one in mine}
    for wrong in (theirs[0]["Id"], "1", "x", 7, ["1"]):
        assert refused(world.partner.post("EventNotifications/Test", settings(
            receiver, EventId=wrong))) == {"EventId"}
    for beside in ({"EventType": "action_inquiry.opened"}, {"Data": {"OrderId": "1"}}):
        assert refused(world.partner.post("EventNotifications/Preview", settings(
            receiver, EventId=mine[0]["Id"], **beside))) == {"EventId"}
    assert len(receiver.requests) == 2


def test_the_latest_events_are_listed_a_page_at_a_time(world):
    ids = [world.open() for _ in range(3)]
    await_until(lambda: len(events(world.partner)) == 3, "three events")
    first = world.partner.ok(world.partner.get("Events", PageSize="2"))
    assert [one["InquiryId"] for one in first["Events"]] == ids[:0:-1]
    rest = world.partner.ok(world.partner.get("Events", PageSize="2",
                                              Before=first["Events"][-1]["Id"]))
    assert [one["InquiryId"] for one in rest["Events"]] == ids[:1]
    assert first["@nextpageuri"] and rest["@nextpageuri"] == ""
    assert events(world.partner, EventType="action_inquiry.closed") == []
    assert len(events(world.partner, EventType="action_inquiry.opened")) == 3
    for query in ({"EventType": "no.such"}, {"PageSize": "201"}, {"Before": "x"}, {"Page": "1"}):
        assert world.partner.get("Events", **query).status_code == 400


@pytest.mark.parametrize("wrong,field", [
    ({"Url": "ftp://example.com/"}, "Url"), ({"Method": "DELETE"}, "Method"),
    ({"BodyTemplate": "{Nope}"}, "BodyTemplate"), ({"Colour": "red"}, "Colour"),
    ({"EventType": "no.such"}, "EventType"), ({"Category": "Nothing"}, "Category"),
])
def test_wrong_settings_are_named_and_not_sent(world, receiver, wrong, field):
    made = world.notify(world.partner, receiver.url())
    for path in ("EventNotifications/Test", made["Uri"] + "/Test"):
        assert field in refused(world.partner.post(path, settings(receiver, **wrong)))
    assert receiver.requests == []


def test_a_trial_counts_as_a_test(world, receivers):
    receiver = receivers(answers(204))
    sent = 0
    while sent < 1000:  # 30 in a minute, and each minute begins anew
        answer = world.partner.post("EventNotifications/Test", settings(receiver))
        if answer.status_code == 429:
            break
        world.partner.ok(answer)
        sent += 1
    assert answer.headers["Retry-After"] and 30 <= sent < 1000
    assert len(receiver.requests) == sent
