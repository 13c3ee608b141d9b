"""Replays: a range of time sent once more, as a job with progress."""

import json

import pytest

from harness.receiver import answers
from harness.server import Server, World, await_until

LONG_AGO = "2020-06-01"


def send(world, count=1, kind="action.tracked", account=None):
    """Gives the ids of the actions."""
    account = account or world.partner
    ids = []
    for _ in range(count):
        world.orders += 1
        ids.append(str(world.orders))
        response = account.post("/Events", {"Type": kind, "AccountSids": [account.sid],
                                            "Data": {"ActionId": ids[-1]}})
        assert response.status_code == 202, response.text
    return ids


def lifecycle(world, url, **settings):
    return world.notify(world.partner, url, Category="Action Lifecycle Events", **settings)


def replay(world, notification, **fields):
    made = world.partner.ok(world.partner.post(
        f"{notification['Uri']}/Replays", {"StartDate": LONG_AGO, **fields}))
    assert made["Status"] == "OK" and made["Uri"] == f"{notification['Uri']}/Replays/{made['Id']}"
    return made["Uri"]


def ended(world, uri, state="DONE", timeout=20.0):
    return await_until(lambda: (lambda shown: shown if shown["State"] != "RUNNING" else None)(
        world.partner.ok(world.partner.get(uri))), f"{uri} is {state}", timeout)


def action_ids(requests):
    return sorted((json.loads(request.body)["ActionId"] for request in requests), key=int)


def test_a_range_is_sent_once_more(world, receiver):
    notification = lifecycle(world, receiver.url())
    actions = send(world, 5)
    first = world.await_state(world.partner, "DELIVERED", 5)
    uri = replay(world, notification)
    shown = ended(world, uri)
    assert (shown["State"], shown["Total"], shown["Done"], shown["Sent"]) == ("DONE", "5", "5", "5")
    assert shown["Uri"] == uri and shown["NotificationId"] == shown["From"] == notification["Id"]
    assert shown["FinishedDate"] >= shown["CreationDate"] > LONG_AGO
    requests = receiver.wait(10)
    assert action_ids(requests[:5]) == action_ids(requests[5:]) == actions
    assert len({request.header("webhook-id") for request in requests}) == 10
    again = [one for one in world.await_state(world.partner, "DELIVERED", 10) if one["ReplayId"]]
    assert {one["ReplayId"] for one in again} == {shown["Id"]} and len(again) == 5
    assert {one["ResentFrom"] for one in again} == {one["Id"] for one in first}
    assert {one["EventId"] for one in again} == {one["EventId"] for one in first}
    health = world.partner.ok(world.partner.get(notification["Uri"] + "/Health"))
    assert (health["Pending"], health["Delivered"]) == ("0", "10")


def test_each_event_once_however_often_it_was_sent(world, receiver):
    notification = lifecycle(world, receiver.url())
    send(world, 2)
    world.await_state(world.partner, "DELIVERED", 2)
    assert ended(world, replay(world, notification))["Sent"] == "2"
    world.await_state(world.partner, "DELIVERED", 4)
    shown = ended(world, replay(world, notification))
    assert (shown["Total"], shown["Done"], shown["Sent"]) == ("4", "4", "2")
    receiver.wait(6)
    world.await_state(world.partner, "DELIVERED", 6)


def test_only_the_range_types_and_state_asked_for(world, receivers):
    old, new = receivers(), receivers()
    source = lifecycle(world, old.url())
    send(world, 2)
    modified = send(world, 2, "action.modified")
    world.await_state(world.partner, "DELIVERED", 4)
    world.partner.ok(world.partner.post(source["Uri"] + "/Pause"))
    send(world, 2)
    waiting = world.await_state(world.partner, "WAITING", 2)
    world.partner.ok(world.partner.post(waiting[0]["Uri"] + "/Cancel"))

    def total(receiver=new, **fields):
        to = lifecycle(world, receiver.url())
        return ended(world, replay(world, to, From=source["Id"], **fields))["Total"]
    assert total() == total(State="ALL") == "6"
    assert total(State="DELIVERED") == "4"
    assert total(State="WAITING") == total(State="CANCELLED") == "1"
    assert total(EndDate="2021-01-01") == "0"
    assert total(Types="action.tracked") == "4"
    new.wait(6 + 6 + 4 + 1 + 1 + 4)
    last = receivers()
    assert total(last, Types=["action.modified"], State="DELIVERED") == "2"
    assert sorted(action_ids(last.wait(2))) == modified


def test_only_what_the_notification_wants(world, receivers):
    old, new = receivers(), receivers()
    source = lifecycle(world, old.url())
    wanted = send(world, 2, "action.modified")
    send(world, 3)
    world.await_state(world.partner, "DELIVERED", 5)
    to = lifecycle(world, new.url(), EventTypes="action.modified")
    assert ended(world, replay(world, to, From=source["Id"]))["Sent"] == "2"
    assert action_ids(new.wait(2)) == wanted


def test_all_events_of_the_account_to_a_new_notification(world, receivers):
    actions = send(world, 4)                    # nobody wanted them
    send(world, 2, account=world.brand)         # another account's
    world.open()                                # another category
    late = receivers()
    notification = lifecycle(world, late.url())
    shown = ended(world, replay(world, notification, From="ALL"))
    assert (shown["From"], shown["Total"], shown["Sent"]) == ("ALL", "4", "4")
    assert action_ids(late.wait(4)) == actions
    one = world.await_state(world.partner, "DELIVERED", 4)[0]
    assert one["ReplayId"] == shown["Id"] and one["ResentFrom"] == ""
    shown = ended(world, replay(world, notification, From="ALL"))
    assert shown["Sent"] == "4", "another replay sends them again"


def test_cancel_ends_it(world, receivers):
    old, new = receivers(), receivers()
    source = lifecycle(world, old.url())
    send(world, 3)
    world.await_state(world.partner, "DELIVERED", 3)
    to = lifecycle(world, new.url())
    world.partner.ok(world.partner.post(to["Uri"] + "/Pause"))
    uri = replay(world, to, From=source["Id"])
    await_until(lambda: world.partner.ok(world.partner.get(uri))["Total"] == "3", "counted")
    refused = world.partner.post(to["Uri"] + "/Replays", {"StartDate": LONG_AGO})
    assert refused.status_code == 409, "one at a time"
    world.partner.ok(world.partner.post(uri + "/Cancel"))
    assert world.partner.post(uri + "/Cancel").status_code == 409
    shown = world.partner.ok(world.partner.get(uri))
    assert (shown["State"], shown["Sent"]) == ("CANCELLED", "0") and shown["FinishedDate"]
    world.partner.ok(world.partner.post(to["Uri"] + "/Resume"))
    second = replay(world, to, From=source["Id"])
    ended(world, second)
    new.wait(3)
    listed = world.partner.ok(world.partner.get(to["Uri"] + "/Replays"))["Replays"]
    assert [one["Uri"] for one in listed] == [second, uri]
    page = world.partner.ok(world.partner.get(to["Uri"] + "/Replays", PageSize="1"))
    assert [one["Uri"] for one in page["Replays"]] == [second]
    assert world.partner.ok(world.partner.get(page["@nextpageuri"]))["Replays"][0]["Uri"] == uri
    actions = {row["Action"] for row in world.operator.ok(world.operator.get("Audit"))["Entries"]
               if row["AccountSid"] == world.partner.sid}
    assert {"replay.create", "replay.cancel"} <= actions


def test_a_deleted_notification_ends_its_replay(world, receivers):
    source = lifecycle(world, receivers().url())
    send(world, 1)
    world.await_state(world.partner, "DELIVERED")
    to = lifecycle(world, receivers().url())
    world.partner.ok(world.partner.post(to["Uri"] + "/Pause"))
    uri = replay(world, to, From=source["Id"])
    world.partner.ok(world.partner.delete(to["Uri"]))
    assert ended(world, uri)["State"] == "CANCELLED"
    assert world.partner.post(to["Uri"] + "/Replays", {"StartDate": LONG_AGO}).status_code == 404


def test_wrong_requests_are_refused_with_every_field(world, receiver):
    notification = lifecycle(world, receiver.url())

    def fields(**body):
        response = world.partner.post(notification["Uri"] + "/Replays", body)
        assert response.status_code == 400, response.text
        return {error["Field"] for error in response.json()["Errors"]}
    assert fields() == {"StartDate"}
    assert fields(StartDate="now", EndDate="then", Types=["x"], State="y", From="z", Colour="red") == {
        "StartDate", "EndDate", "Types", "State", "From", "Colour"}
    assert fields(StartDate="2200-01-01") == {"StartDate"}
    assert fields(StartDate="2026-01-02", EndDate="2026-01-01") == {"EndDate"}
    assert fields(StartDate=LONG_AGO, State="WAITING") == {"State"}, "they go out anyway"
    assert fields(StartDate=LONG_AGO, State="DELIVERED", From="ALL") == {"State"}
    assert fields(StartDate=LONG_AGO, From="999999") == {"From"}
    assert fields(StartDate=LONG_AGO, Types=["action_inquiry.opened"]) == {"Types"}


def test_anothers_is_not_there(world, receiver):
    notification = lifecycle(world, receiver.url())
    other = world.notify(world.brand, receiver.url(), Category="Action Lifecycle Events")["Id"]
    uri = replay(world, notification)
    ended(world, uri)
    brand = world.brand
    path = f"EventNotifications/{notification['Id']}/Replays"
    number = uri.rsplit("/", 1)[1]
    assert brand.post(path, {"StartDate": LONG_AGO}).status_code == 404
    for place in (path, f"{path}/{number}", f"EventNotifications/{other}/Replays/{number}", uri):
        assert brand.get(place).status_code == 404, place
    for place in (f"{path}/{number}", f"EventNotifications/{other}/Replays/{number}", uri):
        assert brand.post(place + "/Cancel").status_code == 404, place
    refused = brand.post(f"EventNotifications/{other}/Replays",
                         {"StartDate": LONG_AGO, "From": notification["Id"]})
    assert refused.status_code == 400, "another's postbacks"
    assert world.partner.get(f"{path}/x").status_code == 404


def test_fresh_postbacks_are_not_crowded_out(world, receivers):
    at = receivers()
    notification = lifecycle(world, at.url())
    send(world, 200)
    world.await_state(world.partner, "DELIVERED", 200, PageSize="1000")
    world.partner.ok(world.partner.put(notification["Uri"], {"MaximumRequests": "10"}))
    uri = replay(world, notification)
    at.wait(203)
    fresh = send(world, 1)[0]
    requests = at.wait(204)
    await_until(lambda: any(json.loads(one.body)["ActionId"] == fresh for one in at.requests),
                "the fresh one has come", 10)
    behind = [json.loads(one.body)["ActionId"] for one in at.requests].index(fresh) - len(requests)
    assert behind <= 40, f"{behind} others went before it"
    assert world.partner.ok(world.partner.get(uri))["State"] == "RUNNING"
    world.partner.ok(world.partner.put(notification["Uri"], {"MaximumRequests": "0"}))
    assert ended(world, uri)["Sent"] == "200"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_it_goes_on_after_a_restart(receivers, how):
    with Server() as server:
        world = World(server)
        old, new = receivers(), receivers()
        source = lifecycle(world, old.url())
        actions = send(world, 120)
        world.await_state(world.partner, "DELIVERED", 120, PageSize="1000")
        to = lifecycle(world, new.url(), MaximumRequests="20")
        uri = replay(world, to, From=source["Id"])
        new.wait(10)
        if how == "stop":
            assert server.stop() == 0, server.log()
        else:
            server.kill()
        assert len(new.requests) < 120
        server.start()
        world.moved()
        world.partner.ok(world.partner.put(to["Uri"], {"MaximumRequests": "0"}))
        shown = ended(world, uri)
        assert (shown["Total"], shown["Done"], shown["Sent"]) == ("120", "120", "120")
        await_until(lambda: {json.loads(one.body)["ActionId"] for one in new.requests} ==
                    set(actions), "every event has come")
        again = world.await_state(world.partner, "DELIVERED", 120, NotificationId=to["Id"],
                                  PageSize="1000")
        assert len({one["EventId"] for one in again}) == len(again) == 120
        assert server.stop() == 0, server.log()


def test_a_destination_that_is_down_is_waited_for(world, receivers):
    old, new = receivers(), receivers()
    source = lifecycle(world, old.url())
    actions = send(world, 40)
    world.await_state(world.partner, "DELIVERED", 40)
    port = new.port
    new.close()
    to = lifecycle(world, f"http://127.0.0.1:{port}/")
    uri = replay(world, to, From=source["Id"])
    world.await_state(world.partner, "WAITING", 1, NotificationId=to["Id"])
    await_until(lambda: any(one["LastError"] for one in
                            world.postbacks(world.partner, NotificationId=to["Id"])), "refused")
    back = receivers(answers(200), port=port)
    ended(world, uri, timeout=40)
    back.wait(40, timeout=40)
    await_until(lambda: action_ids(back.requests) == actions, "each of them once")


def count(world, notification, **fields):
    """As the pages count: on and on until the end."""
    total, after = 0, ""
    while True:
        answer = world.partner.ok(world.partner.post(f"{notification['Uri']}/Replays/Count", {
            "StartDate": LONG_AGO, "Next": after, **fields}))
        total, after = total + int(answer["Count"]), answer["Next"]
        if after == "":
            return total


def counted(world, notification, wanted, **fields):
    """Postbacks are counted once they have their rows."""
    await_until(lambda: count(world, notification, **fields) == wanted, f"{wanted} of {fields}")


def test_what_failed_is_sent_again_and_nothing_else(world, receiver):
    notification = lifecycle(world, receiver.url())
    send(world, 2)
    world.await_state(world.partner, "DELIVERED", 2)
    world.partner.ok(world.partner.post(notification["Uri"] + "/Pause"))
    lost = send(world, 3)
    send(world, 1)
    waiting = sorted(world.await_state(world.partner, "WAITING", 4), key=lambda one: int(one["Id"]))
    for one in waiting[:3]:
        world.partner.ok(world.partner.post(one["Uri"] + "/Cancel"))
    # One of them has been sent again since, and is cancelled once more: it counts once.
    again = world.partner.ok(world.partner.post(waiting[0]["Uri"] + "/Resend"))["Id"]
    counted(world, notification, 2, State="FAILED")
    world.partner.ok(world.partner.post(f"Postbacks/{again}/Cancel"))
    counted(world, notification, 3, State="FAILED")
    counted(world, notification, 0, State="FAILED", EndDate="2021-01-01")
    counted(world, notification, 0, From="MISSING")
    world.partner.ok(world.partner.post(notification["Uri"] + "/Resume"))
    world.await_state(world.partner, "DELIVERED", 3)
    shown = ended(world, replay(world, notification, State="FAILED"))
    assert (shown["PostbackState"], shown["Total"], shown["Sent"]) == ("FAILED", "3", "3")
    assert action_ids(receiver.wait(6)[3:]) == lost
    world.await_state(world.partner, "DELIVERED", 6)
    counted(world, notification, 0, State="FAILED")
    assert ended(world, replay(world, notification, State="FAILED"))["Total"] == "0"


def test_what_it_was_never_sent_is_found(world, receivers):
    other, late = receivers(), receivers()
    lifecycle(world, other.url())
    before = send(world, 3)
    world.await_state(world.partner, "DELIVERED", 3)
    send(world, 2, account=world.brand)
    notification = lifecycle(world, late.url())
    send(world, 2)
    late.wait(2)
    counted(world, notification, 3, From="MISSING")
    counted(world, notification, 5, From="ALL")
    counted(world, notification, 3, From="MISSING", Types="action.tracked")
    counted(world, notification, 0, From="MISSING", Types=["action.modified"])
    shown = ended(world, replay(world, notification, From="MISSING"))
    assert (shown["From"], shown["Total"], shown["Sent"]) == ("MISSING", "3", "3")
    assert action_ids(late.wait(5)[2:]) == before
    counted(world, notification, 0, From="MISSING")
    other.wait(5)
    assert len(other.requests) == 5, "the other one has them already"


def test_a_count_refuses_what_a_replay_would(world, receiver):
    notification = lifecycle(world, receiver.url())
    for fields in ({"State": "FAILED", "From": "ALL"}, {"From": "NOTHING"}, {"Next": "x"},
                   {"StartDate": "tomorrow"}, {"Types": "action_inquiry.opened"}, {"Colour": "red"}):
        answer = world.partner.post(f"{notification['Uri']}/Replays/Count",
                                    {"StartDate": LONG_AGO, **fields})
        assert answer.status_code == 400, fields
    other = lifecycle(world, receiver.url())
    assert world.partner.post(f"{notification['Uri']}/Replays", {
        "StartDate": LONG_AGO, "From": other["Id"], "State": "FAILED"}).status_code == 400
    assert world.brand.post("EventNotifications/1/Replays/Count", {
        "StartDate": LONG_AGO}).status_code == 404


def test_a_long_range_is_counted_in_stretches(world, receiver):
    notification = lifecycle(world, receiver.url())
    send(world, 1)
    world.await_state(world.partner, "DELIVERED", 1)
    counted(world, notification, 1, From="ALL")
    answer = world.partner.ok(world.partner.post(f"{notification['Uri']}/Replays/Count", {
        "StartDate": LONG_AGO, "From": "ALL"}))
    assert answer == {"Status": "OK", "Count": "1", "Next": ""}
    answer = world.partner.ok(world.partner.post(f"{notification['Uri']}/Replays/Count", {
        "StartDate": LONG_AGO, "From": "ALL", "Next": str(2**62)}))
    assert answer["Count"] == "0", "from there on"


def undone(world, uri):
    cancelled, more = 0, True
    while more:
        answer = world.partner.ok(world.partner.post(uri + "/Undo"))
        cancelled, more = cancelled + int(answer["Cancelled"]), answer["More"] == "true"
    return cancelled


def test_undo_takes_back_what_is_not_sent_yet(world, receiver):
    notification = lifecycle(world, receiver.url())
    send(world, 30)
    world.await_state(world.partner, "DELIVERED", 30)
    receiver.behave = answers(503)
    uri = replay(world, notification)
    await_until(lambda: int(world.partner.ok(world.partner.get(uri))["Waiting"]) > 0, "some wait")
    undone(world, uri)

    def settled():
        undone(world, uri)  # what was on its way, and failed since
        return not world.postbacks(world.partner, State="WAITING") and (
            not world.postbacks(world.partner, State="DELIVERING"))
    await_until(settled, "nothing waits any more")
    shown = world.partner.ok(world.partner.get(uri))
    assert (shown["State"], shown["Waiting"]) == ("CANCELLED", "0")
    assert len(world.postbacks(world.partner, State="CANCELLED")) == int(shown["Sent"])
    assert undone(world, uri) == 0, "once more does nothing"
    receiver.behave = answers(200)
    send(world, 1)
    world.await_state(world.partner, "DELIVERED", 31)
    entries = world.operator.ok(world.operator.get(
        "Audit", AccountSid=world.partner.sid))["Entries"]
    assert "replay.undo" in [one["Action"] for one in entries]
