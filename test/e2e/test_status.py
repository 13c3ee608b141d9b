"""/healthz, /readyz and /metrics: for whoever watches the server, without a sign-in."""

import re

import pytest
import requests

from harness.receiver import resets
from harness.server import await_until


def metrics(server):
    """name{labels} → value, having checked the form of every line."""
    answer = requests.get(server.base + "/metrics", timeout=20)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    found, described, typed = {}, set(), {}
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            described.add(line.split(" ")[2])
            assert len(line.split(" ", 3)[3]) > 3, line
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram", "summary"), line
            typed[name] = kind
        else:
            match = re.fullmatch(r"([a-z_]+)(\{[^}]*\})? (-?[0-9.e+-]+|\+Inf)", line)
            assert match, line
            name = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert name in described or match[1] in described, line
            assert name in typed or match[1] in typed, line
            assert (match[1] + (match[2] or "")) not in found, line
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


def test_health_and_readiness(server):
    health = requests.get(server.base + "/healthz", timeout=20)
    assert health.json() == {"Status": "OK", "Version": health.json()["Version"]}
    assert re.fullmatch(r"\d+\.\d+\.\d+", health.json()["Version"])
    ready = requests.get(server.base + "/readyz", timeout=20)
    assert ready.status_code == 200 and ready.json() == {"Status": "OK"}
    for answer in (health, ready):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_only_read(server, path):
    for method in ("POST", "PUT", "DELETE"):
        answer = requests.request(method, server.base + path, timeout=20)
        assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD"
    assert requests.get(server.base + path, auth=("any", "body"), timeout=20).status_code == 200


def test_the_counts_follow_what_happens(world, receivers):
    before = metrics(world.server)
    at, broken = receivers(), receivers(resets)
    world.notify(world.partner, at.url(), Category="action_lifecycle")
    world.notify(world.partner, broken.url(), Category="action_lifecycle")
    for number in range(7):
        assert world.partner.post("/Events", {
            "Type": "action.tracked", "AccountSids": [world.partner.sid],
            "Data": {"Oid": str(number)}}).status_code == 202
    at.wait(7)
    broken.wait(1)
    world.await_state(world.partner, "DELIVERED", 7)

    def risen():
        now = metrics(world.server)
        return {name: now[name] - before.get(name, 0) for name in now}
    await_until(lambda: risen()["postbackd_recorded_total"] >= 8, "eight are recorded")
    after = risen()
    assert after["postbackd_events_total"] == 7 and after["postbackd_postbacks_total"] == 14
    assert after["postbackd_delivered_total"] == 7
    assert after["postbackd_attempts_total"] >= 8
    assert after["postbackd_attempts_failed_total"] >= 1
    assert after["postbackd_requests_total"] >= 9
    assert after["postbackd_lanes"] == 2
    names = set(metrics(world.server))
    assert {"postbackd_ready", "postbackd_uptime_seconds", "postbackd_store_writes_waiting",
            "postbackd_postbacks_in_memory", "postbackd_lanes_down",
            "postbackd_oldest_due_seconds"} <= names
    await_until(lambda: metrics(world.server)["postbackd_lanes_down"] >= 1, "one is down")


def test_no_secret_and_no_name_of_an_account_is_in_them(world, receiver):
    world.notify(world.partner, receiver.url())
    world.open()
    receiver.wait(1)
    text = requests.get(world.server.base + "/metrics", timeout=20).text
    for private in (world.partner.sid, world.partner.token, str(receiver.port), "Cashback"):
        assert private not in text
