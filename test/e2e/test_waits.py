"""Why a postback waits: WaitReason, with since when and until when, in lists and on its own."""

import datetime

import pytest

from harness.delivery import Delivery
from harness.receiver import answers, hangs, resets
from harness.server import Server, World, await_until


def at(text):
    return datetime.datetime.fromisoformat(text)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def await_reason(work, reason, which=-1):
    """The row in the list (by default the oldest) when it waits for this; its own page says the same."""
    seen = []

    def found():
        rows = work.postbacks(PageSize=1000)
        seen[:] = [row["WaitReason"] for row in rows]
        return rows and rows[which]["WaitReason"] == reason and rows[which]
    try:
        row = await_until(found, f"a postback that waits for {reason}")
    except AssertionError as error:
        raise AssertionError(f"{error}; they wait for {seen}") from None
    alone = work.postback(row["Id"])
    assert alone["WaitReason"] in (reason, ""), (reason, alone["WaitReason"])
    return row


def soon(text, seconds=90):
    """A time that lies ahead, but not far."""
    return now() - datetime.timedelta(seconds=2) <= at(text) <= now() + datetime.timedelta(seconds=seconds)


def just_now(text, seconds=60):
    return now() - datetime.timedelta(seconds=seconds) <= at(text) <= now() + datetime.timedelta(seconds=2)


def test_what_does_not_wait_has_no_reason(world, receiver):
    """P15: only what waits has one."""
    work = Delivery(world, receiver.url())
    work.send()
    row = work.await_state("DELIVERED")[0]
    assert (row["WaitReason"], row["WaitSinceDate"], row["WaitUntilDate"]) == ("", "", "")


def test_a_retry_waits_for_its_time(world, receivers):
    """P15: RETRY, until its next try."""
    work = Delivery(world, receivers(answers(500)).url())
    work.send()
    row = await_reason(work, "RETRY")
    assert row["WaitUntilDate"] == row["DueDate"] and soon(row["WaitUntilDate"])


def test_a_delay_waits_for_its_time(world, receiver):
    """P15: DELAY, since it was made and until it is due."""
    work = Delivery(world, receiver.url(), MinimumDelay=600)
    work.send()
    row = await_reason(work, "DELAY")
    assert at(row["WaitUntilDate"]) - at(row["WaitSinceDate"]) >= datetime.timedelta(seconds=599)


def test_a_paused_and_a_held_one(world, receiver, receivers):
    """P15: PAUSED and HELD, since when; not since an edit meanwhile."""
    work = Delivery(world, receiver.url())
    work.do("Pause")
    work.send()
    assert just_now(await_reason(work, "PAUSED")["WaitSinceDate"])
    work.change(Name="Another")
    assert await_reason(work, "PAUSED")["WaitSinceDate"] == ""
    gone = Delivery(world, receivers(answers(410)).url())
    gone.send()
    assert just_now(await_reason(gone, "HELD")["WaitSinceDate"])


def test_a_receiver_that_is_down(world, receivers):
    """P15: RECEIVER_DOWN, since when and until its next probe."""
    work = Delivery(world, receivers(resets).url())
    work.send_many(20)
    row = await_reason(work, "RECEIVER_DOWN")
    assert just_now(row["WaitSinceDate"])
    assert await_until(lambda: (lambda row: row["WaitUntilDate"] and soon(row["WaitUntilDate"]))(
        await_reason(work, "RECEIVER_DOWN")), "the next probe's time")


def test_an_order_waits_for_the_first(world, receivers):
    """P15: ORDER behind the first that failed; the first itself waits for its own time."""
    work = Delivery(world, receivers(answers(500)).url(), Ordered="true")
    work.send_many(3)
    await_reason(work, "ORDER", which=0)
    first = await_reason(work, "RETRY", which=-1)
    assert first["WaitUntilDate"] == first["DueDate"]


def test_a_rate_and_a_window(world, receivers):
    """P15: RATE and CONCURRENCY, since they were due."""
    paced = Delivery(world, receivers().url(), MaximumRequests=1)
    paced.send_many(600)  # more than a lane holds: the rest waits on disk
    row = await_reason(paced, "RATE", which=0)
    assert just_now(row["WaitSinceDate"]) and row["WaitUntilDate"] == ""
    paced.api.ok(paced.api.delete(paced.path))
    busy = Delivery(world, receivers(hangs).url(), MaximumConcurrentRequests=2)
    busy.send_many(600)
    assert just_now(await_reason(busy, "CONCURRENCY", which=0)["WaitSinceDate"])
    busy.api.ok(busy.api.delete(busy.path))


def test_maintenance(receiver):
    """P15: MAINTENANCE, since it took force and until it is expected to end."""
    with Server() as server:
        world = World(server)
        work = Delivery(world, receiver.url())
        expected = (now() + datetime.timedelta(hours=1)).replace(microsecond=0).isoformat()
        world.operator.ok(world.operator.post("Maintenance", {"ExpectedEndDate": expected}))
        await_until(lambda: world.operator.ok(world.operator.get("Maintenance"))["State"] == "ON", "the pause")
        work.send()
        row = await_reason(work, "MAINTENANCE")
        assert just_now(row["WaitSinceDate"]) and at(row["WaitUntilDate"]) == at(expected)


@pytest.mark.parametrize("state", ["DELIVERED", "CANCELLED"])
def test_what_has_ended_waits_no_more(world, receiver, state):
    work = Delivery(world, receiver.url(), MinimumDelay=600)
    work.send()
    row = await_reason(work, "DELAY")
    world.partner.ok(world.partner.post(f"Postbacks/{row['Id']}/{'Retry' if state == 'DELIVERED' else 'Cancel'}"))
    ended = work.await_state(state)[0]
    assert (ended["WaitReason"], ended["WaitSinceDate"], ended["WaitUntilDate"]) == ("", "", "")
