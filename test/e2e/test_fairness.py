"""An account with many event notifications and deep queues does not delay an account with one."""

import time

from harness.delivery import LIFECYCLE, Delivery

LANES, EVENTS = 300, 10


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
        assert took < 1, f"postback {number} came after {took:.2f} s"
    assert len(busy.requests) < LANES * EVENTS, "the busy account's queues were not deep enough"
