"""A little of everything that a server does, while faults come; what it acknowledged must be there."""

import json
import sqlite3
import subprocess

import requests

from harness.delivery import Delivery
from harness.server import World, await_until


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

    def sound(self):
        with sqlite3.connect(f"{self.server.data}/postbackd.db") as store:
            assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    def ended_well(self, said, what):
        """By itself, with words."""
        code = self.server.process.wait(20)
        log = self.server.log()
        assert code == 1, f"{what}: exit code {code}\n{log[-3000:]}"
        assert said in log and "Sanitizer" not in log, f"{what}:\n{log[-3000:]}"

    def start_again(self):
        self.server.lines.clear()
        self.server.start()
        self.world.moved()
