"""The process is stopped for a minute (SIGSTOP), as by a frozen machine, and goes on.  Three servers
share the minute: what was different before it is looked at after it."""

import concurrent.futures
import json
import signal
import threading

import pytest
import requests

from harness.delivery import Delivery
from harness.receiver import Receiver, answers, hangs
from harness.server import Server, World, await_until

STOPPED_S = 60

# On PostgreSQL its lease is over by then, and it begins anew: test_nodes.py.
pytestmark = pytest.mark.one_file("a server that is alone goes on after a minute as if nothing was")


class Stopped:
    """A server with its world, its receiver, and the calls that came while it was stopped."""

    def __init__(self, pool, *flags, behave=None, **settings):
        self.pool = pool
        self.server = Server(*flags).start()
        self.world = World(self.server)
        self.receiver = Receiver(behave)
        self.delivery = Delivery(self.world, self.receiver.url(), **settings)
        self.ids, self.calls = [], []

    def before(self, count):
        self.ids += self.delivery.send_many(count)

    def signal(self, number):
        self.server.process.send_signal(number)

    def call(self, count):
        """While it is stopped: the kernel takes the connections."""
        def send(number):
            answer = requests.post(
                self.server.base + "/Events", timeout=STOPPED_S + 60,
                auth=(self.delivery.api.sid, self.delivery.api.token),
                json={"Type": "action.tracked", "AccountSids": [self.delivery.api.sid],
                      "Data": {"Oid": f"stopped-{number}"}})
            assert answer.status_code == 202, answer.text
            return answer.json()["EventIds"][0]
        self.calls += [self.pool.submit(send, number) for number in range(count)]

    def events(self):
        return [json.loads(one.body)["EventId"] for one in list(self.receiver.requests)]

    def settled(self):
        """All that was acknowledged has come."""
        self.ids += [one.result(30) for one in self.calls]
        await_until(lambda: set(self.events()) >= set(self.ids), "all that was acknowledged", 40)
        self.delivery.await_state("DELIVERED", len(self.ids))
        return self.events()

    def quiet(self):
        """No alarm for what had no chance to be sent, and it stops as ever."""
        assert "kind=late" not in self.server.log(), self.server.log()
        assert self.server.stop() == 0, self.server.log()

    def close(self):
        self.server.close()
        self.receiver.close()


@pytest.fixture(scope="module")
def minute():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        alarms = ("--late-after", "20", "--alarm-after", "40")
        made = {
            "busy": Stopped(pool, *alarms),
            "hanging": Stopped(pool, "--deadline", "5", *alarms, behave=hangs),
            "delayed": Stopped(pool, *alarms, MinimumDelay=5, Ordered=True),
        }
        try:
            for one in made.values():
                one.before(20)
            made["hanging"].receiver.wait(1)
            for one in made.values():
                one.signal(signal.SIGSTOP)
            for one in made.values():
                one.call(2)
            threading.Event().wait(STOPPED_S)  # real time: what is tested is a minute
            made["hanging"].receiver.behave = answers(200)
            for one in made.values():
                one.signal(signal.SIGCONT)
            yield made
        finally:
            for one in made.values():
                one.close()


def test_calls_are_answered_and_nothing_is_lost_or_doubled(minute):
    busy = minute["busy"]
    events = busy.settled()
    assert sorted(events, key=int) == sorted(set(events), key=int)
    busy.quiet()


def test_attempts_whose_deadline_passed_are_tried_again(minute):
    hanging = minute["hanging"]
    hanging.settled()
    attempts = hanging.delivery.postback(hanging.delivery.postbacks(PageSize=1000)[-1]["Id"])
    assert [one["Error"] for one in attempts["AttemptList"]][0] == "timeout"
    hanging.quiet()


def test_what_was_delayed_goes_out_in_order(minute):
    delayed = minute["delayed"]
    assert delayed.settled() == delayed.ids[:20] + sorted(delayed.ids[20:], key=int)
    delayed.quiet()
