"""An account with many event notifications and deep queues does not delay an account with one."""

import contextlib
import socket
import time

from harness.delivery import LIFECYCLE, Delivery
from harness.receiver import hangs
from harness.server import Server, World, await_until

LANES, EVENTS, MIB = 300, 10, 1024 * 1024


def slow(connection, _request):
    connection.stopped.wait(1)
    return connection.answer(200)


def test_an_account_with_many_notifications_delays_no_other(world, receivers):
    busy, other = receivers(slow), receivers()
    first = Delivery(world, busy.url())
    for number in range(1, LANES):
        world.notify(first.api, busy.url(f"/{number}"), Category=LIFECYCLE)
    small = Delivery(world, other.url(), account=world.account("PARTNER", "Small"))
    for _ in range(EVENTS):
        first.send()
    busy.wait(100)
    for number in range(1, 21):
        sent = time.monotonic()
        small.send(Oid=f"O-{number}")
        took = other.wait(number)[-1].at - sent
        assert took < 3, f"postback {number} came after {took:.2f} s"
    assert len(busy.requests) < LANES * EVENTS, "the busy account's queues were not deep enough"


def test_large_bodies_to_hanging_receivers_have_a_share(world, receivers):
    """A4, the other way out: a request stays in memory until it is answered, so one account's have
    56 MiB of it together, and another's postbacks go out meanwhile."""
    hanging, other = receivers(hangs), receivers()
    large = {"BodyFormat": "TEXT", "BodyTemplate": "{Oid}" * 15}
    first = Delivery(world, hanging.url(), **large)
    for number in range(1, 40):
        world.notify(first.api, hanging.url(f"/{number}"), Category=LIFECYCLE, **large)
    small = Delivery(world, other.url(), account=world.account("PARTNER", "Small"))
    for _ in range(8):
        first.send(Oid="x" * 60_000)
    hanging.wait(60)
    small.send_many(20)
    other.wait(20)
    sent = sum(len(one.body) for one in hanging.requests)
    assert 50 * MIB < sent < 60 * MIB, f"{sent / MIB:.1f} MiB are on their way"


@contextlib.contextmanager
def server_of_few_descriptors(*flags):
    server = Server(*flags)
    whole = server.command()
    server.command = lambda: ["prlimit", "--nofile=256:256", *whole]
    with server:
        yield server
        assert server.stop() == 0, server.log()


def test_few_descriptors_cost_nobody_elses_postbacks(receivers):
    """Hanging receivers of one account take all that there are for postbacks, and no more."""
    hanging, other = receivers(hangs), receivers()
    with server_of_few_descriptors("--drain", "0") as server:
        world = World(server)
        first = Delivery(world, hanging.url())
        for number in range(1, 80):
            world.notify(first.api, hanging.url(f"/{number}"), Category=LIFECYCLE)
        small = Delivery(world, other.url(), account=world.account("PARTNER", "Small"))
        for _ in range(8):
            first.send()
        hanging.wait(70)
        small.send_many(5)
        other.wait(5, timeout=20)
        assert ("warn few file descriptors limit=256 enough=6208 connections_to_receivers=96 "
                in server.log()), server.log()


def test_clients_that_take_all_descriptors_delay_postbacks_and_fail_none(receiver):
    with server_of_few_descriptors() as server:
        world = World(server)
        delivery = Delivery(world, receiver.url(), account=world.account("PARTNER", "Patient"))
        delivery.api.get("Notices")  # its connection is kept
        with contextlib.ExitStack() as clients:
            for _ in range(300):
                clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            await_until(lambda: "no connection can be taken" in server.log(), "none is left")
            delivery.send_many(5)
            delivery.await_state("DELIVERING", 5)
            assert receiver.requests == []
        receiver.wait(5)
        delivery.await_state("DELIVERED", 5)
        assert all(one["Attempts"] == "1" for one in delivery.postbacks())


def test_no_descriptor_until_the_deadline_is_not_the_receivers_failure(receiver):
    with server_of_few_descriptors("--deadline", "1") as server:
        world = World(server)
        delivery = Delivery(world, receiver.url(), account=world.account("PARTNER", "Patient"))
        delivery.api.get("Notices")
        with contextlib.ExitStack() as clients:
            for _ in range(300):
                clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            await_until(lambda: "no connection can be taken" in server.log(), "none is left")
            delivery.send()
            attempt = delivery.await_attempts(1)[0]
            assert (attempt["Error"], attempt["Verdict"]) == ("no_room", "failed")
            assert attempt["Detail"] == "timed out after 1 s: waiting for a file descriptor"
        receiver.wait(1)
