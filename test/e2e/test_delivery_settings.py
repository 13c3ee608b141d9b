"""The settings of an event notification that say when and how much is sent, what counts as
delivered, and who may set what."""

import json
import threading
import time
from datetime import datetime

import pytest

from harness.delivery import Delivery
from harness.receiver import answers, in_turn
from harness.server import Server, World, await_until


class Gate:
    """A receiver's behaviour: requests wait until they are let through; counts those inside."""

    def __init__(self):
        self.inside = self.most = 0
        self.changed = threading.Condition()
        self.tickets = 0

    def __call__(self, connection, _request):
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
            while self.tickets == 0 and not connection.stopped.is_set():
                self.changed.wait(0.1)
            self.tickets -= 1
            self.inside -= 1
        return connection.answer(200)

    def let(self, count):
        with self.changed:
            self.tickets += count
            self.changed.notify_all()

    def await_inside(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.inside >= count, 20), self.inside


# ---- when ----

def test_minimum_delay(world, receiver):
    delivery = Delivery(world, receiver.url(), MinimumDelay=2)
    delivery.send()
    row = delivery.await_state("WAITING")[0]
    made, due = (datetime.fromisoformat(row[name]) for name in ("CreationDate", "DueDate"))
    assert (due - made).total_seconds() == 2 and receiver.requests == []
    delivery.await_state("DELIVERED")
    began = delivery.postback()["AttemptList"][0]["StartDate"]
    event = json.loads(receiver.requests[0].body)["EventTime"]
    late = datetime.fromisoformat(began) - datetime.fromisoformat(event)
    assert late.total_seconds() >= 2


def test_a_delay_does_not_hold_up_other_notifications(world, receivers):
    slow, fast = receivers(), receivers()
    delayed = Delivery(world, slow.url(), MinimumDelay=86400)
    Delivery(world, fast.url())
    delayed.send()
    fast.wait(1)
    assert delayed.await_state("WAITING")[0]["Attempts"] == "0"
    delayed.retry()
    slow.wait(1)


def most_in_a_second(times):
    times = sorted(times)
    return max(sum(1 for other in times if 0 <= other - first < 1) for first in times)


def starts(delivery, since=0.0):
    """When each attempt was built, just before it left.  Exact is the moment when it leaves
    (courier_test); a receiver that is held up takes several at once."""
    began = [datetime.fromisoformat(attempt["StartDate"]).timestamp()
             for row in delivery.postbacks(PageSize=1000)
             for attempt in delivery.postback(row["Id"])["AttemptList"]]
    return sorted(at for at in began if at >= since)


def test_maximum_requests_a_second(world, receiver):
    delivery = Delivery(world, receiver.url(), MaximumRequests=20)
    delivery.send_many(60)
    requests = receiver.wait(60)
    delivery.await_state("DELIVERED", 60)
    assert most_in_a_second(starts(delivery)) <= 21, "as built"
    assert requests[-1].at - requests[0].at >= 2.9, "as received"


def test_a_rate_of_one_does_not_slow_another_notification(world, receivers):
    slow, fast = receivers(), receivers()
    limited = Delivery(world, slow.url(), MaximumRequests=1)
    Delivery(world, fast.url())
    limited.send_many(30)
    fast.wait(30, timeout=10)
    assert 1 <= len(slow.requests) < 12


def test_maximum_requests_hold_over_restarts(receiver):
    with Server() as server:
        world = World(server)
        delivery = Delivery(world, receiver.url(), MaximumRequests=1)
        delivery.send_many(20)
        for _ in range(4):
            receiver.wait(len(receiver.requests) + 1)
            assert server.stop() == 0
            server.start()
            world.moved()
        receiver.wait(len(receiver.requests) + 2)
        expect_pace(starts(delivery), 1)
        assert server.stop() == 0, server.log()


def expect_pace(times, most):
    """A limit that was forgotten lets them out at once, not a little too soon."""
    spans = [later - earlier for earlier, later in zip(times, times[most:])]
    assert min(spans) >= 0.7, f"{most} a second, but {most + 1} within {min(spans):.3f} s: {times}"


def test_maximum_requests_hold_whatever_the_owner_does(world, receiver):
    """Pause and resume, other limits, Resend, Retry."""
    delivery = Delivery(world, receiver.url(), MaximumRequests=5)
    delivery.send_many(40)
    for _ in range(3):
        receiver.wait(len(receiver.requests) + 2)
        delivery.do("Pause")
        delivery.do("Resume")
    receiver.wait(len(receiver.requests) + 6)
    expect_pace(starts(delivery), 5)
    delivery.change(MaximumRequests=2, MaximumConcurrentRequests=1)
    changed, before = time.time(), len(receiver.requests)
    receiver.wait(before + 5)
    expect_pace(starts(delivery, since=changed), 2)
    for limit in (5, 2, 5, 4, 5):
        delivery.change(MaximumRequests=limit)
    for row in delivery.postbacks(State="DELIVERED")[:8]:
        world.partner.ok(world.partner.post(f"Postbacks/{row['Id']}/Resend"))
    for _ in range(8):
        delivery.retry(delivery.postbacks(State="WAITING")[0]["Id"])
    receiver.wait(before + 16)
    expect_pace(starts(delivery), 5)


def test_a_test_is_not_counted_by_maximum_requests(world, receiver):
    delivery = Delivery(world, receiver.url(), MaximumRequests=1)
    delivery.send_many(4)
    receiver.wait(1)
    for _ in range(5):
        answer = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
        assert answer["Verdict"] == "delivered"
    times = [request.at for request in receiver.requests]
    assert times[-1] - times[0] < 4, "six or more, but not one a second"


def test_maximum_concurrent_requests(world, receiver):
    gate = receiver.behave = Gate()
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=3)
    delivery.send_many(12)
    for _ in range(4):
        gate.await_inside(3)
        gate.let(3)
    delivery.await_state("DELIVERED", 12)
    assert gate.most == 3 and receiver.connections == 3


def test_without_a_maximum_there_is_a_window_of_eight_at_first(world, receiver):
    gate = receiver.behave = Gate()
    delivery = Delivery(world, receiver.url())
    delivery.send_many(20)
    gate.await_inside(8)
    assert gate.most == 8
    gate.let(8)
    gate.await_inside(9)  # one more for each full window delivered
    gate.let(12)
    delivery.await_state("DELIVERED", 20)


# ---- what counts as delivered ----

@pytest.mark.parametrize("settings,status,body,delivered", [
    ({"SuccessResponse": "ok=1"}, 200, "status: ok=1 done", True),
    ({"SuccessResponse": "ok=1"}, 200, "ok=0", False),
    ({"SuccessResponse": "ok=1"}, 200, "", False),
    ({"SuccessResponse": "ok=1"}, 200, "OK=1", False),
    ({"SuccessResponse": "ok=1"}, 500, "ok=1", False),
    ({"ErrorResponse": "failed"}, 200, "it failed", False),
    ({"ErrorResponse": "failed"}, 200, "fine", True),
    ({"ErrorResponse": "failed"}, 201, "failed", False),
    ({"SuccessResponse": "ok", "ErrorResponse": "failed"}, 200, "ok but failed", False),
    ({"SuccessResponse": "ok"}, 200, "x" * 16382 + "ok", True),
    ({"SuccessResponse": "ok"}, 200, "x" * 16383 + "ok", False),
    ({"SuccessResponse": "ok", "AcceptAny2xx": True}, 202, "ok", True),
    ({"SuccessResponse": "ok", "AcceptAny2xx": True}, 204, "", False),
    ({"SuccessResponse": "größe ✓"}, 200, "die größe ✓", True),
], ids=lambda value: str(value)[:40])
def test_success_and_error_response(world, receiver, settings, status, body, delivered):
    receiver.behave = answers(status, body)
    delivery = Delivery(world, receiver.url(), **settings)
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Verdict"] == ("delivered" if delivered else "failed")
    assert attempt["Response"]["Status"] == str(status)
    row = delivery.await_state("DELIVERED" if delivered else "WAITING")[0]
    if not delivered and status < 300:
        assert "response rules" in row["LastError"]


# ---- Ordered ----

def test_ordered_waits_for_its_first_and_then_goes_in_order(world, receiver):
    receiver.behave = in_turn(answers(500), answers(500), answers(200))
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    delivery.send(Oid="0")
    delivery.await_attempts(1)
    for number in range(1, 12):
        delivery.send(Oid=str(number))
    first = delivery.postbacks()[-1]["Id"]
    assert [request.target for request in receiver.requests] == ["/0"], "the others wait behind it"
    delivery.retry(first)
    receiver.wait(2)
    delivery.await_attempts(2, first)
    assert [request.target for request in receiver.requests] == ["/0", "/0"]
    delivery.retry(first)
    delivery.await_state("DELIVERED", 12)
    targets = [request.target for request in receiver.requests]
    assert targets == ["/0", "/0"] + [f"/{number}" for number in range(12)]


def test_ordered_goes_on_by_itself_after_the_back_off(world, receiver):
    receiver.behave = in_turn(answers(503), answers(200))
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    for number in range(5):
        delivery.send(Oid=str(number))
    requests = receiver.wait(6)
    assert 3.9 <= requests[1].at - requests[0].at <= 20
    assert [request.target for request in requests] == ["/0"] + [f"/{n}" for n in range(5)]
    delivery.await_state("DELIVERED", 5)


def test_ordered_keeps_its_order_through_a_pause_and_many(world, receiver):
    gate = receiver.behave = Gate()
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    for number in range(150):
        delivery.send(Oid=str(number))
    gate.await_inside(1)
    delivery.do("Pause")
    gate.let(10)
    await_until(lambda: len(delivery.postbacks(State="WAITING", PageSize=1000)) >= 149, "paused")
    for number in range(150, 300):
        delivery.send(Oid=str(number))
    gate.let(10000)
    delivery.do("Resume")
    delivery.await_state("DELIVERED", 300, timeout=30)
    assert gate.most == 1, "one at a time"
    assert [request.target for request in receiver.requests] == [f"/{n}" for n in range(300)]


def test_a_cancelled_first_lets_the_others_go(world, receiver):
    receiver.behave = lambda connection, request: connection.answer(
        500 if request.target == "/0" else 200)
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    delivery.send(Oid="0")
    delivery.await_attempts(1)
    first = delivery.await_state("WAITING")[0]["Id"]
    for number in range(1, 4):
        delivery.send(Oid=str(number))
    world.partner.ok(world.partner.post(f"Postbacks/{first}/Cancel"))
    delivery.await_state("DELIVERED", 3)
    assert [request.target for request in receiver.requests] == ["/0", "/1", "/2", "/3"]
    assert delivery.postback(first)["State"] == "CANCELLED"


def test_a_first_that_is_cancelled_while_it_is_under_way_is_not_tried_again(world, receiver):
    cancelled = threading.Event()

    def behave(connection, request):
        if request.target != "/0":
            return connection.answer(200)
        cancelled.wait(20)
        return connection.answer(500)
    receiver.behave = behave
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    delivery.send(Oid="0")
    receiver.wait(1)
    first = delivery.await_any()["Id"]
    for number in range(1, 4):
        delivery.send(Oid=str(number))
    world.partner.ok(world.partner.post(f"Postbacks/{first}/Cancel"))
    cancelled.set()
    delivery.await_state("DELIVERED", 3)
    assert [request.target for request in receiver.requests] == ["/0", "/1", "/2", "/3"]
    assert delivery.postback(first)["State"] == "CANCELLED"


# ---- pause, resume, delete, change ----

def test_pause_queues_and_resume_delivers_all(world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.do("Pause")
    assert delivery.show()["State"] == "PAUSED"
    events = [delivery.send(Oid=f"O-{number}") for number in range(400)]  # more than a lane holds
    rows = delivery.await_state("WAITING", 400)
    assert receiver.requests == [] and {row["Attempts"] for row in rows} == {"0"}
    delivery.do("Resume")
    rows = delivery.await_state("DELIVERED", 400, timeout=40)
    assert {row["EventId"] for row in rows} == set(events)
    assert len(receiver.requests) == 400, "each exactly once"
    assert delivery.show()["State"] == "ACTIVE"


def test_resume_tries_at_once_what_waits_for_its_back_off(world, receiver):
    receiver.behave = answers(500)
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_state("WAITING")
    delivery.retry()
    delivery.await_attempts(2)  # the third would come after 30 s
    receiver.behave = answers(200)
    delivery.do("Pause")
    delivery.do("Resume")
    delivery.await_state("DELIVERED", timeout=10)


def test_pause_during_delivery_loses_nothing(world, receiver):
    delivery = Delivery(world, receiver.url())
    for round_ in range(8):
        for number in range(25):
            delivery.send(Oid=f"O-{round_}-{number}")
        delivery.do("Pause" if round_ % 2 == 0 else "Resume")
    delivery.await_state("DELIVERED", 200, timeout=30)
    ids = [request.header("webhook-id") for request in receiver.requests]
    assert len(ids) == len(set(ids)) == 200


def test_a_deleted_notification_sends_nothing_more_and_its_log_stays(world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.send(Oid="delivered")
    delivery.await_state("DELIVERED")
    delivery.do("Pause")
    delivery.send(Oid="waits")
    waiting = delivery.await_state("WAITING")[0]["Id"]
    world.partner.ok(world.partner.delete(delivery.path))
    assert world.partner.get(delivery.path).status_code == 404
    assert world.partner.delete(delivery.path).status_code == 404
    assert world.partner.get("EventNotifications").json()["EventNotifications"] == []
    assert delivery.postback(waiting)["State"] == "CANCELLED"
    other = Delivery(world, receiver.url("/other"))
    delivery.send(Oid="after")
    receiver.wait(2)
    other.await_state("DELIVERED")
    assert [request.target for request in receiver.requests] == ["/postbacks", "/other"]
    assert [row["State"] for row in delivery.postbacks()] == ["CANCELLED", "DELIVERED"]


def test_deleting_what_is_failing_ends_it(world, receiver):
    receiver.behave = answers(500)
    delivery = Delivery(world, receiver.url(), Ordered=True)
    delivery.send()
    delivery.await_state("WAITING")
    world.partner.ok(world.partner.delete(delivery.path))
    row = delivery.await_state("CANCELLED")[0]
    assert world.partner.post(f"Postbacks/{row['Id']}/Retry").status_code == 409
    assert world.partner.post(f"Postbacks/{row['Id']}/Resend").status_code == 409


def test_a_changed_url_mends_what_waits_at_once_and_the_log_shows_each_as_it_was(world, receivers):
    wrong, right = receivers(answers(404)), receivers()
    delivery = Delivery(world, wrong.url("/v1?a={Oid}"))
    delivery.send(Oid="O-1")
    delivery.await_state("WAITING")
    delivery.change(Url=right.url("/v2?b={Oid}"), BodyTemplate='{"n": "{Oid}"}')
    assert delivery.show()["Revision"] == "2"
    request = right.wait(1)[0]
    assert (request.target, request.body) == ("/v2?b=O-1", b'{"n": "O-1"}')
    assert request.header("webhook-id") == wrong.requests[0].header("webhook-id")
    delivery.await_state("DELIVERED")
    old, new = (attempt["Request"] for attempt in delivery.postback()["AttemptList"])
    assert old["Url"] == wrong.url("/v1?a=O-1") and new["Url"] == right.url("/v2?b=O-1")
    assert old["Body"].encode() == wrong.requests[0].body and new["Body"] == '{"n": "O-1"}'


def test_a_change_that_was_answered_counts_for_the_next_event(world, receivers):
    """However soon that follows."""
    first, second = receivers(), receivers()
    delivery = Delivery(world, first.url("/0"))
    for number in range(1, 40):
        delivery.change(Url=(first, second)[number % 2].url(f"/{number}"))
        delivery.send(Oid=str(number))
        if number % 10 == 0:
            delivery.do("Pause")
            paused = delivery.send(Oid="paused")
            assert paused in {row["EventId"] for row in delivery.await_state("WAITING")}
            delivery.do("Resume")
    delivery.await_state("DELIVERED", 42)
    for receiver in (first, second):
        for request in receiver.requests:
            number = json.loads(request.body)["Oid"]
            # Never by an earlier setting; one that waited a moment may go by a later one.
            assert number == "paused" or int(request.target[1:]) >= int(number)
    assert len(first.requests) + len(second.requests) == 42


def test_only_the_chosen_event_types_are_sent(world, receivers):
    some, default, all_six = receivers(), receivers(), receivers()
    Delivery(world, some.url(), Category="Action Inquiry Events",
             EventTypes=["action_inquiry.closed"])
    Delivery(world, default.url(), Category="Action Inquiry Events")
    Delivery(world, all_six.url(), Category="Action Inquiry Events", EventTypes=[
        "action_inquiry." + name for name in
        ("opened", "resolved", "closed", "incomplete", "replied", "reopened")])
    inquiry = world.open()
    world.brand.ok(world.brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "INCOMPLETE"}))
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))

    def types(receiver, count):
        return {json.loads(request.body)["EventType"] for request in receiver.wait(count)}
    assert types(all_six, 3) == {
        "action_inquiry.opened", "action_inquiry.incomplete", "action_inquiry.closed"}
    assert types(default, 2) == {"action_inquiry.opened", "action_inquiry.closed"}
    assert types(some, 1) == {"action_inquiry.closed"}


# ---- custom headers: the operator's ----

def test_custom_headers_are_the_operators_and_their_values_are_hidden(world, receiver):
    receiver.behave = in_turn(answers(500), answers(200))
    delivery = Delivery(world, receiver.url())
    headers = [{"Name": "Authorization", "Value": "Bearer s3cr3t-value"},
               {"Name": "X-Team", "Value": "a b\tc; d=\"e\""}]
    path = f"Notifications/{delivery.id}/Headers"
    world.operator.ok(world.operator.put(path, {"CustomHeaders": headers}))
    delivery.send()
    delivery.await_attempts(1)
    delivery.sent_after_retry(receiver, 2)
    for request in receiver.requests:
        assert request.header("authorization") == "Bearer s3cr3t-value"
        assert request.header("x-team") == "a b\tc; d=\"e\""
    delivery.await_state("DELIVERED")

    hidden = [{"Name": "Authorization", "Value": "(hidden)"}, {"Name": "X-Team", "Value": "(hidden)"}]
    assert delivery.show()["CustomHeaders"] == hidden
    for attempt in delivery.postback()["AttemptList"]:
        shown = {each["Name"]: each["Value"] for each in attempt["Request"]["Headers"]}
        assert shown["Authorization"] == shown["X-Team"] == "(hidden)"
    tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert receiver.requests[-1].header("authorization") == "Bearer s3cr3t-value"
    everywhere = [json.dumps(tested), world.operator.get("Notifications").text,
                  world.operator.get("Audit").text, world.server.log(),
                  world.partner.get("Postbacks").text]
    assert not any("s3cr3t" in text for text in everywhere)
    assert "notification.headers" in world.operator.get("Audit").text

    # What an account changes leaves them as they are; what it is shown it may send back.
    world.partner.ok(world.partner.put(delivery.path, {**delivery.show(), "Name": "Renamed"}))
    world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert receiver.requests[-1].header("authorization") == "Bearer s3cr3t-value"

    kept = [{"Name": "Authorization", "Value": "(hidden)"}]
    world.operator.ok(world.operator.put(path, {"CustomHeaders": kept}))
    world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert receiver.requests[-1].header("authorization") == "Bearer s3cr3t-value"
    assert receiver.requests[-1].header("x-team") is None


def test_an_account_cannot_set_custom_headers(world, receiver):
    delivery = Delivery(world, receiver.url())
    mine = {"CustomHeaders": [{"Name": "X-Mine", "Value": "1"}]}
    refused = world.partner.put(delivery.path, mine)
    assert refused.status_code == 400 and refused.json()["Errors"][0]["Field"] == "CustomHeaders"
    made = world.partner.post("EventNotifications", {
        "Category": "Action Lifecycle Events", "Url": receiver.url(), "Method": "GET", **mine})
    assert made.status_code == 400
    operators = world.partner.put(f"/Operator/Notifications/{delivery.id}/Headers", mine)
    assert operators.status_code in (401, 403, 404)
    assert delivery.show()["CustomHeaders"] == []


@pytest.mark.parametrize("name,value", [
    ("X-A", "b\r\nX-Evil: 1"), ("X-A", "b\nX-Evil: 1"), ("X-A", "b\x7fc"), ("X-A", "bä"),
    ("X-A: b\r\nX-Evil", "1"), ("X A", "b"), ("", "b"), ("X-A:", "b"), ("Ä", "b"),
    ("Host", "evil.example"), ("host", "evil.example"), ("Content-Length", "0"),
    ("Transfer-Encoding", "chunked"), ("Connection", "close"), ("webhook-id", "1"),
    ("Webhook-Signature", "v1,x"), ("Content-Type", "text/html"), ("User-Agent", "x"),
    ("X-A", "b" * 4097), ("N" * 101, "b"),
], ids=lambda text: repr(text[:20]))
def test_custom_headers_that_could_break_a_request_are_refused(world, receiver, name, value):
    delivery = Delivery(world, receiver.url())
    refused = world.operator.put(f"Notifications/{delivery.id}/Headers",
                                 {"CustomHeaders": [{"Name": name, "Value": value}]})
    assert refused.status_code == 400, refused.text
    assert "CustomHeaders" in refused.json()["Errors"][0]["Field"]
    assert delivery.show()["CustomHeaders"] == []
