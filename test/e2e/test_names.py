"""Receivers by name: the name server fails, is slow, lies, changes its answer."""

import contextlib
import json
import socket
import subprocess
import threading

import pytest

from harness.delivery import Delivery
from harness.names import (NXDOMAIN, REFUSED, SERVFAIL, Names, after, forged, garbage, only_by_tcp,
                           silent)
from harness.receiver import answers
from harness.server import BINARY, Server, await_until


@pytest.fixture(scope="module")
def names():
    with Names() as listening:
        yield listening


@pytest.fixture(scope="module")
def server(names):
    with Server("--name-servers", names.address, "--deadline", "8") as running:
        yield running
        assert running.process.poll() is None, running.log()
        assert running.stop() == 0, running.log()


HERE = [("127.0.0.1", 1)]


def reason(delivery):
    """Of the first attempt."""
    attempt = delivery.await_attempts(1, timeout=30)[0]
    return f"{attempt['Error']}: {attempt['Detail']}"


FAILURES = {
    "servfail": (SERVFAIL, "no name server gave an answer"),
    "nxdomain": (NXDOMAIN, "does not exist"),
    "refused": (REFUSED, "no name server gave an answer"),
    "empty": ([], "has no address"),
    "garbage": (garbage, "the name server failed"),
    "silent": (silent, "resolving the name"),
    "forged": (forged(HERE), "resolving the name"),
}


def test_a_failure_is_told_and_heals_within_one_back_off(server, world, names, receivers):
    """All kinds at once."""
    failing = {}
    for kind, (failure, _) in FAILURES.items():
        names.records[f"{kind}.test"] = failure
        at = receivers()
        failing[kind] = at, Delivery(world, at.url(host=f"{kind}.test"))
    failing["servfail"][1].send()  # one event, to all of them
    attempts = {}
    for kind, (at, delivery) in failing.items():
        told = reason(delivery)
        assert told.startswith("dns") or kind in ("silent", "forged"), told
        assert FAILURES[kind][1] in told, told
        assert at.requests == []
        names.records[f"{kind}.test"] = HERE
        attempts[kind] = len(delivery.await_attempts())
    for kind, (at, delivery) in failing.items():
        (row,) = delivery.await_state("DELIVERED", timeout=60)
        made = len(delivery.postback(row["Id"])["AttemptList"])
        # one may have been under way when the name was mended
        assert made <= attempts[kind] + 2, f"{kind}: {made} attempts, {attempts[kind]} before"


def test_a_slow_name_server_delays_its_own_receiver_only(server, world, names, receivers):
    slow, at = receivers(), receivers()
    asked_long_enough = threading.Event()

    def slow_server(query, send):
        asked_long_enough.wait(30)
        send(query.reply(HERE))

    names.records["slow.test"] = slow_server
    names.records["quick.test"] = HERE
    late = Delivery(world, slow.url(host="slow.test"))
    quick = Delivery(world, at.url(host="quick.test"), account=world.account("PARTNER", "Quick"))
    late.send()
    await_until(lambda: "slow.test" in names.asked, "the slow name is asked for")
    quick.send_many(50)
    at.wait(50)
    assert slow.requests == []
    asked_long_enough.set()
    slow.wait(1)
    late.await_state("DELIVERED")


def test_a_hundred_silent_names_delay_nobody(server, world, names, receivers):
    at = receivers()
    names.records["calm.test"] = HERE
    dead = world.account("PARTNER", "Dead Names")
    for number in range(100):
        names.records[f"dead-{number}.test"] = silent
        Delivery(world, f"http://dead-{number}.test:{at.port}/", account=dead)
    quick = Delivery(world, at.url(host="calm.test"))
    assert dead.post("/Events", {"Type": "action.tracked", "AccountSids": [dead.sid],
                                 "Data": {"Oid": "1"}}).status_code == 202
    await_until(lambda: sum(name.startswith("dead-") for name in set(names.asked)) > 50,
                "silent names are asked for")
    quick.send_many(20)
    at.wait(20, timeout=7)  # less than the 8 s after which a silent name is given up


def test_an_answer_by_tcp_when_it_does_not_fit(server, world, names, receiver):
    names.records["long.test"] = only_by_tcp(HERE)
    delivery = Delivery(world, receiver.url(host="long.test"))
    delivery.send()
    receiver.wait(1)


@pytest.mark.parametrize("ttl", [1, 3600])
def test_a_receiver_that_moved_is_found_within_one_back_off(server, world, names, receivers, ttl):
    """The old address is dead; the TTL may promise that it lives."""
    host = f"moved-{ttl}.test"
    old = receivers()
    names.records[host] = [("127.0.0.1", ttl)]
    delivery = Delivery(world, old.url(host=host))
    delivery.send_many(5)
    delivery.await_state("DELIVERED", 5)
    old.close()
    new = receivers(address="127.0.0.2", port=old.port)
    names.records[host] = [("127.0.0.2", ttl)]
    ids = delivery.send_many(5)
    new.wait(5, timeout=60)
    assert {json.loads(one.body)["EventId"] for one in new.requests} == set(ids)
    for row in delivery.await_state("DELIVERED", 10):
        made = delivery.postback(row["Id"])["AttemptList"]
        assert len(made) <= 2, f"more than one back-off: {made}"


def test_a_receiver_that_moved_away_from_a_silent_address_is_found(server, world, names,
                                                                    receivers):
    """No connection comes about: the deadline ends the attempt."""
    with silent_address() as port:
        names.records["gone.test"] = [("127.0.0.3", 3600)]
        at = receivers(address="127.0.0.2", port=port)
        delivery = Delivery(world, f"http://gone.test:{port}/")
        delivery.send()
        assert reason(delivery).startswith("timeout")
        names.records["gone.test"] = [("127.0.0.2", 3600)]
        at.wait(1, timeout=60)
        made = delivery.await_attempts(2)
        assert len(made) == 2, f"more than one back-off: {made}"


@contextlib.contextmanager
def silent_address():
    """127.0.0.3 at a port whose queue of connections is full."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.3", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fill = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(4)]
    for one in fill:
        one.setblocking(False)
        one.connect_ex(("127.0.0.3", port))
    try:
        yield port
    finally:
        for one in (*fill, listener):
            one.close()


def test_one_dead_address_of_two_costs_no_attempt(server, world, names, receivers):
    at = receivers()
    names.records["two.test"] = [("127.0.0.9", 5), ("127.0.0.1", 5), ("::1", 5)]
    delivery = Delivery(world, at.url(host="two.test"))
    delivery.send_many(5)
    at.wait(5)
    delivery.await_state("DELIVERED", 5)
    assert all(len(delivery.postback(one["Id"])["AttemptList"]) == 1
               for one in delivery.postbacks(State="DELIVERED"))


def test_name_servers_that_cannot_be_read_are_told_at_the_start(tmp_path):
    done = subprocess.run([BINARY, "serve", "--data", str(tmp_path / "data"), "--listen",
                           "127.0.0.1:0", "--name-servers", "not an address"],
                          capture_output=True, text=True, timeout=40)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "--name-servers: “not an address” cannot be used" in done.stderr, done.stderr
    assert "Sanitizer" not in done.stderr, done.stderr


def most_in_a_second(receiver):
    times = [request.at for request in receiver.requests]
    return max(sum(1 for other in times if 0 <= other - first < 0.95) for first in times)


def test_maximum_requests_hold_after_a_slow_look_up(server, world, names, receiver):
    """What waited for a connection does not go out all at once."""
    names.records["tardy.test"] = after(4, [("127.0.0.1", 60)])
    delivery = Delivery(world, receiver.url(host="tardy.test"), MaximumRequests=2)
    delivery.send_many(14)
    times = [request.at for request in receiver.wait(12)]
    # Of the look-up's four seconds eight would be due at once; two may arrive late beside two others.
    assert most_in_a_second(receiver) <= 4, times
    assert times[11] - times[0] >= 4, times


@pytest.mark.parametrize("answer", [200, 503])
def test_a_name_that_leads_elsewhere_is_followed_though_the_old_address_answers(
        server, world, names, receivers, answer):
    """Under load, over connections that are kept."""
    host, old = f"elsewhere-{answer}.test", receivers()
    names.records[host] = [("127.0.0.1", 1)]
    delivery = Delivery(world, old.url(host=host))
    delivery.send_many(5)
    old.wait(5)
    old.behave = answers(answer)
    new = receivers(address="127.0.0.2", port=old.port)
    names.records[host] = [("127.0.0.2", 1)]
    await_until(lambda: delivery.send() and new.requests, "a request to the new address", 10)
    # One that was being dialled when the name was looked up is left with the next look-up.
    await_until(lambda: delivery.send() and not old.open, "the old address is left")


def test_a_503_is_not_repeated_to_an_address_that_the_name_has_left(server, world, names,
                                                                    receivers):
    """One postback, and a TTL that promises the old address for an hour."""
    old = receivers()
    names.records["left.test"] = [("127.0.0.1", 3600)]
    delivery = Delivery(world, old.url(host="left.test"))
    delivery.send_many(2)
    delivery.await_state("DELIVERED", 2)
    old.behave = answers(503)
    new = receivers(address="127.0.0.2", port=old.port)
    names.records["left.test"] = [("127.0.0.2", 3600)]
    delivery.send()
    new.wait(1, timeout=60)
    assert len(old.requests) == 3


def test_a_kept_connection_outlives_failing_name_servers(server, world, names, receiver):
    failed = []

    def fails(query, send):
        failed.append(query.type)
        send(query.failure(SERVFAIL))

    names.records["lasting.test"] = HERE
    delivery = Delivery(world, receiver.url(host="lasting.test"), MaximumConcurrentRequests=1)
    delivery.send_many(5)
    receiver.wait(5)
    asked = names.asked.count("lasting.test")
    names.records["lasting.test"] = fails
    await_until(lambda: delivery.send() and failed, "a look-up that fails")
    failed.clear()
    await_until(lambda: delivery.send() and failed, "another")
    delivery.await_state("DELIVERED", len(receiver.requests))
    assert receiver.connections == 1
    assert asked <= 4, "A and AAAA, at the first connection and at most once more"
