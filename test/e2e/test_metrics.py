"""GET /metrics: the counters agree with what happened."""

import re

import requests

from harness.delivery import Delivery
from harness.server import await_until


def figures(server):
    """Every metric without labels, by name."""
    text = requests.get(server.base + "/metrics", timeout=20).text
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}


def risen(server, before, *names):
    now = figures(server)
    return [now[f"postbackd_{name}"] - before[f"postbackd_{name}"] for name in names]


def test_what_runs_and_whose_bytes_wait_is_told_by_labels(server, world, receiver):
    waits = Delivery(world, receiver.url(), MinimumDelay=3600)
    waits.send()
    text = requests.get(server.base + "/metrics", timeout=20).text
    version = requests.get(server.base + "/healthz", timeout=20).json()["Version"]
    assert re.search(rf'^postbackd_build_info{{version="{version}",store="(sqlite|postgresql)"}} 1$', text, re.M)
    bytes_of = rf'^postbackd_account_waiting_bytes{{account="{world.partner.sid}"}} (\d+)$'
    await_until(lambda: re.search(bytes_of, requests.get(server.base + "/metrics", timeout=20).text, re.M),
                "the account's bytes", 40)


def test_events_and_postbacks_are_counted_however_they_go_out(server, world, receiver):
    """One notification is sent to at once, one waits for its delay on disk, one is paused."""
    now = Delivery(world, receiver.url())
    Delivery(world, receiver.url(), MinimumDelay=3600)
    Delivery(world, receiver.url()).do("Pause")
    before = figures(server)
    now.send()
    now.await_state("DELIVERED")
    assert risen(server, before, "events_total", "postbacks_total", "attempts_total",
                 "delivered_total", "attempts_failed_total") == [1, 3, 1, 1, 0]


def test_an_inquiry_is_an_event_for_each_side_and_a_refused_one_is_none(server, world):
    before = figures(server)
    order = world.inquiry()
    assert world.partner.post("ActionInquiries", order).status_code == 200
    assert world.partner.post("ActionInquiries", order).status_code == 409
    assert risen(server, before, "events_total", "postbacks_total") == [2, 0]


def test_a_resent_postback_is_one_more_without_an_event(server, world, receiver):
    delivery = Delivery(world, receiver.url())
    delivery.send()
    first = delivery.await_state("DELIVERED")[0]
    before = figures(server)
    delivery.api.ok(delivery.api.post(f"Postbacks/{first['Id']}/Resend"))
    delivery.await_state("DELIVERED", 2)
    assert risen(server, before, "events_total", "postbacks_total", "delivered_total") == [0, 1, 1]
