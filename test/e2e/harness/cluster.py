"""Nodes on one PostgreSQL, with a standby and roads of the test's own if asked for.

    with Cluster(nodes=3, standby=True, roads=True) as cluster:
        first, second, third = cluster.nodes
        second.kill()                      # SIGKILL; start() begins it again
        third.suspend()                    # SIGSTOP, until resume()
        first.roads.silence()              # its way to the database (harness/relay.py)
        cluster.database.kill()            # restart() begins it again
        cluster.database.fail_over()       # the standby takes over, and nobody stands by …
        cluster.database.add_standby()     # … until then
        fourth = cluster.join()

Everything belongs to the thread that made it: PostgreSQL ends with that thread.
"""

import os
import shutil
import signal
import tempfile

from harness.faults import FaultyServer
from harness.postgres import Postgres
from harness.relay import Relay
from harness.server import Api, await_until

NAME = "postbackd"  # of the database
SETTINGS = ("wal_retrieve_retry_interval=200ms", "max_wal_senders=4", "wal_keep_size=256MB")


class Database:
    """PostgreSQL at two places, of which the second is empty without a standby.  With one, a commit is
    answered when both have it on disk."""

    def __init__(self, standby=False):
        self.primary = Postgres(SETTINGS)
        self.places = [self.primary]
        try:
            self.primary.psql(f"CREATE DATABASE {NAME}")
            if standby:
                self.places.append(Postgres(SETTINGS, copy_of=self.primary))
                self._make_synchronous()
        except BaseException:
            self.close()
            raise

    @property
    def sockets(self):
        return [os.path.join(place.folder, ".s.PGSQL.5432") for place in self.places]

    @property
    def standby(self):
        return next((place for place in self.places if place is not self.primary), None)

    def uri(self, ports=None):
        """Where a node finds it: by the relays' ports, or by its sockets."""
        if ports:
            hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
            return f"postgresql://postgres@{hosts}/{NAME}?target_session_attrs=read-write"
        hosts = ",".join(place.folder for place in self.places)
        return f"postgresql:///{NAME}?host={hosts}&user=postgres&target_session_attrs=read-write"

    def psql(self, sql, **rest):
        return self.primary.psql(sql, database=NAME, **rest)

    def rows(self, sql, **rest):
        return self.primary.rows(sql, database=NAME, **rest)

    # ---- what happens to it ----

    def kill(self):
        self.primary.kill()

    def restart(self):
        self.primary.start()

    def fail_over(self):
        """The primary is gone at a blow, and the standby takes its place, alone."""
        old, new = self.primary, self.standby
        old.kill()
        # What was written before anybody stands by again is on one disk only, as it says.
        new.psql("ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()",
                 stop=False)
        new.promote()
        self.primary = new

    def add_standby(self):
        """At the place of the one that is down."""
        down = self.standby
        down.copy(self.primary)
        down.start()
        self._make_synchronous()

    def _make_synchronous(self):
        await_until(lambda: self.primary.rows(
            "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), "the standby follows")
        self.primary.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.psql("SELECT pg_reload_conf()")
        await_until(lambda: self.primary.rows(
            "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), "it is synchronous")

    def close(self):
        for place in self.places:
            place.stop()


class Roads:
    """A node's ways to the database: one for each place where it may be, all in the same state."""

    def __init__(self, database):
        self.relays = [Relay(path) for path in database.sockets]
        self.ports = [relay.port for relay in self.relays]

    def __getattr__(self, name):
        """cut, silence, mend, close"""
        if name not in ("cut", "silence", "mend", "close"):
            raise AttributeError(name)

        def all_of_them():
            for relay in self.relays:
                getattr(relay, name)()
        return all_of_them

    def slow(self, seconds):
        for relay in self.relays:
            relay.delay = seconds


class Node(FaultyServer):
    """One `postbackd serve` of a cluster; what can be done to its clock stands in harness/faults.py."""

    def __init__(self, name, cluster, *flags, **rest):
        self.name, self.is_suspended = name, False
        self.roads = Roads(cluster.database) if cluster.roads else None
        super().__init__("--store", cluster.database.uri(self.roads and self.roads.ports),
                         "--key-file", cluster.key_file, *flags,
                         data=os.path.join(cluster.folder, name), **rest)

    def suspend(self):
        """It hangs, with all that it holds, until resume()."""
        self.process.send_signal(signal.SIGSTOP)
        self.is_suspended = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_suspended = False

    def stop(self, timeout=60):
        return super().stop(timeout)

    @property
    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def api(self, other):
        """The same account, asked here."""
        return Api(self.base, other.sid, other.token, other.prefix)

    def close(self):
        super().close()
        if self.roads:
            self.roads.close()


class Cluster:
    def __init__(self, nodes=2, standby=False, roads=False, flags=(), **rest):
        """rest: of Server (env, rate_limit)."""
        self.roads, self.flags, self.rest = roads, flags, rest
        self.folder = tempfile.mkdtemp(prefix="postbackd-cluster-")
        self.key_file = os.path.join(self.folder, "key")
        self.nodes, self.made, self.database = [], 0, None
        try:
            self.database = Database(standby)
            self.nodes = [self._node() for _ in range(nodes)]
        except BaseException:
            self.close()
            raise

    def _node(self):
        self.made += 1
        return Node(f"node-{self.made}", self, *self.flags, **self.rest)

    def start(self):
        """All at once, as machines that come up together do."""
        started = [node.run() for node in self.nodes]
        for node, listening in zip(self.nodes, started):
            assert listening.wait(60) and node.base, f"{node.name} did not start:\n{node.log()}"
        return self

    def join(self):
        """One node more."""
        node = self._node()
        self.nodes.append(node)
        return node.start(60)

    def leave(self, node):
        """It is stopped properly, and not one of them any more."""
        code = node.stop()
        self.nodes.remove(node)
        node.close()
        return code

    # ---- as a single server, for World ----

    @property
    def base(self):
        return self.nodes[0].base

    def operator(self):
        """By the token that the first of them all was given."""
        for node in self.nodes:
            if os.path.exists(os.path.join(node.data, "operator.token")):
                return Api(self.base, *node.operator().session.auth, "/Operator")
        raise AssertionError("no node has the operator's token")

    def log(self):
        return "".join(f"---- {node.name} ----\n{node.log()}" for node in self.nodes)

    def close(self):
        for node in self.nodes:
            node.close()
        if self.database:
            self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *exc):
        self.close()
