"""script/chaos            three nodes on PostgreSQL with a synchronous standby, under load, while things
                        happen to them by chance; at the end nothing is lost, doubled or out of
                        order (test/chaos/checker.py has the rules)

  --seconds N    for so long (60)
  --seed N       the chance's seed (one of the clock, which is shown): the same misfortunes in the same
                 order, though not at the same instants
  --only NAME    this misfortune alone; may be given again.  --list has the names
  --pause N      seconds between a sender's events, on the average (0.05)
  --senders N    so many side by side (6)
  --nodes N      so many to begin with (3)
  --keep         the ledger and the nodes' logs stay in a folder, which is named

Tells what it did, with times in seconds; ends with 1 when a promise was broken.
"""

import argparse
import email
import os
import pickle
import random
import re
import signal
import stat
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

import requests  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.delivery import LIFECYCLE  # noqa: E402
from harness.server import World, await_until  # noqa: E402

import checker  # noqa: E402
import faults  # noqa: E402
from ledger import Fault, Ledger, Promise  # noqa: E402
from receiving import Senders, Watched  # noqa: E402
from sending import Owner, Sender  # noqa: E402

READY_WITHIN = 60.0     # seconds after a misfortune is over
DRAINED_WITHIN = 150.0  # … and until all that waits has gone out at the end
KINDS = {"Postbacks are late": "notification.late",
         "Postbacks are on time again": "notification.on_time"}
SHOWN = 30              # sentences of each rule


class Notification:
    def __init__(self, run, stream, name, promise, **temper):
        self.name, self.account, self.generation = name, stream.account, 0
        self.watched = Watched(name, run.ledger, run.senders, run.seed, **temper)
        run.ledger.promises[name] = promise
        made = run.world.notify(stream.account, self.watched.url(0), Category=LIFECYCLE, Name=name,
                                Ordered=promise.ordered, MaximumRequests=promise.pace,
                                MaximumConcurrentRequests=promise.cap)
        self.id = made["Id"]
        self.path = f"{stream.account.prefix}/EventNotifications/{self.id}"


class Stream:
    """An account, how often an event is for it, and its event notifications."""

    def __init__(self, run, name, weight, *notifications):
        self.name, self.weight = name, weight
        self.account = run.world.account("PARTNER", name)
        run.world.operator.ok(run.world.operator.put(
            f"Accounts/{self.account.sid}", {"Email": f"{name}@mail.example"}))
        self.notifications = [Notification(run, self, which, promise, **temper)
                              for which, promise, temper in notifications]


def streams(run):
    return [
        Stream(run, "plain", 40, ("plain", Promise(), {}), ("second", Promise(), {})),
        Stream(run, "flaky", 15, ("flaky", Promise(), {"failing": 0.1})),
        Stream(run, "ordered", 15, ("ordered", Promise(ordered=True), {"failing": 0.01})),
        Stream(run, "paced", 15, ("paced", Promise(pace=20), {})),
        Stream(run, "capped", 15, ("capped", Promise(cap=3), {"works_for": 0.2})),
    ]


class Run:
    def __init__(self, options, cluster, folder):
        self.seed, self.pause, self.seconds = options.seed, options.pause, options.seconds
        self.chance = random.Random(options.seed)
        self.began = time.monotonic()
        self.cluster, self.folder = cluster, folder
        self.ledger, self.found, self.lock = Ledger(), [], threading.Lock()
        self.senders = Senders(cluster)
        self.world = World(cluster)
        self.streams = streams(self)
        self.notifications = [one for stream in self.streams for one in stream.notifications]
        self.over = threading.Event()

    def at(self):
        return time.monotonic() - self.began

    def say(self, what):
        print(f"{self.at():8.2f}  {what}", flush=True)

    def wrong(self, what):
        """Something that no rule of the checker sees."""
        with self.lock:
            self.found.append(f"at {self.at():.2f}: {what}")
        self.say(f"WRONG: {what}")

    # ---- the cluster ----

    def operator(self, method, path):
        """A call of the operator's, to whichever node takes it."""
        def ask():
            api = self.chance.choice(self.cluster.nodes).api(self.world.operator)
            return answered(api.call(method, path))
        return await_until(ask, f"{method} {path} is done")

    def misfortunes(self, names):
        """All of them in an order by chance, again and again."""
        chosen = [one for one in faults.ALL if not names or one.name in names]
        while True:
            self.chance.shuffle(chosen)
            yield from chosen

    def suffer(self, misfortune):
        node = self.chance.choice(self.cluster.nodes) if misfortune.of_a_node else None
        began = time.monotonic()
        self.say(f"{misfortune.name}{': ' + node.name if node else ''}")
        for hold in misfortune.do(self, node):
            self.over.wait(hold)  # real time: how long it lasts is what is tested
        self.say("  it is over")
        self.await_ready()
        self.ledger.faults.append(Fault(misfortune.name, began, time.monotonic(),
                                        node and node.name, misfortune.in_flight))

    def await_ready(self):
        until = time.monotonic() + READY_WITHIN
        for node in self.cluster.nodes:
            while not is_ready(node):
                if not node.is_up:
                    self.wrong(f"{node.name} has ended with {node.process.poll()}:\n"
                               f"{node.log()[-4000:]}")
                    node.start(60)
                if time.monotonic() > until:
                    raise TimeoutError(f"{node.name} is not ready after {READY_WITHIN:.0f} s:\n"
                                       f"{node.log()[-4000:]}")
                self.over.wait(0.05)
        self.say("  all are ready")

    def go(self, options):
        workers = [Sender(self, number) for number in range(options.senders)] + [Owner(self, "owner")]
        try:
            for misfortune in self.misfortunes(options.only):
                self.over.wait(self.chance.uniform(1, 3))
                if self.at() > self.seconds:
                    break
                self.suffer(misfortune)
        finally:
            for worker in workers:
                worker.over.set()
            for worker in workers:
                worker.stop()

    # ---- the end ----

    def pending(self):
        names = {one.id: one.name for one in self.notifications}
        return {names.get(id, id): int(count) for id, count in self.cluster.database.rows(
            "SELECT notification, count(*) FROM postback WHERE state IN (0, 1) GROUP BY 1")}

    def missing(self):
        there = {(receipt.notification, receipt.key) for receipt in self.ledger.receipts
                 if receipt.took_it}
        return sum((name, event.key) not in there for event in self.ledger.events
                   for name in event.wanted_by if event.ended is not None)

    def drain(self):
        """All receivers answer; what failed is due at once by an edit."""
        for one in self.notifications:
            one.watched.recover()
        until, again = time.monotonic() + DRAINED_WITHIN, 0
        while (self.missing() or self.pending()) and time.monotonic() < until:
            if time.monotonic() > again:
                again = time.monotonic() + 5
                self.say(f"{self.missing()} are to come; waiting: {self.pending()}")
                for one in self.notifications:
                    api = self.cluster.nodes[0].api(one.account)
                    one.generation += 1
                    api.put(one.path, {"Url": one.watched.url(one.generation)})
                    api.post(one.path + "/Resume")
            self.over.wait(0.1)
        if self.pending():
            self.wrong(f"still waiting: {self.pending()}")

    def gather(self):
        rows = self.cluster.database.rows
        there = {(id, what): count for id, what, count in rows(
            "SELECT notification, CASE WHEN state = 2 THEN 'delivered' ELSE 'pending' END, count(*) "
            "FROM postback WHERE state < 3 GROUP BY 1, 2")}
        for id, pending, delivered in rows("SELECT notification, sum(pending), sum(delivered) "
                                           "FROM notification_count GROUP BY notification"):
            for what, said in ("pending", pending), ("delivered", delivered):
                self.ledger.counts.append((f"{what} of {id}", int(said),
                                           int(there.get((id, what), 0))))
        for stream in self.streams:
            api = self.cluster.nodes[0].api(stream.account)
            found = await_until(lambda asked=api: answered(asked.get("Notices", PageSize=1000)),
                                "its notices")["Notices"]
            for notice in sorted(found, key=lambda one: int(one["Id"])):
                about = re.search("“(.*?)”", notice["Text"])
                self.ledger.notices.append((stream.name, about and about.group(1), notice["Kind"]))
        self.ledger.letters += read_letters(self.folder)

    def end(self):
        self.say("the load ends")
        self.drain()
        self.say("nothing waits any more")
        self.gather()
        for node in self.cluster.nodes:
            code = node.stop()
            if code != 0:
                self.wrong(f"{node.name} ended with {code}:\n{node.log()[-4000:]}")

    def judge(self):
        by_rule = {}
        for sentence in checker.check(self.ledger):
            by_rule.setdefault(sentence.partition(":")[0], []).append(sentence)
        for sentences in by_rule.values():
            print("\n".join(sentences[:SHOWN]))
            if len(sentences) > SHOWN:
                print(f"… and {len(sentences) - SHOWN} like these")
        acknowledged = sum(event.ended is not None for event in self.ledger.events)
        print(f"seed {self.seed}: {acknowledged} events acknowledged, {len(self.ledger.receipts)} "
              f"requests, {len(self.ledger.faults)} misfortunes; broken: " +
              (", ".join(f"{rule} {len(sentences)}" for rule, sentences in by_rule.items()) or
               "nothing") + (f"; wrong: {len(self.found)}" if self.found else ""), flush=True)
        return not by_rule and not self.found

    def close(self):
        self.over.set()
        for one in self.notifications:
            one.watched.close()


def answered(response):
    return response.json() if response.status_code == 200 else None


def is_ready(node):
    try:
        return requests.get(node.base + "/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def mailbox(folder):
    """A program that takes mail as sendmail does, a file a letter."""
    program = os.path.join(folder, "sendmail")
    with open(program, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nat=$(mktemp {folder}/.XXXXXX)\ncat > $at\n"
                   f"mv $at {folder}/letter-${{at##*.}}\n")
    os.chmod(program, os.stat(program).st_mode | stat.S_IXUSR)
    return program


def read_letters(folder):
    """(account, kind of the notice that says the same) of each."""
    for name in os.listdir(folder):
        if name.startswith("letter-"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                letter = email.message_from_file(file)
            if letter["Subject"] in KINDS:
                yield letter["To"].partition("@")[0], KINDS[letter["Subject"]]


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000)
    parser.add_argument("--only", action="append", default=[],
                        choices=[one.name for one in faults.ALL])
    parser.add_argument("--pause", type=float, default=0.05)
    parser.add_argument("--senders", type=int, default=6)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def keep(run, cluster):
    folder = tempfile.mkdtemp(prefix="postbackd-chaos-kept-")
    for node in cluster.nodes:
        with open(os.path.join(folder, node.name + ".log"), "w", encoding="utf-8") as log:
            log.write(node.log())
    with open(os.path.join(folder, "ledger"), "wb") as file:
        pickle.dump(run.ledger, file)
    print(f"kept in {folder}")


def main():
    options = arguments()
    if options.list:
        print("\n".join(one.name for one in faults.ALL))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="postbackd-chaos-") as folder:
        flags = ["--sendmail", mailbox(folder), "--late-after", "2", "--alarm-after", "4",
                 "--deadline", "3"]
        with Cluster(nodes=options.nodes, standby=True, roads=True, flags=flags) as cluster:
            run = Run(options, cluster, folder)
            try:
                run.go(options)
                run.end()
            except BaseException:
                print(cluster.log()[-6000:])
                raise
            finally:
                run.close()
                if options.keep:
                    keep(run, cluster)
            return 0 if run.judge() else 1


if __name__ == "__main__":
    sys.exit(main())
