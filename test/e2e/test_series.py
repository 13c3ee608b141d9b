"""GET …/Series: what was delivered when, per event notification, per account and for the operator."""

import datetime

import pytest

from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Server, World, await_until

NUMBERS = ("Delivered", "Failed", "Pending", "OldestPendingSeconds")


def series(api, path="Series", **query):
    return api.ok(api.get(path, **query))


def points(api, path="Series", **query):
    return series(api, path, **query)["Points"]


def total(api, path="Series", name="Delivered", **query):
    return sum(int(point[name]) for point in points(api, path, **query))


def moment(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def path_of(delivery):
    return f"{delivery.path}/Series"


def test_what_was_delivered_shows_at_once_with_its_latency(world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.send_many(5)
    delivery.await_state("DELIVERED", 5)
    for path in (path_of(delivery), "Series"):
        shown = series(world.partner, path)
        busy = [point for point in shown["Points"] if point["Delivered"] != "0"]
        assert sum(int(point["Delivered"]) for point in busy) == 5
        for point in busy:
            assert 0 < float(point["LatencyP50"]) <= float(point["LatencyP99"]) < 20000
        last = shown["Points"][-1]
        assert (last["Pending"], last["OldestPendingSeconds"], last["Failed"]) == ("0", "0", "0")


def test_the_steps_have_no_gap_and_idle_ones_are_there(world, receiver):
    Delivery(world, receiver.url())
    shown = series(world.partner)
    assert shown["Step"] == "60" and 120 <= len(shown["Points"]) <= 121
    times = [moment(point["Time"]) for point in shown["Points"]]
    assert {b - a for a, b in zip(times, times[1:])} == {60}
    assert times[0] == moment(shown["Start"]) and times[-1] <= moment(shown["End"]) <= times[-1] + 61
    idle = shown["Points"][0]
    assert [idle[name] for name in NUMBERS] == ["0"] * 4 and idle["LatencyP50"] == ""


def test_each_account_has_its_own_and_the_operator_the_sum(world, receivers):
    before = total(world.operator, "/Operator/Series")
    good, bad = receivers(), receivers(answers(500))
    own, failing = Delivery(world, good.url()), Delivery(world, bad.url())
    brands = Delivery(world, good.url(), account=world.brand)
    own.send()  # to both of the partner's
    brands.send()
    own.await_state("DELIVERED")
    brands.await_state("DELIVERED")
    failing.await_attempts(1)
    assert [total(world.partner, path_of(one)) for one in (own, failing)] == [1, 0]
    assert (total(world.partner), total(world.brand)) == (1, 1)
    assert total(world.partner, path_of(failing), "Failed") >= 1
    assert total(world.brand, "Series", "Failed") == 0
    assert total(world.operator, "/Operator/Series") == before + 2


def test_what_waits_is_counted_and_grows_old(world, receivers):
    delivery = Delivery(world, receivers(answers(500)).url())
    delivery.send()
    delivery.await_attempts(1)
    last = await_until(lambda: next((point for point in points(world.partner, path_of(delivery))[-1:]
                                     if int(point["OldestPendingSeconds"]) > 0), None), "an age")
    assert last["Pending"] == "1"
    assert points(world.partner)[-1]["Pending"] == "1"
    id = delivery.postback()["Id"]
    world.partner.ok(world.partner.post(f"Postbacks/{id}/Cancel"))
    last = points(world.partner, path_of(delivery))[-1]
    assert (last["Pending"], last["OldestPendingSeconds"]) == ("0", "0")


def test_a_paused_ones_postbacks_are_pending(world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.do("Pause")
    delivery.send_many(3)
    assert points(world.partner, path_of(delivery))[-1]["Pending"] == "3"


@pytest.mark.parametrize("query, step", [
    ({"Points": 30}, 60), ({"Points": 1}, 60),
    ({"Start": "now-2h", "Points": 120}, 60), ({"Start": "now-24h", "Points": 120}, 900),
    ({"Start": "now-24h", "Points": 1000}, 120), ({"Start": "now-96h", "Points": 1000}, 3600),
    ({"Start": "now-2000h"}, 86400), ({"Start": "0001-01-01"}, None),
])
def test_the_span_chooses_a_round_step(world, query, step):
    now = datetime.datetime.now(datetime.timezone.utc)
    start = query.get("Start", "")
    if start.startswith("now-"):
        ago = datetime.timedelta(hours=int(start[4:-1]))
        query = {**query, "Start": (now - ago).isoformat(timespec="seconds")}
    shown = series(world.partner, **query)
    assert step is None or shown["Step"] == str(step)
    assert 1 <= len(shown["Points"]) <= int(query.get("Points", 120)) + 1
    assert int(moment(shown["Start"]) if step else 0) % int(shown["Step"]) == 0


@pytest.mark.parametrize("query, field", [
    ({"Points": 0}, "Points"), ({"Points": 1001}, "Points"), ({"Points": "many"}, "Points"),
    ({"Start": "yesterday"}, "Start"), ({"End": "x"}, "End"), ({"Start": "9999-01-01"}, "Start"),
    ({"Start": "2026-01-02", "End": "2026-01-01"}, "End"), ({"From": "2026-01-01"}, "From"),
])
def test_what_is_wrong_is_named(world, query, field):
    answer = world.partner.get("Series", **query)
    assert answer.status_code == 400
    assert [error["Field"] for error in answer.json()["Errors"]] == [field]


def test_a_deleted_one_and_anothers_are_nowhere(world, receiver):
    delivery = Delivery(world, receiver.url())
    assert world.brand.get(path_of(delivery)).status_code == 404
    assert world.partner.get("EventNotifications/x/Series").status_code == 404
    world.partner.ok(world.partner.delete(delivery.path))
    assert world.partner.get(path_of(delivery)).status_code == 404
    assert world.partner.get("/Operator/Series").status_code == 403


# ---- on disk ----

def rows(server, text, *values):
    return server.store.rows(text, *values)


def test_a_stop_writes_the_minute_and_old_ones_become_hours(receiver):
    with Server() as server:
        world = World(server)
        delivery = Delivery(world, receiver.url())
        delivery.send_many(4)
        delivery.await_state("DELIVERED", 4)
        assert server.stop() == 0, server.log()
        # Of the notification, of its account, and of all; two if the minute was over meanwhile.
        written = rows(server, "SELECT account, notification, sum(delivered) FROM sample "
                               "GROUP BY 1, 2 ORDER BY 1, 2")
        assert [row[2] for row in written] == [4, 4, 4]
        server.start()
        world.moved()
        assert total(world.partner, path_of(delivery)) == 4
        delivery.send()
        delivery.await_state("DELIVERED", 5)
        assert total(world.partner, path_of(delivery)) == 5  # disk and memory, maybe one minute
        assert server.stop() == 0, server.log()
        server.store.execute("UPDATE sample SET at = at - 259200000")
        server.start()
        world.moved()
        await_until(lambda: rows(server, "SELECT count(*) FROM sample WHERE step = 60") == [(0,)],
                    "minutes made into hours")
        assert total(world.partner, path_of(delivery)) == 0
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=4)
        old = series(world.partner, path_of(delivery), Start=start.isoformat(), Points=1000)
        busy = [point for point in old["Points"] if point["Delivered"] != "0"]
        assert old["Step"] == "3600" and sum(int(one["Delivered"]) for one in busy) == 5
        assert all(float(one["LatencyP50"]) > 0 for one in busy)
        # What is over 400 days old goes.
        assert server.stop() == 0, server.log()
        server.store.execute("UPDATE sample SET at = at - 34473600000")
        server.start()
        await_until(lambda: rows(server, "SELECT count(*) FROM sample") == [(0,)], "deleted")


def test_pending_of_idle_times_is_as_last_known(receivers):
    with Server() as server:
        world = World(server)
        delivery = Delivery(world, receivers(answers(500)).url())
        delivery.send()
        delivery.await_attempts(1)
        delivery.do("Pause")
        assert server.stop() == 0, server.log()
        server.store.execute("UPDATE sample SET at = at - 30 * 60000")
        server.start()
        world.moved()
        shown = [point["Pending"] for point in points(world.partner, path_of(delivery))]
        assert shown[-28:] == ["1"] * 28 and set(shown[:80]) == {"0"}
        last_ten = points(world.partner, path_of(delivery), Points=10)
        assert {point["Pending"] for point in last_ten} == {"1"}  # from before the span
