"""What receivers answer: which status delivers, which retries, which holds, how answers are framed,
and that Retry-After is obeyed."""

import gzip
import json
import time
from datetime import datetime, timezone
from email.utils import format_datetime

import pytest

from harness.delivery import Delivery
from harness.hostile import chunks, says
from harness.receiver import answers, in_turn
from harness.server import await_until

SERVER_FLAGS = ["--deadline", "5"]


def seconds_between(first, second):
    """Both in whole seconds, as the log shows when it is due."""
    first, second = (datetime.fromisoformat(each).replace(microsecond=0)
                     for each in (first, second))
    return (second - first).total_seconds()


def test_a_failed_first_try_is_tried_again_after_its_back_off_under_the_same_id(world, receiver):
    receiver.behave = in_turn(answers(500, "out of order", ["X-Trace: t1"]), answers(200, "thanks"))
    delivery = Delivery(world, receiver.url("/in?try={Attempt}"))
    event = delivery.send(Oid="O-1")
    first, second = receiver.wait(2)
    assert 3.9 <= second.at - first.at <= 20, "about 5 s, and not the 30 s that come next"
    assert first.header("webhook-id") == second.header("webhook-id")
    assert first.body == second.body
    assert (first.target, second.target) == ("/in?try=1", "/in?try=2")

    delivery.await_state("DELIVERED")
    shown = delivery.postback()
    assert (shown["EventId"], shown["Attempts"]) == (event, "2")
    assert first.header("webhook-id") == shown["Id"]
    failed, done = shown["AttemptList"]
    assert [attempt["Number"] for attempt in (failed, done)] == ["1", "2"]
    assert [attempt["Verdict"] for attempt in (failed, done)] == ["failed", "delivered"]
    for attempt, request in ((failed, first), (done, second)):
        assert attempt["Request"]["Method"] == "POST"
        assert attempt["Request"]["Url"] == receiver.url(request.target)
        assert attempt["Request"]["Body"].encode() == request.body
        headers = {each["Name"].lower(): each["Value"] for each in attempt["Request"]["Headers"]}
        assert headers["webhook-signature"] == "(hidden)"
        for name in ("host", "user-agent", "webhook-id", "webhook-timestamp", "content-type"):
            assert headers[name] == request.header(name), name
    assert failed["Response"]["Status"] == "500" and failed["Response"]["Body"] == "out of order"
    assert "X-Trace: t1" in failed["Response"]["Headers"]
    assert done["Response"]["Status"] == "200" and done["Response"]["Body"] == "thanks"


@pytest.mark.parametrize("status", [200, 201])
def test_200_and_201_deliver(world, receiver, status):
    receiver.behave = answers(status)
    delivery = Delivery(world, receiver.url())
    delivery.send()
    row = delivery.await_state("DELIVERED")[0]
    assert (row["LastStatus"], row["Attempts"], row["LastError"]) == (str(status), "1", "")


@pytest.mark.parametrize("status,verdict", [
    (202, "failed"), (204, "failed"), (206, "failed"),
    (300, "failed"), (304, "failed"),
    (400, "failed"), (401, "failed"), (404, "failed"), (408, "failed"), (425, "failed"),
    (500, "failed"), (502, "failed"), (599, "failed"),
    (429, "destination"), (503, "destination"),
])
def test_anything_else_is_tried_again_until_it_delivers(world, receiver, status, verdict):
    body = "" if status in (204, 304) else "no"
    receiver.behave = in_turn(answers(status, body), answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Verdict"], attempt["Response"]["Status"]) == (verdict, str(status))
    waiting = delivery.await_state("WAITING")[0]
    assert str(status) in waiting["LastError"]
    first, second = delivery.sent_after_retry(receiver, 2)
    assert first.header("webhook-id") == second.header("webhook-id")
    assert delivery.await_state("DELIVERED")[0]["Attempts"] == "2"


@pytest.mark.parametrize("status", [202, 204, 299])
def test_any_2xx_delivers_where_the_account_said_so(world, receiver, status):
    receiver.behave = answers(status, "")
    delivery = Delivery(world, receiver.url(), AcceptAny2xx=True)
    delivery.send()
    assert delivery.await_state("DELIVERED")[0]["LastStatus"] == str(status)


def test_any_2xx_is_no_other_status(world, receiver):
    receiver.behave = answers(302)
    delivery = Delivery(world, receiver.url(), AcceptAny2xx=True)
    delivery.send()
    assert delivery.await_attempts(1)[0]["Verdict"] == "failed"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(world, receivers, status):
    elsewhere = receivers()
    redirecting = receivers(answers(status, "", ["Location: " + elsewhere.url("/stolen")]))
    delivery = Delivery(world, redirecting.url())
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Verdict"] == "failed" and attempt["Response"]["Status"] == str(status)
    assert elsewhere.url("/stolen") in attempt["Response"]["Headers"]
    delivery.retry()
    delivery.await_attempts(2)
    assert elsewhere.connections == 0


def test_410_holds_the_notification_and_keeps_its_queue_until_it_is_resumed(world, receiver):
    receiver.behave = in_turn(answers(410, "moved away"), answers(200))
    delivery = Delivery(world, receiver.url())
    events = [delivery.send(Oid="first")]
    held = await_until(lambda: (lambda shown: shown if shown["State"] == "HELD" else None)(
        delivery.show()), "held after 410")
    assert "410" in held["HeldReason"]
    notices = await_until(lambda: world.partner.ok(world.partner.get("Notices"))["Notices"],
                          "a notice to the owner")
    assert delivery.id in json.dumps(notices[0]) and "410" in json.dumps(notices[0])

    events += delivery.send_many(20)
    delivery.await_state("WAITING", 21)
    assert len(receiver.requests) == 1, "nothing is sent while it is held"
    health = world.partner.ok(world.partner.get(f"{delivery.path}/Health"))
    assert (health["State"], health["Pending"]) == ("HELD", "21")

    delivery.do("Resume")
    rows = delivery.await_state("DELIVERED", 21)
    assert {row["EventId"] for row in rows} == set(events)
    assert delivery.show()["State"] == "ACTIVE" and delivery.show()["HeldReason"] == ""
    assert len(receiver.requests) == 22


# ---- Retry-After ----

def due(delivery):
    """Seconds from the first attempt until it is to be tried again."""
    attempt = delivery.await_attempts(1)[0]
    return seconds_between(attempt["StartDate"], delivery.await_state("WAITING")[0]["DueDate"])


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_obeyed(world, receiver, status):
    receiver.behave = in_turn(answers(status, "later", ["Retry-After: 8"]), answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    first, second = receiver.wait(2)
    assert 8 <= second.at - first.at < 25
    delivery.await_state("DELIVERED")


@pytest.mark.parametrize("value,least,most", [
    ("3600", 3600, 3602),
    ("0", 4, 7),  # our own delay of about 5 s stands
    ("soon", 4, 7),  # unreadable: as if it were not there
    ("-5", 4, 7),
    ("299.997", 299, 302),
    ("300, 300", 300, 302),
    ('"300"', 300, 302),
    ("300s", 300, 302),
    ("172800", 86400, 86402),  # a day is the most
    ("99999999999999999999", 86400, 86402),
])
def test_retry_after_is_kept_within_our_own_delay_and_a_day(world, receiver, value, least, most):
    receiver.behave = answers(503, "later", ["Retry-After: " + value])
    delivery = Delivery(world, receiver.url())
    delivery.send()
    assert least <= due(delivery) <= most


def test_retry_after_as_a_date_is_obeyed(world, receiver):
    at = datetime.fromtimestamp(int(time.time()) + 1800, timezone.utc)
    receiver.behave = answers(429, "later", ["Retry-After: " + format_datetime(at, usegmt=True)])
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_attempts(1)
    due_at = datetime.fromisoformat(delivery.await_state("WAITING")[0]["DueDate"])
    assert 0 <= (due_at - at).total_seconds() < 2


@pytest.mark.parametrize("form", [
    "%a, %d %b %Y %H:%M:%S UTC", "%a, %d %b %Y %H:%M:%S +0000", "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%SZ",
])
def test_retry_after_as_a_date_in_other_words_is_obeyed(world, receiver, form):
    """R6: whoever asks for a rest, in whatever form, gets it."""
    at = datetime.fromtimestamp(int(time.time()) + 1800, timezone.utc)
    receiver.behave = answers(503, "later", ["Retry-After: " + at.strftime(form)])
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_attempts(1)
    due_at = datetime.fromisoformat(delivery.await_state("WAITING")[0]["DueDate"])
    assert 0 <= (due_at - at).total_seconds() < 2


@pytest.mark.parametrize("status", [202, 204])
def test_a_2xx_that_does_not_count_says_what_would_make_it(world, receiver, status):
    """C11: the attempt's detail names the setting."""
    receiver.behave = answers(status, "")
    delivery = Delivery(world, receiver.url())
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert "Accept any 2xx" in attempt["Detail"], attempt
    assert "Accept any 2xx" in delivery.await_state("WAITING")[0]["LastError"]
    tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert "Accept any 2xx" in tested["Response"]["Detail"], tested


def test_an_answer_in_gzip_that_was_not_asked_for_is_told(world, receiver):
    """R7: plain text is asked for; what comes in gzip all the same cannot be looked at."""
    squeezed = gzip.compress(b"received")

    def squeezes(connection, _request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
                        % (len(squeezed), squeezed))
        return True
    receiver.behave = squeezes
    delivery = Delivery(world, receiver.url(), SuccessResponse="received")
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert receiver.requests[0].header("accept-encoding") == "identity"
    assert "the answer is gzip, which was not asked for" in attempt["Detail"], attempt
    delivery.change(SuccessResponse="")
    delivery.await_state("DELIVERED")


def test_a_receiver_that_is_down_is_not_probed_before_its_retry_after(world, receiver):
    """Three refusals turn the destination down."""
    receiver.behave = in_turn(*[answers(503, "later", ["Retry-After: 7"])] * 3, answers(200))
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send_many(8)
    requests = receiver.wait(8)
    refused_at = requests[2].at
    early = [round(request.at - refused_at, 2) for request in requests[3:]
             if request.at - refused_at < 6.9]  # two clocks, of which one counts milliseconds
    assert early == [], f"sent {early} s after the receiver asked for 7 s of peace"
    delivery.await_state("DELIVERED", 8, timeout=30)


def test_neither_an_outage_nor_a_resume_cuts_a_retry_after_short(world, receivers):
    """One postback is told to wait an hour; then the receiver is gone, and back: all others come,
    that one does not, until its owner says so."""
    receiver = receivers(in_turn(answers(429, "later", ["Retry-After: 3600"]), answers(200)))
    delivery = Delivery(world, receiver.url())
    patient = delivery.send(Oid="in an hour")
    delivery.await_attempts(1)
    receiver.close()
    others = delivery.send_many(10)
    await_until(lambda: f"destination_down notification={delivery.id}" in world.server.log(),
                "the destination is down")
    back = receivers(port=receiver.port)
    back.wait(10, timeout=30)
    delivery.await_state("DELIVERED", 10)
    delivery.do("Pause")
    delivery.do("Resume")
    others.append(delivery.send(Oid="after the resume"))
    rows = delivery.await_state("DELIVERED", 11)
    assert {row["EventId"] for row in rows} == set(others)
    waiting = delivery.await_state("WAITING")
    assert [(row["EventId"], row["Attempts"]) for row in waiting] == [(patient, "1")]
    delivery.retry(waiting[0]["Id"])
    delivery.await_state("DELIVERED", 12)


def test_retry_now_means_now_also_when_the_receiver_is_down(world, receiver):
    receiver.behave = in_turn(*[answers(503, "later", ["Retry-After: 3600"])] * 3, answers(200))
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send_many(3)
    await_until(lambda: f"destination_down notification={delivery.id}" in world.server.log(),
                "the destination is down")
    delivery.await_state("WAITING", 3)
    delivery.retry()
    assert len(receiver.wait(4)) == 4
    delivery.await_state("DELIVERED", 1)


def test_the_one_that_is_retried_is_the_probe(world, receiver):
    """R9: while the destination is down, the next request to it is the one that its owner picked."""
    receiver.behave = answers(503, "later", ["Retry-After: 3600"])
    delivery = Delivery(world, receiver.url("/{Oid}"), MaximumConcurrentRequests=1)
    for number in range(12):
        delivery.send(Oid=f"O-{number}")
    await_until(lambda: f"destination_down notification={delivery.id}" in world.server.log(),
                "the destination is down")
    waiting = {one["EventId"]: one["Id"] for one in delivery.await_state("WAITING", 12)}
    ids = [waiting[event] for event in sorted(waiting, key=int)]  # in the order of sending
    for number in (11, 4, 7, 4):
        before = len(receiver.requests)
        told = world.partner.ok(world.partner.post(f"Postbacks/{ids[number]}/Retry"))
        assert told["Turn"] in ("NEXT", "NOW"), told
        assert receiver.wait(before + 1)[before].target == f"/O-{number}"
        await_until(lambda: delivery.postback(ids[number])["LastError"].startswith("status 503"),
                    "the outcome is on disk")
    receiver.behave = answers(200)
    before = len(receiver.requests)
    delivery.retry(ids[9])
    delivery.await_state("DELIVERED", 1)
    assert receiver.requests[before].target == "/O-9"


def test_a_retry_says_when_it_goes_out(world, receivers):
    """R9: the words are true: sent, next, or held back by a pause."""
    receiver = receivers(answers(500))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_state("WAITING")
    told = world.partner.ok(world.partner.post(f"Postbacks/{delivery.postback()['Id']}/Retry"))
    assert (told["Turn"], told["Message"]) == ("NOW", "It is being sent.")
    receiver.wait(2)
    delivery.do("Pause")
    await_until(lambda: delivery.postback()["Attempts"] == "2", "the second outcome")
    told = await_until(lambda: held(world, delivery), "a retry that is held")
    assert "once its event notification sends again" in told["Message"]


def held(world, delivery):
    told = world.partner.ok(world.partner.post(f"Postbacks/{delivery.postback()['Id']}/Retry"))
    return told if told["Turn"] == "HELD" else None


# ---- how answers are framed ----

@pytest.mark.parametrize("name,answer,body", [
    ("chunked", chunks("Thank", "s ", "a lot"), "Thanks a lot"),
    ("chunked with a trailer", chunks("Thanks", trailer="X-Sum: 1\r\n"), "Thanks"),
    ("to the close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nThanks", "Thanks"),
    ("to the close, unannounced", "HTTP/1.1 200 OK\r\n\r\nThanks", "Thanks"),
    ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nThanks", "Thanks"),
    ("no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK", "OK"),
    ("100 before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", "OK"),
    ("103 and 102 before it", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                              "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nOK", "OK"),
    ("not UTF-8", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\x00A", "\ufffd\ufffdA"),
])
def test_an_answer_is_read_however_it_is_framed(world, receiver, name, answer, body):
    receiver.behave = says(answer)
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_state("DELIVERED")
    attempt = delivery.postback()["AttemptList"][0]
    assert attempt["Response"]["Body"] == body
    assert "Early" not in attempt["Response"]["Headers"] and "/a" not in attempt["Response"]["Headers"]


def test_one_connection_is_kept_and_used_again(world, receiver):
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send_many(30)
    receiver.wait(30)
    assert receiver.connections == 1


def test_a_connection_that_the_receiver_closes_is_not_used_again(world, receiver):
    receiver.behave = lambda connection, request: not connection.answer(
        200, "OK", ["Connection: close"])
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send_many(5)
    rows = delivery.await_state("DELIVERED", 5)
    assert receiver.connections == 5 and {row["Attempts"] for row in rows} == {"1"}


def test_a_kept_connection_that_turns_out_closed_is_no_failure(world, receiver):
    """Closed without a word when the second request comes over it: sent once more on a new one."""
    on_one = {}

    def closes_on_the_second(connection, request):
        on_one[connection.sock] = on_one.get(connection.sock, 0) + 1
        return on_one[connection.sock] == 1 and connection.answer(200)
    receiver.behave = closes_on_the_second
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    for number in range(3):
        delivery.send(Oid=f"O-{number}")
        delivery.await_state("DELIVERED", number + 1)
    rows = delivery.postbacks()
    assert {row["Attempts"] for row in rows} == {"1"}, "the receiver's close counts as no try"
    came = [request.header("webhook-id") for request in receiver.requests]
    assert set(came) == {row["Id"] for row in rows}
    assert receiver.connections == 3


def test_what_is_sent_once_more_counts_against_maximum_requests(world, receiver):
    """The receiver reads the second request of each connection before it closes."""
    on_one = {}

    def closes_on_the_second(connection, request):
        on_one[connection.sock] = on_one.get(connection.sock, 0) + 1
        return on_one[connection.sock] == 1 and connection.answer(200)
    receiver.behave = closes_on_the_second
    delivery = Delivery(world, receiver.url(), MaximumRequests=4)
    delivery.send_many(12)
    delivery.await_state("DELIVERED", 12)
    times = [request.at for request in receiver.requests]
    assert max(sum(1 for other in times if 0 <= other - first < 0.95) for first in times) <= 4
