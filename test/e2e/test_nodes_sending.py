"""Two nodes on one PostgreSQL: what an event notification promises holds over both."""

import threading

import pytest

from harness.cluster import Cluster
from harness.delivery import Delivery
from harness.receiver import Receiver, answers, hangs
from harness.server import World, await_until


@pytest.fixture(scope="module")
def cluster():
    with Cluster(2) as nodes:
        yield nodes


class Sender(Delivery):
    """An event notification, and events to one node after the other."""

    def __init__(self, cluster, receiver, **settings):
        super().__init__(World(cluster), receiver.url("/{Oid}"), **settings)
        self.cluster, self.sent = cluster, 0

    def send_to(self, node):
        answer = node.api(self.api).post("/Events", {
            "Type": "action.tracked", "AccountSids": [self.api.sid],
            "Data": {"Oid": str(self.sent)}})
        assert answer.status_code == 202, answer.text
        self.sent += 1

    def send_in_turn(self, count):
        for _ in range(count):
            self.send_to(self.cluster.nodes[self.sent % len(self.cluster.nodes)])

    def owner(self):
        """The node that sends what waits of it; one of its postbacks is there."""
        found = await_until(lambda: self.cluster.database.rows(
            "SELECT n.address FROM postback p JOIN lease l ON l.part = p.bucket "
            f"JOIN node n ON n.number = l.node WHERE p.notification = {self.id} LIMIT 1"),
            "somebody owns it", 30)
        return next(node for node in self.cluster.nodes if node.base.endswith(found[0][0]))

    def senders(self):
        """Which nodes have sent the last two that were written with their outcome."""
        return set(self.cluster.database.rows(
            f"SELECT (id >> 12) & 1023 FROM postback WHERE notification = {self.id} "
            "AND first_revision IS NOT NULL ORDER BY id DESC LIMIT 2"))


def targets(receiver):
    return [request.target for request in list(receiver.requests)]


def without_repetitions(all_of_them):
    return list(dict.fromkeys(all_of_them))


def in_order(count):
    return [f"/{number}" for number in range(count)]


def expect_pace(sender, most):
    """As the nodes started them, which have one clock here.  A limit that each keeps for itself lets
    twice as many out, not a little too soon."""
    times = sorted(int(at) for at, in sender.cluster.database.rows(
        "SELECT coalesce(p.first_started_at, a.started_at) FROM postback p "
        "LEFT JOIN attempt a ON a.postback = p.id "
        f"WHERE p.notification = {sender.id} AND p.state = 2"))
    spans = [later - earlier for earlier, later in zip(times, times[most:])]
    assert min(spans) >= 700, f"{most} a second, but {most + 1} within {min(spans)} ms: {times}"


class Counting:
    """Answers each request after a while, and knows how many were open at once."""

    def __init__(self, after_s, status=200):
        self.after_s, self.status, self.open, self.most = after_s, status, 0, 0
        self.lock = threading.Lock()

    def __call__(self, connection, _request):
        with self.lock:
            self.open += 1
            self.most = max(self.most, self.open)
        connection.stopped.wait(self.after_s)
        with self.lock:
            self.open -= 1
        return connection.answer(self.status)


def test_ordered_is_the_order_in_which_events_were_acknowledged(cluster, receiver):
    sender = Sender(cluster, receiver, Ordered=True)
    sender.send_in_turn(40)
    receiver.wait(40)
    assert targets(receiver) == in_order(40)


def test_maximum_requests_is_one_for_both(cluster, receiver):
    sender = Sender(cluster, receiver, MaximumRequests=10)
    sender.send_in_turn(30)
    receiver.wait(30)
    assert sorted(targets(receiver)) == sorted(in_order(30))
    sender.await_state("DELIVERED", 30)
    expect_pace(sender, 10)


def test_maximum_concurrent_requests_is_one_for_both(cluster):
    counting = Counting(0.2)
    with Receiver(counting) as receiver:
        sender = Sender(cluster, receiver, MaximumConcurrentRequests=2)
        sender.send_in_turn(20)
        receiver.wait(20)
        assert counting.most == 2


def test_a_plain_one_is_sent_by_whoever_took_its_event(cluster, receiver):
    sender = Sender(cluster, receiver)
    sender.send_in_turn(20)
    receiver.wait(20)
    sender.await_state("DELIVERED", 20)
    assert len(sender.senders()) == 2


def test_a_dead_receiver_gets_one_probe_at_a_time_in_all(cluster):
    with Receiver(answers(503)) as receiver:
        sender = Sender(cluster, receiver)
        sender.send_in_turn(40)
        sender.await_state("WAITING", 40)
        down = len(receiver.requests)  # each node's window, and what it took to find out
        receiver.behave = refusing = Counting(0.3, 503)
        sender.send_in_turn(20)
        receiver.wait(down + 3, timeout=60)
        assert refusing.most == 1
        receiver.behave = answers(200)
        sender.await_state("DELIVERED", 60, timeout=60)
        await_until(lambda: sender.send_in_turn(2) or len(sender.senders()) == 2,
                    "both send straight again", 30)


def test_a_pause_and_a_resume_hold_on_both(cluster, receiver):
    sender = Sender(cluster, receiver)
    sender.send_in_turn(4)
    receiver.wait(4)
    sender.do("Pause")
    sender.send_in_turn(10)
    sender.await_state("WAITING", 10)
    assert len(receiver.requests) == 4
    sender.do("Resume")
    receiver.wait(14)
    assert sorted(targets(receiver)) == sorted(in_order(14))


def test_an_edit_is_what_every_later_event_goes_by(cluster, receiver):
    sender = Sender(cluster, receiver)
    sender.send_in_turn(4)
    receiver.wait(4)
    for place in ("a", "b", "c"):
        sender.change(Url=receiver.url(f"/{place}/{{Oid}}"))
        before = sender.sent
        sender.send_in_turn(4)
        receiver.wait(before + 4)
        assert sorted(targets(receiver)[before:]) == sorted(
            f"/{place}/{number}" for number in range(before, before + 4))


def test_what_a_dead_node_had_is_sent_by_the_other(cluster):
    """In its lanes, and in flight: the receiver hangs until it is dead."""
    with Receiver(hangs) as receiver:
        sender = Sender(cluster, receiver)
        ordered = Sender(cluster, receiver, Ordered=True)
        first, second = cluster.nodes
        for _ in range(30):
            sender.send_to(second)
        ordered.send_in_turn(20)
        receiver.wait(1)
        second.kill()
        receiver.behave = answers(200)
        try:
            sender.await_state("DELIVERED", 30, timeout=90)
            ordered.await_state("DELIVERED", 20, timeout=90)
        finally:
            second.start()


def test_ordered_goes_on_in_order_when_its_node_dies(cluster, receiver):
    sender = Sender(cluster, receiver, Ordered=True)
    sender.send_in_turn(20)
    dead = sender.owner()
    other = next(node for node in cluster.nodes if node is not dead)
    dead.kill()
    try:
        for _ in range(20):
            sender.send_to(other)
        await_until(lambda: len(set(targets(receiver))) == 40, "all have come", 60)
        assert without_repetitions(targets(receiver)) == in_order(40)
        assert len(receiver.requests) <= 41  # the one that was in flight
    finally:
        dead.start()


def test_what_is_given_away_comes_once_in_order_and_at_its_pace(cluster, receiver):
    """A node joins, and its share with it, and leaves again."""
    with Receiver() as other:
        paced = Sender(cluster, receiver, MaximumRequests=10)
        ordered = Sender(cluster, other, Ordered=True)
        paced.send_in_turn(40)
        ordered.send_in_turn(40)
        third = cluster.join()
        ordered.send_in_turn(40)
        receiver.wait(10)
        assert cluster.leave(third) == 0
        ordered.send_in_turn(40)
        paced.await_state("DELIVERED", 40, timeout=60)
        ordered.await_state("DELIVERED", 120, timeout=60)
        assert sorted(targets(receiver)) == sorted(in_order(40))
        expect_pace(paced, 10)
        assert targets(other) == in_order(120)
