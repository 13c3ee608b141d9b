"""Receivers that hang, reset, trickle, lie, and never end; addresses that are not there or not
allowed.  Nothing they do loses a postback or holds up another's."""

import socket

import pytest

from harness.delivery import Delivery, milliseconds
from harness.hostile import resets_after, says, trickles, without_end
from harness.receiver import Receiver, answers, hangs, in_turn, resets
from harness.server import Server, World, await_until

SERVER_FLAGS = ["--deadline", "2"]
DEADLINE_MS = 2000

OK = "HTTP/1.1 200 OK\r\n"


def fails_then_delivers(world, receiver, behaviour, error, detail):
    """One try fails as told, the postback is kept, and its next try delivers; gives the attempt."""
    receiver.behave = in_turn(behaviour, answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send(Oid="kept")
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Verdict"]) == (error, "destination"), attempt
    assert detail in attempt["Detail"], attempt["Detail"]
    row = delivery.await_state("WAITING")[0]
    assert row["LastError"].startswith(error)
    first, second = delivery.sent_after_retry(receiver, 2)
    assert first.header("webhook-id") == second.header("webhook-id") and first.body == second.body
    delivery.await_state("DELIVERED")
    return attempt


# ---- the deadline ----

@pytest.mark.parametrize("name,behaviour", [
    ("never answers", hangs),
    ("answers in part", says(OK + "Content-Length: 10\r\n\r\nhalf", stay=True)),
    ("trickles its headers", trickles(OK + "X-Filler: " + "x" * 100)),
    ("trickles its body", trickles("HTTP/1.1 200 OK\r\n\r\n" + "x" * 100, 0.08)),
    ("trickles chunks", trickles(OK + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\nx\r\n" * 50, 0.06)),
    ("goes on with interim answers", trickles("HTTP/1.1 102 Wait\r\n\r\n" * 8, 0.05)),
])
def test_the_deadline_is_for_the_whole_exchange(world, receiver, name, behaviour):
    attempt = fails_then_delivers(world, receiver, behaviour, "timeout", "timed out after 2 s")
    assert DEADLINE_MS - 10 <= milliseconds(attempt) < 2 * DEADLINE_MS


def test_a_receiver_that_accepts_no_connection_meets_the_deadline(world):
    """Its backlog is full: the kernel answers nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        delivery = Delivery(world, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        delivery.send()
        attempt = delivery.await_attempts(1)[0]
        for filler in fillers:
            filler.close()
    assert (attempt["Error"], attempt["Verdict"]) == ("timeout", "destination")
    assert "connecting" in attempt["Detail"]


# ---- broken answers ----

@pytest.mark.parametrize("name,behaviour", [
    ("resets at once", resets),
    ("resets in the headers", resets_after(OK + "Content-Le")),
    ("resets in the body", resets_after(OK + "Content-Length: 10\r\n\r\nhalf")),
    ("closes without a word", says("")),
    ("closes in the status line", says("HTTP/1.1 20")),
    ("closes in the headers", says(OK + "Content-Length: 2\r\n")),
    ("closes before its announced end", says(OK + "Content-Length: 100\r\n\r\nshort")),
    ("closes in a chunk", says(OK + "Transfer-Encoding: chunked\r\n\r\na\r\nhalf")),
    ("closes before the last chunk", says(OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n")),
    ("closes after an interim answer", says("HTTP/1.1 100 Continue\r\n\r\n")),
])
def test_an_answer_that_is_cut_off_delivers_nothing(world, receiver, name, behaviour):
    fails_then_delivers(world, receiver, behaviour, "reset", "")


@pytest.mark.parametrize("name,behaviour,detail", [
    ("another protocol", says("SSH-2.0-OpenSSH_9.2\r\n"), "speaks SSH"),
    ("a frame of HTTP/2", says(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64\0\4\0\x10\0\0\0\6\0\1\0\0",
                               stay=True), "speaks HTTP/2 only"),
    ("an alert of TLS", says(b"\x15\3\3\0\2\2\x46", stay=True), "speaks TLS on this port"),
    ("a server of mail", says("220 mail.example ESMTP\r\n", stay=True), "speaks SMTP"),
    ("noise", says(bytes(range(256))), ""),
    ("a page without a header", says("<html>200 OK</html>\r\n\r\n"), ""),
    ("HTTP/2", says("HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nOK"), "not HTTP/1.x"),
    ("no number for a status", says("HTTP/1.1 abc OK\r\n\r\n"), ""),
    ("a status under 100", says("HTTP/1.1 099 OK\r\n\r\n"), "status"),
    ("a switch of protocols", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"
                                   "Connection: Upgrade\r\n\r\n"), "another protocol"),
    ("two lengths", says(OK + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nOKx"), ""),
    ("a length below nought", says(OK + "Content-Length: -2\r\n\r\nOK"), ""),
    ("a length past all numbers", says(OK + "Content-Length: 99999999999999999999999\r\n\r\nOK"), ""),
    ("chunks of no size", says(OK + "Transfer-Encoding: chunked\r\n\r\nzz\r\nOK\r\n"), ""),
    ("a chunk past all numbers", says(OK + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), ""),
    ("a NUL in a header", says(OK.encode() + b"X-A: b\x00c\r\n\r\n"), ""),
    ("interim answers without end", without_end("", "HTTP/1.1 102 Wait\r\n\r\n" * 20), "interim"),
    ("headers without end", without_end(OK, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 20),
     "over 64 KiB"),
    ("a header without end", without_end(OK + "X-Filler: ", "x" * 4096), "over 64 KiB"),
    ("a header's name without end", without_end(OK, "x" * 4096), "over 64 KiB"),
    ("a reason without end", without_end("HTTP/1.1 200 ", "OK " * 1000), "over 64 KiB"),
])
def test_what_is_not_http_delivers_nothing(world, receiver, name, behaviour, detail):
    """R5 and R8: what is no answer, or leaves in doubt where it ends; each in its own words."""
    attempt = fails_then_delivers(world, receiver, behaviour, "bad_answer", detail)
    assert attempt["Detail"], "a person is told what is wrong"


BIG = "".join(f"X-Filler-{number:03}: {'x' * 87}\r\n" for number in range(86))  # 8.6 KiB


@pytest.mark.parametrize("name,answer", [
    ("8.6 KiB of headers", OK + BIG + "Content-Length: 2\r\n\r\nOK"),
    ("60 KiB of headers", OK + BIG * 7 + "Content-Length: 2\r\n\r\nOK"),
    ("one header of 20 KiB", OK + "Set-Cookie: " + "c" * 20000 + "\r\nContent-Length: 2\r\n\r\nOK"),
    ("the same length twice", OK + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nOK"),
    ("the same length twice in a line", OK + "Content-Length: 2, 2\r\n\r\nOK"),
    ("length and chunks", OK + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "2\r\nOK\r\n0\r\n\r\n"),
    ("chunked twice", OK + "Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
    ("chunked in two lines", OK + 2 * "Transfer-Encoding: chunked\r\n" + "\r\n2\r\nOK\r\n0\r\n\r\n"),
    ("a reason of 10 KiB", "HTTP/1.1 200 " + "because " * 1280 + "\r\nContent-Length: 2\r\n\r\nOK"),
    ("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nOK"),
    ("a line without a colon", OK + "what is this\r\nContent-Length: 2\r\n\r\nOK"),
    ("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nOK"),
    ("small letters", "http/1.1 200 ok\r\ncontent-length: 2\r\n\r\nOK"),
    ("an interim answer with a length", "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n" + OK +
     "Content-Length: 2\r\n\r\nOK"),
    ("a space before the colon", OK + "Content-Length : 2\r\n\r\nOK"),
], ids=lambda one: one if len(one) < 40 else "")
def test_an_answer_whose_verdict_is_clear_delivers(world, receiver, name, answer):
    """R5: read as it was meant, though the receiver stays and says nothing more."""
    receiver.behave = says(answer, stay=True)
    delivery = Delivery(world, receiver.url(), SuccessResponse="OK")
    delivery.send()
    delivery.await_state("DELIVERED", timeout=10)
    response = delivery.postback()["AttemptList"][0]["Response"]
    assert response["Status"] == "200" and len(response["Headers"]) <= 8192


@pytest.mark.parametrize("name,start,piece", [
    ("to the close", OK + "\r\n", "x" * 8192),
    ("by its length", OK + "Content-Length: 999999999999\r\n\r\n", "x" * 8192),
    ("in chunks", OK + "Transfer-Encoding: chunked\r\n\r\n", "2000\r\n" + "x" * 8192 + "\r\n"),
    ("in chunks of a byte", OK + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n" * 1000),
])
def test_a_body_without_end_is_cut_off(world, receiver, name, start, piece):
    """The status is there, so it counts; 1 MiB is read, 16 KiB looked at, and the rest left."""
    receiver.behave = in_turn(without_end(start, piece), answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_state("DELIVERED")
    attempt = delivery.postback()["AttemptList"][0]
    assert attempt["Response"]["Truncated"] == "true"
    assert 0 < len(attempt["Response"]["Body"]) <= 16 * 1024
    delivery.send()
    delivery.await_state("DELIVERED", 2)
    assert receiver.connections == 2, "what is left of the body is not read as the next answer"


def test_a_failed_answers_first_16_kib_are_kept(world, receiver):
    receiver.behave = answers(500, "0123456789" * 5000)
    delivery = Delivery(world, receiver.url())
    delivery.send()
    response = delivery.await_attempts(1)[0]["Response"]
    assert response["Body"] == ("0123456789" * 5000)[:16 * 1024]
    assert response["Truncated"] == "true"


def test_bytes_past_the_announced_end_are_not_the_next_answer(world, receiver):
    """A length that is too short, and a second answer smuggled behind the first."""
    lie = OK + "Content-Length: 2\r\n\r\nOK and more HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    refused = answers(500)
    receiver.behave = in_turn(says(lie, stay=True), refused)
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send(Oid="first")
    delivery.await_state("DELIVERED")
    second = delivery.send(Oid="second")

    def tried():
        return [row for row in delivery.postbacks(State="WAITING")
                if row["EventId"] == second and row["Attempts"] != "0"]
    assert await_until(tried, "an attempt at the second")[0]["LastStatus"] == "500"
    assert receiver.connections == 2


def test_an_answer_that_comes_before_the_request_is_not_taken_for_one(world, receivers):
    """A connection that speaks while it is idle is dropped."""
    early = OK + "Content-Length: 2\r\n\r\nOK"
    receiver = receivers(says(early + early, stay=True))
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send()
    delivery.await_state("DELIVERED")
    delivery.send()
    delivery.await_state("DELIVERED", 2)
    assert receiver.connections == 2 and len(receiver.requests) == 2


# ---- who hangs harms no other ----

@pytest.fixture(scope="module")
def patient():
    """A server with the usual deadline of 30 s."""
    with Server() as running:
        yield running
        running.close()


def test_a_hanging_receiver_holds_up_nobody_else(patient, receivers):
    """100 events for each of three hanging receivers and a healthy one, of one account and of
    another: the healthy ones have all of theirs before any of the hanging has met its deadline."""
    world = World(patient)
    hanging = [Delivery(world, receivers(hangs).url()) for _ in range(3)]
    healthy, others = receivers(), receivers()
    beside = Delivery(world, healthy.url())
    other = Delivery(world, others.url(), account=world.account("PARTNER", "Other"))
    for _ in range(100):
        beside.send()  # goes to the hanging three as well: they are of the same account
        other.send()
    healthy.wait(100, timeout=25)
    others.wait(100, timeout=25)
    beside.await_state("DELIVERED", 100)
    other.await_state("DELIVERED", 100)
    for delivery in hanging:
        health = world.partner.ok(world.partner.get(f"{delivery.path}/Health"))
        assert (health["Pending"], health["FailedAttempts"]) == ("100", "0"), "none has ended yet"


def test_a_dead_destination_is_probed_by_one_and_catches_up_by_itself(world, receivers):
    """Refused connections turn it down; when something listens again all is delivered."""
    gone = receivers()
    gone.close()
    delivery = Delivery(world, gone.url())
    events = delivery.send_many(40)
    await_until(lambda: f"destination_down notification={delivery.id}" in world.server.log(),
                "the destination is down")
    back = receivers(port=gone.port)
    back.wait(40, timeout=30)
    rows = delivery.await_state("DELIVERED", 40, timeout=30)
    assert {row["EventId"] for row in rows} == set(events)
    assert len({request.header("webhook-id") for request in back.requests}) == 40
    assert len(back.requests) == 40, "each exactly once"


def test_what_failed_first_goes_out_first_when_the_receiver_is_back(world, receivers):
    """Oldest first: not behind all that came while it was down."""
    gone = receivers()
    gone.close()
    delivery = Delivery(world, gone.url("/{Oid}"), MaximumConcurrentRequests=1)
    delivery.send_many(40)
    await_until(lambda: f"destination_down notification={delivery.id}" in world.server.log(),
                "the destination is down")
    back = receivers(port=gone.port)
    delivery.await_state("DELIVERED", 40, timeout=30)
    probe, *rest = [request.target for request in back.requests]
    # The probe is the oldest, or the one after it, if the receiver came back just behind a probe.
    assert probe in ("/O-0", "/O-1"), probe
    assert rest == [f"/O-{n}" for n in range(40) if f"/O-{n}" != probe]


# ---- addresses ----

def test_ipv6(world, receivers):
    receiver = receivers(family=socket.AF_INET6)
    delivery = Delivery(world, receiver.url(host="[::1]"))
    delivery.send()
    request = receiver.wait(1)[0]
    assert request.header("host") == f"[::1]:{receiver.port}"
    delivery.await_state("DELIVERED")


def test_a_name_is_resolved(world, receiver):
    delivery = Delivery(world, receiver.url(host="localhost"))
    delivery.send()
    assert receiver.wait(1)[0].header("host") == f"localhost:{receiver.port}"
    delivery.await_state("DELIVERED")


def test_a_refused_connection_is_told(world):
    with Receiver() as gone:
        url = gone.url()
    delivery = Delivery(world, url)
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Verdict"]) == ("connect", "destination")
    assert "refused" in attempt["Detail"].lower()
    assert attempt["Response"]["Status"] == ""
    assert delivery.await_state("WAITING")[0]["LastError"].startswith("connect: ")


def test_a_name_that_is_unknown_is_told(world):
    delivery = Delivery(world, "http://no-such-host.invalid/in")
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Verdict"] == "destination"
    assert attempt["Error"] == "dns", attempt
    delivery.await_state("WAITING")


@pytest.fixture(scope="module")
def closed_in():
    """A server that may call no private address but one that is of no use here."""
    with Server("--allow-egress", "10.255.255.0/30", "--deadline", "2") as running:
        yield running
        running.close()


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fd00::1]",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
])
def test_private_addresses_are_refused(closed_in, receiver, host):
    world = World(closed_in)
    delivery = Delivery(world, receiver.url(host=host))
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Verdict"]) == ("refused_address", "destination"), attempt
    assert receiver.connections == 0
    tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
    assert tested["Response"]["Error"] == "refused_address"
    assert receiver.connections == 0


@pytest.mark.parametrize("host", [
    "168.63.129.16", "[::ffff:168.63.129.16]", "[64:ff9b::a83f:8110]", "[64:ff9b:1::a83f:8110]",
    "[2002:a83f:8110::]", "100.100.100.200", "192.0.0.192", "[fd00:ec2::254]", "[fd20:ce::254]",
    "199.36.153.8",
])
def test_platform_addresses_of_clouds_are_refused(closed_in, host):
    """R2: no registry lists them all; none is called."""
    world = World(closed_in)
    tested = world.partner.ok(world.partner.post(
        f"EventNotifications/{world.notify(world.partner, f'http://{host}/')['Id']}/Test", {}))
    assert tested["Response"]["Error"] == "refused_address", tested["Response"]


@pytest.mark.parametrize("host", [
    "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.",
    "168.63.129.16.", "2823782672", "0xa83f8110", "0250.077.0201.020", "168.63.33040",
])
def test_other_spellings_of_an_address_do_not_get_past(closed_in, receiver, host):
    """R2: either the URL is refused when it is saved, or the address when it is called."""
    world = World(closed_in)
    made = world.partner.post("EventNotifications", {
        "Category": "Action Lifecycle Events", "Method": "GET", "Url": receiver.url(host=host)})
    if made.status_code == 400:
        assert [each["Field"] for each in made.json()["Errors"]] == ["Url"]
        return
    tested = world.partner.ok(world.partner.post(f"EventNotifications/{made.json()['Id']}/Test", {}))
    assert tested["Response"]["Error"] == "refused_address"
    assert receiver.connections == 0
