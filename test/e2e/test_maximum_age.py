"""The operator's maximum age: what is not delivered by then is given up, and its owner knows."""

import re
import threading

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import FaultyServer
from harness.receiver import answers
from harness.server import Server, World, await_until


def metric(server, name):
    text = requests.get(server.base + "/metrics", timeout=20).text
    return int(re.search(rf"^{name} (\d+)", text, re.M).group(1))


def notices(delivery):
    return [one for one in delivery.api.ok(delivery.api.get("Notices"))["Notices"]
            if one["Kind"] == "postbacks.expired"]


@pytest.mark.parametrize("settings", [{}, {"Ordered": True}, {"MinimumDelay": 3000}])
def test_what_is_too_old_is_given_up(receivers, settings):
    """POSTBACK_EXPIRED: EXPIRED, counted, told once, not tried any more, and sent again on request."""
    at = receivers(answers(503))
    with Server("--give-up-after", "3") as server:
        delivery = Delivery(World(server), at.url(), **settings)
        delivery.send_many(700 if not settings else 20)
        count = 700 if not settings else 20
        gone = delivery.await_state("EXPIRED", count, timeout=40)
        assert all(row["FinishedDate"] for row in gone)
        health = delivery.api.ok(delivery.api.get(f"{delivery.path}/Health"))
        assert health["Pending"] == "0", health
        assert metric(server, "postbackd_expired_total") == count
        assert len(notices(delivery)) == 1 and delivery.id in notices(delivery)[0]["Text"]
        tried = len(at.requests)
        at.behave = answers(200)
        if "MinimumDelay" not in settings:
            delivery.api.ok(delivery.api.post(f"Postbacks/{gone[0]['Id']}/Resend"))
            delivery.await_state("DELIVERED", 1)
            assert len(at.requests) == tried + 1
        assert delivery.api.post(f"Postbacks/{gone[0]['Id']}/Retry").status_code == 409
        assert delivery.api.post(f"Postbacks/{gone[0]['Id']}/Cancel").status_code == 409
        assert server.stop() == 0


def test_without_it_nothing_is_given_up_and_a_restart_gives_up_what_is_old(tmp_path, receivers):
    """POSTBACK_EXPIRED: the default is none; a later setting finds what was there before."""
    at = receivers(answers(503))
    with Server(data=str(tmp_path / "data")) as server:
        delivery = Delivery(World(server), at.url())
        delivery.send_many(5)
        at.wait(6)
        assert delivery.postbacks(State="EXPIRED") == []
        assert server.stop() == 0
        server.flags += ["--give-up-after", "1"]
        server.start()
        delivery.world.moved()
        delivery.await_state("EXPIRED", 5)
        assert server.stop() == 0


def test_what_arrives_all_the_same_is_delivered(receivers):
    """POSTBACK_EXPIRED: given up while it is under way, and answered 200 then."""
    at = receivers()
    let_go = threading.Event()

    def when_let_go(connection, _request):
        let_go.wait(30)
        return connection.answer(200)
    at.behave = when_let_go
    with Server("--give-up-after", "1") as server:
        delivery = Delivery(World(server), at.url())
        delivery.send()
        at.wait(1)
        delivery.await_state("EXPIRED", 1)
        let_go.set()
        delivery.await_state("DELIVERED", 1)
        assert delivery.api.ok(delivery.api.get(f"{delivery.path}/Health"))["Pending"] == "0"
        assert server.stop() == 0


def test_a_clock_that_jumps_ahead_gives_nothing_up(receivers):
    """POSTBACK_EXPIRED: age is by the steady clock."""
    at = receivers(answers(503))
    with FaultyServer("--give-up-after", "3600") as server:
        delivery = Delivery(World(server), at.url())
        delivery.send_many(3)
        server.faults.clock_offset_ms = 24 * 3_600_000
        at.wait(6)  # a day later all are due at once, and are tried again
        await_until(lambda: metric(server, "postbackd_attempts_failed_total") >= 6, "tried again")
        assert metric(server, "postbackd_expired_total") == 0
        assert server.stop() == 0
