"""What one client that wants all does to another: each is at full strength while an account sends 200
events a second, on connections that it opens after the greedy one has begun."""

import json
import os
import subprocess
import sys
import urllib.error

from world import (await_until, basic, fetch, give_up, load_end, load_start, pause, spawn,
                   start_receiver, world)

RATE = 200
SECONDS = 15
BACK_S = 60  # for the memory to come back
BACK_KIB = 64 * 1024
STRANGER = ["127.0.0.2"]
STRANGERS = [f"127.0.0.{number}" for number in range(2, 10)]
ROWS = 50000  # of the list that is downloaded
CSV_ROWS = 10000  # that one import takes


class Greedy:
    """An account that a greedy client has, and the requests that it makes."""

    def __init__(self, server):
        self.server = server
        self.sid = server.api("POST", "/Operator/Accounts", {
            "Kind": "PARTNER", "Name": "Greedy"})["Sid"]
        self.receiver = None

    def credentials(self, scope):
        return f"{self.sid}:" + self.server.api(
            "POST", f"/Operator/Accounts/{self.sid}/Tokens", {"Scope": scope})["Token"]

    @staticmethod
    def request(method, path, credentials=None, body="", more="", length=None):
        signed = f"Authorization: {basic(credentials)}\r\n" if credentials else ""
        size = len(body) if length is None else length
        sized = (f"Content-Type: application/json\r\nContent-Length: {size}\r\n"
                 if body or size else "")
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{signed}{sized}{more}\r\n{body}"

    def pipelined(self):
        """A1: requests that nobody waits for."""
        one = "GET /x HTTP/1.1\r\nHost:\r\n\r\n"
        return [{"count": 150, "from": STRANGER, "say": one * (65536 // len(one)), "again": True}]

    def hashes(self):
        """A2: templates that hash a long value thousands of times, as often as may be."""
        own = self.credentials("API")
        self.receiver = start_receiver()
        base, count = f"/Mediapartners/{self.sid}/EventNotifications", 5400
        settings = {"Category": "Action Lifecycle Events", "Method": "POST", "BodyFormat": "TEXT"}
        made = []
        while len(made) < 10 and count > 0:
            settings["Url"] = f"http://127.0.0.1:{self.receiver.port}/{len(made)}"
            settings["BodyTemplate"] = "{Oid|sha256}" * count
            try:
                made.append(self.server.api("POST", base, settings, own)["Id"])
            except urllib.error.HTTPError as refused:
                if refused.code != 400:
                    raise
                count //= 2  # as long as may be
        data = {"Oid": "x" * 60000}
        event = {"Type": "action.tracked", "AccountSids": [self.sid], "Data": data}
        trial = {"EventType": "action.tracked", "Data": data}
        close = "Connection: close\r\n"
        return [{"count": 8, "from": STRANGER, "read": True,
                 "say": self.request("POST", "/Events", own, json.dumps(event), close)},
                {"count": 4, "from": STRANGER, "read": True,
                 "say": self.request("POST", f"{base}/Preview", own,
                                     json.dumps({**settings, **trial}), close)},
                {"count": 4, "from": STRANGER, "read": True,
                 "say": self.request("POST", f"{base}/{made[0]}/Test", own, json.dumps(trial),
                                     close)}]

    def fill(self):
        """Its list of inquiries has ROWS rows."""
        brand = self.server.api("POST", "/Operator/Accounts", {
            "Kind": "BRAND", "Name": "Brand"})["Sid"]
        campaign = self.server.api("POST", "/Operator/Campaigns", {
            "BrandSid": brand, "Name": "Autumn", "Currency": "EUR"})["Id"]
        self.server.api("POST", f"/Operator/Campaigns/{campaign}/Members",
                        {"PartnerSid": self.sid})
        own = self.credentials("API")
        for first in range(0, ROWS, CSV_ROWS):
            table = "Campaign Id,Order Id,Sale Amount,Transaction Date,Type\n" + "".join(
                f"{campaign},A-{row},10.00,2026-01-20,UNTRACKED\n"
                for row in range(first, first + CSV_ROWS))
            told = self.server.api("POST", f"/Mediapartners/{self.sid}/ActionInquiries/Import",
                                   table, own)
            if int(told["Taken"]) != CSV_ROWS:
                give_up(f"an import took {told['Taken']} of {CSV_ROWS} rows")

    def downloads(self):
        """A3: the whole list, sixty times at once, again and again."""
        self.fill()
        return [{"count": 60, "from": STRANGER, "read": True, "say": self.request(
            "GET", f"/Mediapartners/{self.sid}/ActionInquiries.csv", self.credentials("READ"),
            more="Connection: close\r\n")}]

    def unread(self):
        """A4: long pages that are not read."""
        self.fill()
        return [{"count": 100, "from": STRANGER, "say": self.request(
            "GET", f"/Mediapartners/{self.sid}/ActionInquiries?PageSize=20000",
            self.credentials("READ"))}]

    def stalled(self):
        """A6: bodies that never come to their end, large ones and, for what room those leave, small
        ones."""
        own = self.credentials("EVENTS")

        def bodies(count, length, path="/Events", credentials=own):
            return {"count": count, "from": STRANGERS, "say": self.request(
                "POST", path, credentials, "{" + " " * (length - 2), length=length)}
        return [bodies(1024, 8000, "/Session", None), bodies(40, 4 * 1024 * 1024),
                bodies(200, 64 * 1024), bodies(400, 2048)]

    def idle(self):
        """A7: connections that say nothing."""
        return [{"count": 2048, "from": STRANGERS, "say": ""}]


def start_crowd(server, groups):
    process = spawn([sys.executable, "-B", os.path.join(os.path.dirname(__file__), "crowd.py"),
                     str(server.port)], stdin=subprocess.PIPE)
    process.stdin.write(json.dumps(groups))
    process.stdin.close()
    return process


def p99(server, receiver, sid, seconds):
    """Of all that should have come, from when it was due; when a tenth did not, all the time there
    was."""
    receiver.stats("/reset")
    load_end(load_start(server.port, seconds, sid, server.credentials[sid], rate=RATE,
                        connections=32, survive=1))
    pause(1)  # on its way
    share = min(1.0, receiver.received() / (RATE * seconds))
    come = receiver.stats()["p99_us"] / 1000 if receiver.received() else 0
    return (come if share >= 0.9 else max(come, seconds * 1000.0)), share


def one(way):
    """The figures of one greedy client, on a server of its own."""
    with world() as (server, receiver, _):
        sid = server.account(receiver.port)
        greedy = Greedy(server)
        groups = way(greedy)
        alone = p99(server, receiver, sid, 5)[0]
        with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as clear:
            clear.write("5")  # the peak from here on
        crowd = start_crowd(server, groups)
        pause(2)
        beside, share = p99(server, receiver, sid, SECONDS)
        if server.process.poll() is not None:
            give_up(f"the server ended: {server.process.returncode}")
        crowd.kill()
        crowd.wait()
        after = settled(server)
        return {"p99_ms": beside, "come": share, "alone_ms": alone,
                "peak_kib": server.status("VmHWM"), "after_kib": after}


def settled(server):
    """RSS when it is back, at the latest after a minute."""
    for _ in range(BACK_S):
        if server.status("VmRSS") <= BACK_KIB:
            break
        pause(1)
    return server.status("VmRSS")


WAYS = {
    "a1": (Greedy.pipelined, "A1: 150 connections with pipelined requests, unread"),
    "a2": (Greedy.hashes, "A2: 10 templates of 5,400 hashes of 60 KB, previews, tests"),
    "a3": (Greedy.downloads, "A3: 60 downloads of 50,000 rows at once"),
    "a4": (Greedy.unread, "A4: 100 pages of 20,000 rows, unread"),
    "a6": (Greedy.stalled, "A6: 1,664 bodies that stall"),
    "a7": (Greedy.idle, "A7: 2,048 idle connections"),
}


def greedy(options):
    figures = {}
    for name, (way, _) in WAYS.items():
        if options.way and name not in options.way:
            continue
        figures.update({f"greedy_{name}_{key}": value for key, value in one(way).items()})
    return figures


BENCHES = {
    "greedy": (greedy, [row for name, (_, what) in WAYS.items() for row in (
        (f"greedy_{name}_p99_ms", f"{what}: p99 of another", "ms", ("<=", 100)),
        (f"greedy_{name}_come", "… of its events, came", "", (">=", 0.99)),
        (f"greedy_{name}_alone_ms", "… p99 alone", "ms", None),
        (f"greedy_{name}_peak_kib", "… peak RSS", "KiB", ("<=", 256 * 1024)),
        (f"greedy_{name}_after_kib", "… RSS at most a minute after", "KiB", ("<=", BACK_KIB)))]),
}
