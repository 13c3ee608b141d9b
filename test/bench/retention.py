"""What deleting old events costs, and that the disk stays bounded."""

import os
import statistics
import sys
import time

from world import ROOT, await_until, postbackd_round, world

sys.path.insert(0, os.path.join(ROOT, "test/e2e"))
from harness.ageing import age  # noqa: E402


def restart(server, days):
    server.close()
    server.flags = ("--keep-days", str(days))
    server.start()


def retention(options):
    """Round by round the store is made a month older and loaded twice: while the old rows are being
    deleted, and with retention off."""
    seconds = 2 * options.seconds
    deleting, keeping, deleted, sizes = [], [], [], []
    with world("--keep-days", "0") as (server, receiver, _):
        sid = server.account(receiver.port)
        store = os.path.join(server.data, "postbackd.db")

        def events():
            return server.metric("postbackd_retention_events_total")

        postbackd_round(server, receiver, sid, seconds)
        postbackd_round(server, receiver, sid, seconds)
        for _ in range(options.rounds + 2):
            server.close()
            sizes.append(os.path.getsize(store))
            age(server.data, 31)
            server.flags = ("--keep-days", "30")
            server.start()
            await_until(lambda: events() > 0, "it began")
            before, started = events(), time.monotonic()
            deleting.append(postbackd_round(server, receiver, sid, seconds)[0])
            deleted.append((events() - before) / (time.monotonic() - started))
            await_until(lambda: server.metric("postbackd_retention_oldest_seconds") < 24 * 3600,
                        "all that is old is deleted")
            restart(server, 0)
            keeping.append(postbackd_round(server, receiver, sid, seconds)[0])
        server.close()
        sizes.append(os.path.getsize(store))
    return {"retention_per_s": statistics.median(deleting),
            "retention_ratio": statistics.median(deleting) / statistics.median(keeping),
            "retention_events_deleted_per_s": statistics.median(deleted),
            "retention_disk_growth": sizes[-1] / sizes[0]}


BENCHES = {
    "retention": (retention, [
        ("retention_per_s", "delivered and recorded while old events are deleted", "/s", None),
        ("retention_ratio", "… against without retention", "", (">=", 0.9)),
        ("retention_events_deleted_per_s", "… events deleted meanwhile", "/s", None),
        ("retention_disk_growth", "disk after N times the events that are kept, against once", "",
         ("<=", 1.3)),
    ]),
}
