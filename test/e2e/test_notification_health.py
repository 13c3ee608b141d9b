"""Why an event notification fails and since when: its health, the filters of the list, the counts
beside the menu."""

import pytest

from harness.receiver import Receiver, answers
from harness.server import await_until


def send(world, count=1):
    for _ in range(count):
        world.orders += 1
        response = world.partner.post("/Events", {
            "Type": "action.tracked", "AccountSids": [world.partner.sid],
            "Data": {"ActionId": str(world.orders)}})
        assert response.status_code == 202, response.text


def notify(world, url, **settings):
    return world.notify(world.partner, url, Category="Action Lifecycle Events", **settings)


def health(world, notification):
    return world.partner.ok(world.partner.get(f"{notification['Uri']}/Health"))


def listed(world, **query):
    return [one["Id"] for one in world.partner.ok(world.partner.get(
        "EventNotifications", **query))["EventNotifications"]]


def test_the_last_hour_tells_outcomes_rate_and_latencies(world, receiver):
    notification = notify(world, receiver.url())
    fresh = health(world, notification)
    assert fresh["LastHour"] == {"Attempts": "0", "Failed": "0", "ErrorPercentage": "",
                                 "LatencyP50": "", "LatencyP99": "", "Outcomes": []}
    for name in ("LastError", "LastErrorText", "LastErrorDate", "FailingSinceDate",
                 "DownSinceDate", "NextProbeDate"):
        assert fresh[name] == ""
    send(world, 3)
    world.await_state(world.partner, "DELIVERED", 3)
    shown = health(world, notification)["LastHour"]
    assert (shown["Attempts"], shown["Failed"], shown["ErrorPercentage"]) == ("3", "0", "0.0")
    assert shown["Outcomes"] == [{"Status": "200", "Error": "", "Attempts": "3"}]
    assert 0 < float(shown["LatencyP50"]) <= float(shown["LatencyP99"])


def test_one_that_fails_says_why_and_since_when(world):
    with Receiver(answers(503)) as broken:
        notification = notify(world, broken.url())
        send(world)
        failing = await_until(lambda: (lambda shown: shown if shown["DownSinceDate"] else None)(
            health(world, notification)) or (send(world) and None), "it is down")
    assert (failing["LastError"], failing["LastErrorText"]) == (
        "status 503", "the receiver answered 503")
    assert failing["LastErrorDate"] and failing["NextProbeDate"] >= failing["DownSinceDate"]
    hour = failing["LastHour"]
    assert hour["ErrorPercentage"] == "100.0" and hour["Attempts"] == hour["Failed"]
    assert hour["Outcomes"][0]["Status"] == "503"
    said = await_until(lambda: (lambda shown: shown if shown["Failing"] == "true" else None)(
        health(world, notification)), "it is called failing")
    assert said["FailingSinceDate"]
    # Nobody is there any more: another reason.
    world.partner.ok(world.partner.put(notification["Uri"], {"Name": "Another name"}))
    refused = await_until(lambda: (lambda shown: shown if shown["LastError"].startswith(
        "connect") else None)(health(world, notification)), "nobody listens", 60)
    assert refused["LastErrorText"].startswith("the receiver could not be reached (")
    assert any(one["Error"] == "connect" for one in refused["LastHour"]["Outcomes"])


def test_the_list_is_searched_and_only_failing_ones_are_listed(world, receiver):
    with Receiver(answers(410)) as gone:
        good = notify(world, receiver.url("/Orders"), Name="Shop floor")
        other = notify(world, receiver.url("/other"), Name="Büro")
        held = notify(world, gone.url("/orders"), Name="Warehouse")
        send(world)
        await_until(lambda: health(world, held)["State"] == "HELD", "it is held")
    assert listed(world) == [good["Id"], other["Id"], held["Id"]]
    assert listed(world, Failing="true") == [held["Id"]]
    assert listed(world, Failing="false", Search="") == listed(world)
    assert listed(world, Search="oRDERS") == [good["Id"], held["Id"]]
    assert listed(world, Search="floor") == [good["Id"]]
    assert listed(world, Search="Büro") == [other["Id"]]
    assert listed(world, Search="orders", Failing="true") == [held["Id"]]
    assert listed(world, Search="%") == listed(world, Search="nowhere") == []
    page = world.partner.ok(world.partner.get("EventNotifications", Search="orders", PageSize="1"))
    assert page["@total"] == "2"
    for query in ({"Failing": "perhaps"}, {"Search": "x" * 201}):
        assert world.partner.get("EventNotifications", **query).status_code == 400
    counts = world.partner.ok(world.partner.get("Counts"))
    assert counts["FailingNotifications"] == "1"
    world.partner.ok(world.partner.delete(held["Uri"]))
    assert world.partner.ok(world.partner.get("Counts"))["FailingNotifications"] == "0"
    assert listed(world, Failing="true") == []


@pytest.mark.parametrize("role", ["partner", "brand"])
def test_pending_inquiries_and_unread_notices_are_counted(world, role):
    account = getattr(world, role)
    assert account.ok(account.get("Counts")) == {
        "FailingNotifications": "0", "PendingInquiries": "0", "UnreadNotices": "0"}
    first = world.open()
    world.open()
    assert account.ok(account.get("Counts"))["PendingInquiries"] == "2"
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": first, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    assert account.ok(account.get("Counts"))["PendingInquiries"] == "1"
