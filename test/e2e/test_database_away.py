"""The database is stopped, silent, cut off or full under a server: what comes in is answered 503 with
Retry-After within a bounded time and memory, what went out is recorded later, and all goes on by
itself.  PostgreSQL is as safe as it is shipped here: fsync is on."""

import concurrent.futures
import contextlib
import json
import os
import threading
import time

import pytest
import requests

from harness.delivery import Delivery
from harness.postgres import Postgres
from harness.relay import Relay
from harness.server import Server, World, await_until

BOUND_S = 35  # 10 s for an answer, as long for a connection; and what a loaded machine adds


@pytest.fixture(scope="module")
def postgres():
    running = Postgres()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def road(postgres):
    """To an empty database."""
    postgres.psql("CREATE DATABASE store")
    relay = Relay(os.path.join(postgres.folder, ".s.PGSQL.5432"))
    yield relay
    relay.close()
    if postgres.server.poll() is not None:
        postgres.start()
    postgres.psql("DROP DATABASE store WITH (FORCE)")


@pytest.fixture
def server(road):
    with Server("--store", f"postgresql://postgres@127.0.0.1:{road.port}/store?sslmode=disable",
                "--deadline", "5") as running:
        yield running
        if running.process.poll() is None:
            road.mend()
            assert running.stop(60) == 0, running.log()


@pytest.fixture
def delivery(server, receiver):
    return Delivery(World(server), receiver.url())


def send(delivery, name):
    """The answer to one event."""
    return delivery.api.post("/Events", {"Type": "action.tracked", "AccountSids": [delivery.api.sid],
                                         "Data": {"Oid": name}})


def orders(receiver):
    return [json.loads(request.body)["Oid"] for request in list(receiver.requests)]


def sent_until_taken(delivery, name, timeout=60):
    """Sends again what is refused; what was refused in the end is not counted twice."""
    def take():
        answer = send(delivery, name)
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202
    await_until(take, f"{name} taken", timeout)


def refusals(delivery, many=8):
    """So many events at once: the answers' codes, each with its time."""
    def one(number):
        started = time.monotonic()
        answer = send(delivery, f"away-{number}")
        return answer, time.monotonic() - started
    with concurrent.futures.ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def all_is_refused(delivery):
    """… in time, with words and a Retry-After; what was under way at the fault may have been taken."""
    for answer, took in refusals(delivery):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) >= 1 and answer.json()["Message"]
        assert took < BOUND_S


@contextlib.contextmanager
def one_under_way(server, delivery):
    """An event whose commit may have been sent when the road fell silent: what became of it is looked up
    before anybody is told, so it is answered once the road is there again."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send, delivery, "under way")
        await_until(lambda: "the store cannot be written to" in server.log(), "it is noticed", BOUND_S)
        yield
        assert waiting.result().status_code in (202, 503)


def everything_goes_on(delivery, receiver, *names):
    sent_until_taken(delivery, "after")
    await_until(lambda: set(orders(receiver)) >= {*names, "after"}, "all arrive", 60)
    await_until(lambda: delivery.api.ok(delivery.api.get(f"{delivery.path}/Health"))["Pending"] == "0",
                "all is recorded", 60)
    assert requests.get(delivery.api.base + "/readyz", timeout=20).status_code == 200


def test_it_is_killed_and_comes_back(server, delivery, receiver, postgres):
    send(delivery, "before")
    receiver.wait(1)
    postgres.kill()
    all_is_refused(delivery)
    await_until(lambda: requests.get(server.base + "/readyz", timeout=20).status_code == 503, "not ready")
    assert requests.get(server.base + "/healthz", timeout=20).status_code == 200
    postgres.start()
    everything_goes_on(delivery, receiver, "before")


def test_it_restarts_again_and_again_under_load(server, delivery, receiver, postgres):
    """What was acknowledged arrives, through each restart."""
    taken = []
    for turn in range(3):
        for number in range(20):
            if send(delivery, f"{turn}-{number}").status_code == 202:
                taken.append(f"{turn}-{number}")
        postgres.end()
        send(delivery, f"{turn}-away")
        postgres.start()
        sent_until_taken(delivery, f"{turn}-back")
        taken.append(f"{turn}-back")
    everything_goes_on(delivery, receiver, *taken)


def test_the_road_is_silent(server, delivery, receiver, road):
    """Nobody is told that anything is wrong; what was sent before has its outcome recorded later."""
    send(delivery, "before")
    receiver.wait(1)
    road.silence()
    with one_under_way(server, delivery):
        all_is_refused(delivery)
        road.mend()
    everything_goes_on(delivery, receiver, "before")


def test_the_road_is_cut(server, delivery, receiver, road):
    send(delivery, "before")
    road.cut()
    all_is_refused(delivery)
    road.mend()
    everything_goes_on(delivery, receiver, "before")


def test_what_could_not_be_recorded_is_held_and_not_sent_again(server, delivery, receivers, road):
    """The answer comes while the database is away."""
    let_go = threading.Event()
    slow = receivers()

    def late(connection, _request):
        let_go.wait(60)
        return connection.answer(200)
    slow.behave = late
    held = Delivery(delivery.world, slow.url(), account=delivery.world.account("PARTNER", "Slow"))
    held.send_many(3)
    slow.wait(3)
    road.cut()
    let_go.set()
    all_is_refused(delivery)
    road.mend()
    await_until(lambda: len(held.postbacks(State="DELIVERED")) == 3, "all are recorded", 60)
    assert len(slow.requests) == 3, "each was sent once"


def test_memory_does_not_grow_while_it_is_away(server, delivery, road):
    """Batches until the caps."""
    body = json.dumps({"Events": [{"Type": "action.tracked", "AccountSids": [delivery.api.sid],
                                   "Data": {"Oid": "x" * 200}}] * 500})

    def rss_mib():
        with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def post(_):
        started = time.monotonic()
        answer = requests.post(server.base + "/Events", data=body, auth=delivery.api.session.auth, timeout=120,
                               headers={"Content-Type": "application/json"})
        return answer.status_code, "Retry-After" in answer.headers, time.monotonic() - started
    before = rss_mib()
    road.silence()
    with one_under_way(server, delivery):
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(post, range(256)))
        grown = rss_mib() - before
        road.mend()
    assert {(code, retry) for code, retry, _ in answers} == {(503, True)}
    assert max(took for _, _, took in answers) < BOUND_S
    assert grown < 64, f"{before:.0f} MiB, then {grown:.0f} more"


FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file: No space left on device';
END$$;
"""


def test_it_is_full(server, delivery, receiver, postgres):
    """As PostgreSQL says it when a file cannot grow; it stays up, and so does the server."""
    tables = ("event", "postback", "meta")
    send(delivery, "before")
    receiver.wait(1)
    postgres.psql(FULL + "".join(f"CREATE TRIGGER no_room BEFORE INSERT ON {table} EXECUTE FUNCTION no_room();"
                                 for table in tables), database="store")
    all_is_refused(delivery)
    await_until(lambda: "No space left on device" in server.log(), "it says so")
    assert delivery.api.get("Postbacks").status_code == 200, "reads go on"
    postgres.psql("DROP FUNCTION no_room CASCADE", database="store")
    everything_goes_on(delivery, receiver, "before")


def test_a_stop_while_it_is_away_ends_in_time(server, delivery, road):
    send(delivery, "before")
    road.silence()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send, delivery, "under way")
        started = time.monotonic()
        assert server.stop(90) == 0, server.log()
        assert time.monotonic() - started < 2 * BOUND_S
        try:
            assert waiting.result().status_code == 503
        except requests.ConnectionError:
            pass
