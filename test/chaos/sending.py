"""The load of a run: senders that hand events over to whichever node takes them, and owners who change
their event notifications meanwhile."""

import random
import threading
import time

import requests

from ledger import Edit, Event, Pause

ANSWER_WITHIN = 4.0  # seconds; then a sender tries another node, under the same DedupeKey


class Worker:
    """A thread with a chance of its own, which takes its turns until it is to stop."""

    def __init__(self, run, name):
        self.run, self.chance = run, random.Random(f"{run.seed} {name}")
        self.over = threading.Event()
        self.session = requests.Session()
        self.session.trust_env = False
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    def _work(self):
        while not self.over.is_set():
            self.turn()

    def wait(self, least, most):
        self.over.wait(self.chance.uniform(least, most))

    def ask(self, method, path, who, body=None, timeout=ANSWER_WITHIN):
        """Any node; its answer, or None when there was none."""
        node = self.chance.choice(list(self.run.cluster.nodes))
        if node.base is None:
            return None
        try:
            return self.session.request(method, node.base + path, json=body, timeout=timeout,
                                        auth=(who.sid, who.token))
        except requests.RequestException:
            return None

    def stop(self):
        self.over.set()
        self.thread.join()


class Sender(Worker):
    """One event after the other; each until it is acknowledged."""

    def __init__(self, run, number):
        self.number, self.sent = number, 0
        super().__init__(run, f"sender-{number}")

    def turn(self):
        stream = self.chance.choices(self.run.streams, [one.weight for one in self.run.streams])[0]
        self.sent += 1
        event = Event(f"{stream.name}-{self.number}-{self.sent}",
                      tuple(one.name for one in stream.notifications), time.monotonic())
        self.run.ledger.events.append(event)
        while not self.over.is_set() and event.ended is None:
            self.hand_over(event, stream.account)
        self.wait(0, 2 * self.run.pause)

    def hand_over(self, event, account):
        answer = self.ask("POST", "/Events", account, {
            "Type": "action.tracked", "AccountSids": [account.sid], "DedupeKey": event.key,
            "Data": {"Oid": event.key}})
        if answer is not None and answer.status_code == 202:
            event.ended = time.monotonic()
            return
        if answer is not None and answer.status_code not in (409, 429, 503):
            self.run.wrong(f"an event was answered {answer.status_code}: {answer.text}")
        self.wait(0.02, 0.2)


class Owner(Worker):
    """New URLs, pauses, receivers that are down for a while."""

    def turn(self):
        self.wait(0.3, 1.5)
        which = self.chance.choice([one for stream in self.run.streams
                                    for one in stream.notifications])
        self.chance.choices([self.edit, self.pause, self.receiver_down], [5, 2, 2])[0](which)

    def edit(self, which):
        which.generation += 1
        answer = self.ask("PUT", which.path, which.account,
                          {"Url": which.watched.url(which.generation)}, timeout=40)
        is_known = answer is not None and answer.status_code == 200
        self.run.ledger.edits.append(Edit(which.name, which.generation,
                                          time.monotonic() if is_known else None))

    def pause(self, which):
        answer = self.ask("POST", which.path + "/Pause", which.account, timeout=40)
        answered = time.monotonic()
        self.wait(1, 5)
        resumed = time.monotonic()
        if answer is not None and answer.status_code == 200:
            self.run.ledger.pauses.append(Pause(which.name, answered, resumed))
        while not self.over.is_set() and not self.resume(which):
            self.wait(0.1, 0.3)

    def resume(self, which):
        answer = self.ask("POST", which.path + "/Resume", which.account, timeout=40)
        return answer is not None and answer.status_code == 200

    def receiver_down(self, which):
        which.watched.is_down = True
        self.wait(1, 5)
        which.watched.is_down = False
