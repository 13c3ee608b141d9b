"""The log of postbacks: filters, paging, each attempt as it was; retry, resend, cancel; test
postbacks and health."""

import json
from datetime import datetime, timedelta, timezone

from harness.delivery import Delivery, milliseconds
from harness.receiver import Receiver, answers, hangs, in_turn
from harness.server import await_until

SERVER_FLAGS = ["--deadline", "2"]


# ---- the list ----

def test_the_list_is_newest_first_and_tells_what_became_of_each(world, receiver):
    receiver.behave = lambda connection, request: connection.answer(
        404 if b'"Oid":"bad"' in request.body else 200)
    delivery = Delivery(world, receiver.url())
    good, bad = delivery.send(Oid="good"), delivery.send(Oid="bad")
    delivery.await_state("DELIVERED")
    delivery.await_state("WAITING")
    failed, done = delivery.postbacks()
    assert (failed["EventId"], done["EventId"]) == (bad, good)
    assert (failed["State"], failed["LastStatus"], failed["Attempts"]) == ("WAITING", "404", "1")
    assert (done["State"], done["LastStatus"], done["Attempts"]) == ("DELIVERED", "200", "1")
    assert failed["LastError"] == "status 404" and done["LastError"] == ""
    assert failed["DueDate"] and failed["FinishedDate"] == ""
    assert done["DueDate"] == "" and done["FinishedDate"]
    for row in (failed, done):
        assert row["EventType"] == "action.tracked" and row["NotificationId"] == delivery.id
        assert row["Uri"] == f"{world.partner.prefix}/Postbacks/{row['Id']}"
        assert all(isinstance(value, str) for value in row.values())
        assert abs(datetime.fromisoformat(row["CreationDate"]).timestamp()
                   - datetime.now(timezone.utc).timestamp()) < 60


def test_filters(world, receivers):
    """By notification, event type, state, inquiry, and several at once."""
    failing, well = receivers(answers(500)), receivers()
    inquiries = Delivery(world, failing.url(), Category="Action Inquiry Events")
    actions = Delivery(world, well.url())
    first, second = world.open(), world.open()
    world.partner.ok(world.partner.post(f"ActionInquiries/{first}/Close"))
    actions.send()
    actions.send(type="action.reversed")
    inquiries.await_state("WAITING", 3)
    actions.await_state("DELIVERED", 2)

    def found(**query):
        return sorted((row["EventType"].split(".")[1], row["InquiryId"])
                      for row in world.postbacks(world.partner, **query))
    of_inquiries = [("closed", first), ("opened", first), ("opened", second)]
    of_actions = [("reversed", ""), ("tracked", "")]
    assert found() == sorted(of_inquiries + of_actions)
    assert found(NotificationId=inquiries.id) == sorted(of_inquiries)
    assert found(NotificationId=actions.id) == of_actions
    assert found(EventType="action_inquiry.opened") == sorted([("opened", first), ("opened", second)])
    assert found(EventType="action.reversed") == [("reversed", "")]
    assert found(State="DELIVERED") == of_actions
    assert found(State="WAITING") == sorted(of_inquiries)
    assert found(State="CANCELLED") == found(State="EXPIRED") == found(State="DELIVERING") == []
    assert found(InquiryId=first) == [("closed", first), ("opened", first)]
    assert found(InquiryId=second) == [("opened", second)]
    assert found(InquiryId=first, EventType="action_inquiry.closed", State="WAITING",
                 NotificationId=inquiries.id) == [("closed", first)]
    assert found(InquiryId=first, State="DELIVERED") == []
    assert found(NotificationId=actions.id, EventType="action_inquiry.opened") == []


def test_filters_by_time(world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_state("DELIVERED")
    made = datetime.fromisoformat(delivery.postbacks()[0]["CreationDate"])

    def count(**query):
        return len(delivery.postbacks(**query))
    day = timedelta(days=1)
    today, tomorrow, yesterday = ((made + shift).strftime("%Y-%m-%d")
                                  for shift in (0 * day, day, -day))
    assert count(StartDate=today) == count(EndDate=today) == 1, "days are inclusive"
    assert count(StartDate=yesterday, EndDate=tomorrow) == 1
    assert count(StartDate=tomorrow) == count(EndDate=yesterday) == 0
    assert count(StartDate=(made - timedelta(seconds=5)).isoformat()) == 1
    assert count(StartDate=(made + timedelta(seconds=5)).isoformat()) == 0
    assert count(EndDate=(made + timedelta(seconds=5)).isoformat()) == 1
    assert count(EndDate=(made - timedelta(seconds=5)).isoformat()) == 0
    assert count(StartDate="0001-01-01", EndDate="9999-12-31") == 1


def test_pages_by_before_give_each_once(world, receiver):
    delivery = Delivery(world, receiver.url())
    events = delivery.send_many(25)
    delivery.await_state("DELIVERED", 25)
    seen, path = [], f"{world.partner.prefix}/Postbacks?PageSize=10&State=DELIVERED&NotificationId={delivery.id}"
    sizes = []
    while path:
        page = world.partner.ok(world.partner.call("GET", path))
        sizes.append(len(page["Postbacks"]))
        seen += [row["EventId"] for row in page["Postbacks"]]
        assert page["@pagesize"] == "10" and page["@uri"] == path
        path = page["@nextpageuri"]
        delivery.send(Oid="new ones at the head move nothing")
    assert seen == events[::-1] and sizes == [10, 10, 5]
    before = world.postbacks(world.partner, PageSize=1)[0]["Id"]
    assert before not in [row["Id"] for row in world.postbacks(world.partner, Before=before)]


def test_attempts_show_what_went_wrong_each_time(world, receivers):
    receiver = receivers(in_turn(answers(500, "first"), hangs,
                                 lambda connection, request: connection.reset(), answers(201, "last")))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    for number in range(1, 4):
        delivery.await_attempts(number)
        delivery.retry()
    delivery.await_state("DELIVERED")
    attempts = delivery.postback()["AttemptList"]
    told = [(each["Number"], each["Verdict"], each["Error"], each["Response"]["Status"],
             each["Response"]["Body"]) for each in attempts]
    assert told == [("1", "failed", "", "500", "first"),
                    ("2", "destination", "timeout", "", ""),
                    ("3", "destination", "reset", "", ""),
                    ("4", "delivered", "", "201", "last")]
    assert 1990 <= milliseconds(attempts[1]) < 5000 and milliseconds(attempts[0]) < 2000
    starts = [datetime.fromisoformat(each["StartDate"]) for each in attempts]
    assert starts == sorted(starts)


# ---- retry, resend, cancel ----

def test_retry_is_for_what_waits(world, receiver):
    receiver.behave = in_turn(answers(500), answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    id = delivery.await_state("WAITING")[0]["Id"]
    delivery.retry(id)
    delivery.await_state("DELIVERED")
    refused = world.partner.post(f"Postbacks/{id}/Retry")
    assert refused.status_code == 409 and "Resend" in refused.json()["Message"]


def test_resend_makes_a_new_postback_of_the_same_event(world, receiver):
    delivery = Delivery(world, receiver.url())
    event = delivery.send(Oid="O-1")
    old = delivery.await_state("DELIVERED")[0]["Id"]
    again = world.partner.ok(world.partner.post(f"Postbacks/{old}/Resend"))
    first, second = receiver.wait(2)
    assert again["Id"] != old and again["Uri"].endswith("/Postbacks/" + again["Id"])
    assert second.header("webhook-id") == again["Id"] and first.body == second.body
    rows = delivery.await_state("DELIVERED", 2)
    assert [row["ResentFrom"] for row in rows] == ["", old]
    assert {row["EventId"] for row in rows} == {event}
    assert world.partner.ok(world.partner.post(f"Postbacks/{again['Id']}/Resend"))["Id"]
    receiver.wait(3)


def test_cancel_ends_what_waits_and_refuses_what_has_ended(world, receiver):
    receiver.behave = in_turn(answers(500), answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send(Oid="cancelled")
    id = delivery.await_state("WAITING")[0]["Id"]
    world.partner.ok(world.partner.post(f"Postbacks/{id}/Cancel"))
    row = delivery.await_state("CANCELLED")[0]
    assert row["FinishedDate"] and row["DueDate"] == ""
    for action in ("Cancel", "Retry"):
        assert world.partner.post(f"Postbacks/{id}/{action}").status_code == 409
    delivery.send(Oid="after")
    delivery.await_state("DELIVERED")
    assert world.partner.post(f"Postbacks/{delivery.postbacks()[0]['Id']}/Cancel").status_code == 409
    assert len(receiver.requests) == 2
    resent = world.partner.ok(world.partner.post(f"Postbacks/{id}/Resend"))["Id"]
    delivery.await_state("DELIVERED", 2)
    assert receiver.wait(3)[2].header("webhook-id") == resent


def test_cancel_of_one_under_way_shows_it_delivered_when_it_was(world, receiver):
    go = []

    def waits(connection, _request):
        await_until(lambda: go or connection.stopped.is_set(), "let go")
        return connection.answer(200)
    receiver.behave = waits
    delivery = Delivery(world, receiver.url())
    delivery.send()
    receiver.wait(1)
    id = delivery.await_any()["Id"]
    world.partner.ok(world.partner.post(f"Postbacks/{id}/Cancel"))
    assert delivery.postback(id)["State"] == "CANCELLED"
    go.append(True)
    await_until(lambda: delivery.postback(id)["State"] == "DELIVERED", "what arrived is shown so")
    health = world.partner.ok(world.partner.get(f"{delivery.path}/Health"))
    assert (health["Pending"], health["Delivered"]) == ("0", "1")


def test_a_reader_sees_the_log_and_changes_nothing(world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.send()
    id = delivery.await_state("DELIVERED")[0]["Id"]
    reader = (world.partner.sid, world.token(world.partner.sid, "READ"))
    sender = (world.partner.sid, world.token(world.partner.sid, "EVENTS"))
    assert world.partner.call("GET", "Postbacks", auth=reader).status_code == 200
    assert world.partner.call("GET", f"Postbacks/{id}", auth=reader).status_code == 200
    assert world.partner.call("POST", f"Postbacks/{id}/Resend", auth=reader).status_code == 403
    assert world.partner.call("GET", "Postbacks", auth=sender).status_code == 403


# ---- test postbacks ----

def test_a_test_postback_is_really_sent_and_its_answer_comes_in_the_same_call(world, receiver):
    receiver.behave = answers(202, "queued", ["X-Trace: t1"])
    delivery = Delivery(world, receiver.url("/in?o={Oid}"))
    tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {
        "EventType": "action.reversed", "Data": {"Oid": "O 7", "Amount": "1.50"}}))
    request = receiver.wait(1)[0]
    assert request.target == "/in?o=O%207"
    body = json.loads(request.body)
    assert (body["EventType"], body["Oid"], body["Amount"]) == ("action.reversed", "O 7", "1.50")
    assert tested["Verdict"] == "failed"
    assert tested["Request"]["Url"] == receiver.url(request.target)
    assert tested["Request"]["Body"].encode() == request.body
    assert tested["Response"]["Status"] == "202" and tested["Response"]["Body"] == "queued"
    assert "X-Trace: t1" in tested["Response"]["Headers"]
    assert tested["Response"]["Error"] == "" and float(tested["Response"]["DurationMs"]) > 0
    assert delivery.postbacks() == [], "it is no event of the account"


def test_a_test_postback_needs_no_settings_and_goes_beside_a_paused_queue(world, receiver):
    delivery = Delivery(world, receiver.url(), Category="Action Inquiry Events")
    delivery.do("Pause")
    world.open()
    tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert tested["Verdict"] == "delivered" and len(receiver.requests) == 1
    assert json.loads(receiver.requests[0].body)["EventType"] == "action_inquiry.opened"
    assert len(delivery.await_state("WAITING")) == 1


def test_a_test_postback_tells_what_is_wrong(world, receivers):
    with Receiver() as gone:
        refused = Delivery(world, gone.url())
    silent = Delivery(world, receivers(hangs).url())
    for delivery, error in ((refused, "connect"), (silent, "timeout")):
        tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
        assert (tested["Verdict"], tested["Response"]["Error"]) == ("destination", error)
        assert tested["Response"]["Detail"] and tested["Response"]["Status"] == ""


# ---- health ----

def test_health_counts(world, receiver):
    receiver.behave = lambda connection, request: connection.answer(
        500 if b'"Oid":"bad"' in request.body else 200)
    delivery = Delivery(world, receiver.url())

    def health():
        shown = world.partner.ok(world.partner.get(f"{delivery.path}/Health"))
        return {name: shown[name] for name in ("State", "Pending", "Delivered", "FailedAttempts")}
    nothing = {"State": "ACTIVE", "Pending": "0", "Delivered": "0", "FailedAttempts": "0"}
    def last_delivered():
        return world.partner.ok(world.partner.get(f"{delivery.path}/Health"))["LastDeliveredDate"]
    assert health() == nothing
    assert last_delivered() == ""
    delivery.send_many(3)
    done = delivery.await_state("DELIVERED", 3)
    assert health() == {**nothing, "Delivered": "3"}
    assert last_delivered() == max(one["FinishedDate"] for one in done)
    delivery.send(Oid="bad")
    waiting = delivery.await_state("WAITING")[0]
    assert health() == {**nothing, "Delivered": "3", "Pending": "1", "FailedAttempts": "1"}
    shown = world.partner.ok(world.partner.get(f"{delivery.path}/Health"))
    assert shown["OldestDueDate"] == waiting["DueDate"]
    delivery.retry(waiting["Id"])
    delivery.await_attempts(2, waiting["Id"])
    assert health() == {**nothing, "Delivered": "3", "Pending": "1", "FailedAttempts": "2"}
    world.partner.ok(world.partner.post(f"Postbacks/{waiting['Id']}/Cancel"))
    assert health() == {**nothing, "Delivered": "3", "FailedAttempts": "2"}
    delivery.do("Pause")
    delivery.send()
    delivery.await_state("WAITING")
    assert health() == {"State": "PAUSED", "Pending": "1", "Delivered": "3", "FailedAttempts": "2"}


# ---- intake ----

def test_one_event_goes_to_every_matching_notification(world, receivers):
    first, second, other = receivers(), receivers(), receivers()
    one = Delivery(world, first.url())
    Delivery(world, second.url())
    Delivery(world, other.url(), EventTypes=["action.reversed"])
    event = one.send(Oid="O-1")
    bodies = [json.loads(receiver.wait(1)[0].body) for receiver in (first, second)]
    assert bodies[0] == bodies[1] and bodies[0]["EventId"] == event
    ids = {receiver.requests[0].header("webhook-id") for receiver in (first, second)}
    assert len(ids) == 2, "each notification has a postback of its own"
    assert other.requests == []


def test_the_operator_sends_an_event_to_many_accounts(world, receivers):
    first, second = receivers(), receivers()
    brand = Delivery(world, first.url(), account=world.brand)
    partner = Delivery(world, second.url())
    answer = world.operator.call("POST", "/Events", json={
        "Type": "action.tracked", "AccountSids": [world.brand.sid, world.partner.sid],
        "Data": {"Oid": "O-1"}, "OccurredAt": "2026-01-02T03:04:05Z"})
    assert answer.status_code == 202
    ids = answer.json()["EventIds"]
    for receiver, delivery, event in ((first, brand, ids[0]), (second, partner, ids[1])):
        body = json.loads(receiver.wait(1)[0].body)
        assert (body["EventId"], body["AccountSid"]) == (event, delivery.api.sid)
        assert body["EventTime"].startswith("2026-01-02T03:04:05")
