"""kill -9 under load, with receivers that fail: nothing is lost."""

import os
import random
import sqlite3
import time
import urllib.parse

from world import await_until, load_end, load_start, pause, start_receiver, world


def numbers(path):
    return [int(line) for line in open(path, encoding="ascii")]


def attempts_on_disk(server):
    path = urllib.parse.quote(os.path.join(server.data, "postbackd.db"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return store.execute("SELECT count(*) FROM attempt").fetchone()[0]


def kills(options):
    """An attempt was in flight when its receiver had it and its outcome was not on disk.  So what
    the receivers had, less the attempts on disk in the end, is how many were in flight at kills."""
    chance = random.Random(options.kills)
    with world() as (server, _, directory):
        receiver = start_receiver(log=os.path.join(directory, "received"))
        accepted = os.path.join(directory, "accepted")
        sids = [server.account(receiver.port, path=path)
                for path in ("/postbacks", "/flaky", "/postbacks", "/flaky/too")]
        process = load_start(server.port, 36000, ",".join(sids), server.operator, rate=3000,
                             connections=32, survive=1, accepted=accepted)
        for _ in range(options.kills):
            pause(chance.uniform(0.05, 0.5))
            server.kill()
            server.start()
        process.terminate()
        load_end(process)
        taken = set(numbers(accepted))

        def missing():
            receiver.stats()
            return taken - set(numbers(os.path.join(directory, "received")))

        deadline = time.monotonic() + 120
        while missing() and time.monotonic() < deadline:
            pause(1)
        await_until(lambda: server.metric("postbackd_postbacks_in_memory") == 0, "all recorded")
        server.close()
        received = numbers(os.path.join(directory, "received"))
        in_flight = receiver.stats()["requests"] - attempts_on_disk(server)
        duplicates = len(received) - len(set(received))
        return {"kills": options.kills, "kills_accepted": len(taken), "kills_lost": len(missing()),
                "kills_duplicates": duplicates, "kills_in_flight": in_flight,
                "kills_duplicates_less_in_flight": duplicates - in_flight}


BENCHES = {
    "kills": (kills, [
        ("kills", "kill -9 under load, failing receivers", "", None),
        ("kills_accepted", "… events accepted", "", None),
        ("kills_lost", "… lost", "", ("<=", 0)),
        ("kills_duplicates", "… received twice", "", None),
        ("kills_in_flight", "… in flight at the kills, in all", "", None),
        ("kills_duplicates_less_in_flight", "… duplicates above what was in flight", "",
         ("<=", 0)),
    ]),
}
