"""Allocations fail: the Nth of a workload, for one N after the other.  The server answers 503 or goes
on, or ends and says why; started again it has all that it had acknowledged.  It is never killed by a
signal, never hangs, and its database stays sound."""

import concurrent.futures
import json
import sqlite3
import subprocess

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import Faults, FaultyServer
from harness.receiver import Receiver
from harness.server import World, await_until

SAID = "out of memory"


class Workload:
    """A little of everything; what is acknowledged is remembered."""

    def __init__(self, server, receiver):
        self.server, self.receiver = server, receiver
        self.world = World(server)
        self.delivery = Delivery(self.world, receiver.url())
        self.events, self.inquiries, self.ended = [], [], None

    def run(self):
        """Until all is done, or the server has ended."""
        partner = self.world.partner
        for step in (self.send_event, self.send_batch, self.open_inquiry, self.list_inquiries,
                     self.list_postbacks, self.bad_json, self.no_route, self.metrics):
            try:
                answer = step(partner)
            except requests.RequestException:  # a connection may be refused or dropped
                partner.session.close()
                if not self.alive():
                    return
                continue
            assert answer.status_code in (200, 201, 202, 400, 404, 413, 500, 503), answer.text
            if answer.status_code < 300:
                self.remember(step, answer)

    def alive(self):
        """A connection that was dropped may be the end of the server, or only of the call."""
        try:
            self.server.process.wait(0.3)
        except subprocess.TimeoutExpired:
            return True
        return False

    def remember(self, step, answer):
        if step in (self.send_event, self.send_batch):
            self.events += answer.json()["EventIds"]
        elif step == self.open_inquiry:
            self.inquiries.append(answer.json()["Uri"])

    @staticmethod
    def event(partner, name):
        return {"Type": "action.tracked", "AccountSids": [partner.sid], "Data": {"Oid": name}}

    def send_event(self, partner):
        return partner.post("/Events", self.event(partner, "one"))

    def send_batch(self, partner):
        return partner.post("/Events", {"Events": [
            self.event(partner, f"batch-{number}") for number in range(3)]})

    def open_inquiry(self, partner):
        return partner.post("ActionInquiries", self.world.inquiry())

    def list_inquiries(self, partner):
        return partner.get("ActionInquiries")

    def list_postbacks(self, partner):
        return partner.get("Postbacks", PageSize=20)

    def bad_json(self, partner):
        return partner.call("POST", "/Events", data="{\"Type\": [1, 2, {\"x\":",
                            headers={"Content-Type": "application/json"})

    def no_route(self, partner):
        return partner.get("Nowhere/At/All")

    def metrics(self, _partner):
        return requests.get(self.server.base + "/metrics", timeout=20)

    def intact(self):
        """All that was acknowledged is there, and comes."""
        partner = self.world.partner
        for uri in self.inquiries:
            assert partner.get(uri).status_code == 200, uri
        await_until(lambda: set(self.events) <= {
            json.loads(one.body)["EventId"] for one in list(self.receiver.requests)},
            "all that was acknowledged")


def arm(faults, nth, least=0, more=0):
    faults.alloc_least, faults.alloc_more = least, more
    faults.alloc_nth = nth


def disarm(faults):
    faults.alloc_nth = faults.alloc_more = 0


def assert_ended_well(server, what):
    """By itself, with words."""
    code = server.process.wait(20)
    log = server.log()
    assert code == 1, f"{what}: exit code {code}\n{log[-3000:]}"
    assert SAID in log and "Sanitizer" not in log, f"{what}:\n{log[-3000:]}"


def sound(server):
    with sqlite3.connect(f"{server.data}/postbackd.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def sweep(numbers, least=0, more=0):
    """One server after the other; a new one only when the last has ended.  Gives how many calls of
    memory failed, and how often the server ended by it."""
    failed = ended = 0
    with FaultyServer() as server, Receiver() as receiver:
        work = Workload(server, receiver)
        for nth in numbers:
            before = server.faults.alloc_failed
            arm(server.faults, nth, least, more)
            work.run()
            disarm(server.faults)
            failed += server.faults.alloc_failed - before
            if not work.alive():
                ended += 1
                assert_ended_well(server, f"allocation {nth}, at least {least} bytes, {more} more")
                sound(server)
                server.lines.clear()
                server.start()
                work.world.moved()
            assert requests.get(server.base + "/healthz", timeout=20).status_code == 200
        work.intact()
        assert server.stop() == 0, server.log()
        assert "Sanitizer" not in server.log(), server.log()
        sound(server)
    return failed, ended


@pytest.mark.parametrize("least, more", [(0, 0), (1024, 0), (0, 1000000)],
                         ids=["any", "large", "from there on"])
def test_the_nth_allocation_of_a_workload_fails(least, more):
    numbers = [*range(1, 20), *range(20, 400, 7), *range(400, 4000, 151)]
    if least:
        numbers = range(1, 40)
    if more:
        numbers = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987]
    failed, _ = sweep(numbers, least, more)
    assert failed >= len(numbers) / 2
