"""What a million actions that lock at once cost the others: how long a steady stream of events waits
for its answer meanwhile, and how many actions lock a second."""

import os
import sqlite3
import statistics
import threading
import time

from world import await_until, world

ACTIONS = 1000000
EVENTS_S, BATCH = 2000, 20  # of another account, in calls of so many
QUIET_S, DUE_S = 10, 5


def due(store, brand, partner, campaign, tracker, count):
    """So many pending actions of the brand, all of which lock in a moment."""
    at = int((time.time() + DUE_S) * 1000)
    store.execute(
        "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ?) "
        "INSERT INTO action (partner, brand, campaign, tracker, order_id, status, amount, payout, "
        "currency, referring_type, event_at, created_at, updated_at, locking_at) "
        "SELECT ?, ?, ?, ?, 'A-' || n, 1, 8990, 450, 'EUR', 'DATAPOST', 1, 1, 1, ? FROM many",
        (count, partner, brand, campaign, tracker, at))


class Stream:
    """An account's events at a steady rate: how long each call took, in ms."""

    def __init__(self, server, sid):
        self.server = server
        self.body = {"Events": [{"Type": "action_inquiry.opened", "AccountSids": [sid],
                                 "Data": {}}] * BATCH}
        self.took, self.ends = [], threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def go_on(self):
        pause, at = BATCH / EVENTS_S, time.monotonic()
        while not self.ends.wait(max(0, at - time.monotonic())):
            at += pause
            self.server.api("POST", "/Events", self.body)
            self.took.append((time.monotonic() - at + pause) * 1000)  # as of when it was due

    def end(self):
        self.ends.set()
        self.thread.join()
        took = sorted(self.took)
        return {"p50": statistics.median(took), "p99": took[int(len(took) * 0.99)]}


def locking(options, count=None):
    del options
    count = count or ACTIONS
    with world() as (server, receiver, _):
        sid, other = server.account(receiver.port), server.account(receiver.port)
        brand = server.api("POST", "/Operator/Accounts", {"Kind": "BRAND", "Name": "Brand"})
        campaign = server.api("POST", "/Operator/Campaigns", {
            "Name": "Bench", "BrandSid": brand["Sid"], "Currency": "EUR"})["Id"]
        tracker = server.api("POST", f"/Operator/Campaigns/{campaign}/Trackers",
                             {"Name": "Sale"})["Id"]
        server.api("POST", f"/Operator/Campaigns/{campaign}/Members", {"PartnerSid": sid})
        quiet = Stream(server, other)
        threading.Event().wait(QUIET_S)
        quiet = quiet.end()
        server.close()
        path = os.path.join(server.data, "postbackd.db")
        with sqlite3.connect(path) as store:
            partner = store.execute("SELECT id FROM account WHERE sid = ?", (sid,)).fetchone()[0]
            due(store, brand["Id"], partner, campaign, tracker, count)
        server.start()
        stream = Stream(server, other)

        def left():
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
                return store.execute("SELECT count(*) FROM action WHERE status = 1").fetchone()[0]
        await_until(lambda: left() < count, "it begins", 60, 0.2)
        begun = time.monotonic()
        await_until(lambda: left() == 0, "all of them are locked", 1800, 1)
        seconds, busy = time.monotonic() - begun, stream.end()
    return {"locking_per_s": count / seconds, "locking_p99_ms": busy["p99"],
            "locking_ratio": busy["p99"] / quiet["p99"]}


BENCHES = {
    "locking": (locking, [
        ("locking_per_s", f"{ACTIONS} actions lock at once, each with its events", "/s", None),
        ("locking_p99_ms", f"… {EVENTS_S} events/s beside them, p99 of their calls", "ms", None),
        ("locking_ratio", "… against the same when nothing locks", "", ("<=", 2)),
    ]),
}
