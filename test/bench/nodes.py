"""One server on PostgreSQL beside one on SQLite, and three that share a database, in one run."""

import os
import shutil
import statistics
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from harness.postgres import Postgres  # noqa: E402

from world import (CONNECTIONS, TICK, Postbackd, cpu_seconds, delivered_rate, fetch, give_up,  # noqa: E402
                   load_end, load_start, world)

NODES = 3


class Database:
    """A PostgreSQL as it is shipped, fsync on, with an empty database for each store."""

    def __init__(self):
        self.server, self.made = Postgres(["max_connections=100"]), 0

    def store(self, directory):
        """The flags of a server."""
        self.made += 1
        name = f"store{self.made}"
        self.server.psql(f"CREATE DATABASE {name}")
        return ["--store", f"postgresql://postgres@/{name}?host={self.server.folder}",
                "--key-file", os.path.join(directory, name + ".key")]

    def cpu_seconds(self):
        """Of all its processes, those that have ended too."""
        total, main = 0, self.server.server.pid
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(pid) == main:
                total += sum(map(int, fields[11:15]))
            elif int(fields[1]) == main:
                total += sum(map(int, fields[11:13]))
        return total / TICK


def folder(directory, number):
    own = os.path.join(directory, f"node{number}")
    os.mkdir(own, 0o700)
    return own


def add_node(first, directory, number):
    """A further node of the first one's database, with its operator's token."""
    own = folder(directory, number)
    os.mkdir(os.path.join(own, "data"), 0o700)
    shutil.copy(os.path.join(first.data, "operator.token"), os.path.join(own, "data"))
    return Postbackd(own, *first.flags, binary=first.binary)


def round_of(servers, receiver, sid, seconds, database=None):
    """Load on all: events a second, and µs of CPU an event of the servers and of the database."""
    fetch(f"http://127.0.0.1:{receiver.port}/reset")

    def recorded():
        return sum(server.metric("postbackd_recorded_total") for server in servers)
    before, started = recorded(), time.monotonic()
    cpu = sum(cpu_seconds(server.process) for server in servers)
    database_cpu = database.cpu_seconds() if database else 0
    loads = [load_start(server.port, seconds, sid, servers[0].operator,
                        connections=CONNECTIONS // len(servers)) for server in servers]
    results = [load_end(one) for one in loads]
    if any(result["refused"] for result in results):
        give_up("events were refused")
    accepted = sum(result["accepted"] for result in results)
    rate = delivered_rate(receiver, accepted, started, lambda: recorded() - before >= accepted, every=0.1)
    cpu = sum(cpu_seconds(server.process) for server in servers) - cpu
    database_cpu = (database.cpu_seconds() if database else 0) - database_cpu
    return rate, cpu * 1e6 / accepted, database_cpu * 1e6 / accepted


def nodes(options):
    database = Database()
    try:
        with world() as (alone, receiver, directory):
            one, first = [Postbackd(folder(directory, number), *database.store(directory))
                          for number in (1, 2)]
            group = [first]
            group += [add_node(group[0], directory, number) for number in range(3, NODES + 2)]
            places = [([alone], None), ([one], database), (group, database)]
            sids = [servers[0].account(receiver.port) for servers, _ in places]
            rounds = [[round_of(servers, receiver, sid, options.seconds, where)
                       for (servers, where), sid in zip(places, sids)] for _ in range(options.rounds)]
            sqlite, single, three = ([at[place] for at in rounds] for place in range(3))
            return {
                "sqlite_per_s": median(sqlite, 0), "node_per_s": median(single, 0),
                "node_ratio": statistics.median(a[0] / b[0] for a, b in zip(single, sqlite)),
                "sqlite_cpu_us": median(sqlite, 1), "node_cpu_us": median(single, 1),
                "database_cpu_us": median(single, 2),
                "three_per_s": median(three, 0),
                "three_ratio": statistics.median(a[0] / b[0] for a, b in zip(three, single)),
                "three_cpu_us": median(three, 1), "three_database_cpu_us": median(three, 2),
            }
    finally:
        database.server.stop()


def median(rounds, at):
    return statistics.median(one[at] for one in rounds)


BENCHES = {
    "nodes": (nodes, [
        ("sqlite_per_s", "one server on SQLite, delivered and recorded", "/s", None),
        ("node_per_s", "one node on PostgreSQL", "/s", None),
        ("node_ratio", "… against SQLite (aim 0.4)", "", (">=", 0.25)),
        ("sqlite_cpu_us", "CPU for an event, SQLite", "µs", None),
        ("node_cpu_us", "… the node", "µs", None),
        ("database_cpu_us", "… its PostgreSQL (aim 40)", "µs", ("<=", 60)),
        ("three_per_s", "three nodes on one PostgreSQL, load on all", "/s", None),
        ("three_ratio", "… against one", "", (">=", 0.9)),
        ("three_cpu_us", "… CPU for an event, the nodes", "µs", None),
        ("three_database_cpu_us", "… PostgreSQL", "µs", None),
    ]),
}
