"""A crash, and then a write-ahead log that is not as it was written: what is cut off is said."""

import os
import random
import re
import sqlite3
import threading

import pytest
import requests

from harness.delivery import Delivery
from harness.server import Server, World

pytestmark = pytest.mark.one_file("its write-ahead log")

HEADER, FRAME = 32, 24 + 4096


@pytest.fixture
def crashed(tmp_path):
    """Killed with 40 acknowledged events in its log, and what it held; nothing can be delivered."""
    server = Server(data=str(tmp_path / "data"))
    with server:
        delivery = Delivery(World(server), "http://127.0.0.1:9/")
        delivery.ids = delivery.send_many(40)
        server.kill()
        delivery.log = os.path.join(server.data, "postbackd.db-wal")
        server.lines.clear()
        yield server, delivery


def flip(path, at, bit=0):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def frames(path):
    return (os.path.getsize(path) - HEADER) // FRAME


def kept(delivery):
    """Of the events that were acknowledged."""
    found = {row["EventId"] for row in delivery.postbacks(PageSize=1000)}
    return [id for id in delivery.ids if id in found]


def start(server, delivery):
    server.start()
    delivery.world.moved()


def lost(server):
    text = requests.get(server.base + "/metrics", timeout=20).text
    return int(re.search(r"^postbackd_wal_frames_lost_total (\d+)", text, re.M).group(1))


def test_a_bit_of_the_log_flips_after_a_crash(crashed):
    """A14: one bit in the middle of the log: what is before it is served; what is behind it is said,
    in the log with how many frames and transactions, by a notice and a metric, and is kept."""
    server, delivery = crashed
    before, size = open(delivery.log, "rb").read(), frames(delivery.log)
    flip(delivery.log, HEADER + size * 3 // 4 * FRAME + 2000, 3)
    start(server, delivery)
    said = [line for line in server.log().splitlines() if " error wal_cut_off " in line]
    assert len(said) == 1, server.log()
    number = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", said[0])}
    assert number["followed"] <= size * 3 // 4 and number["frames"] == size - number["followed"]
    assert number["transactions"] > 1 and "had been acknowledged" in said[0]
    assert lost(server) == number["frames"]
    assert 0 < len(kept(delivery)) < 40
    notice = delivery.world.operator.ok(delivery.world.operator.get("Notices"))["Notices"][0]
    assert notice["Kind"] == "store.lost" and "postbackd check" in notice["Text"]
    assert str(number["frames"]) + " frames" in notice["Text"]
    rest = open(delivery.log + ".damaged", "rb").read()
    assert len(rest) == len(before) and sum(a != b for a, b in zip(rest, before)) == 1
    assert os.stat(delivery.log + ".damaged").st_mode & 0o777 == 0o600
    # once is enough: the next start has nothing to say
    server.kill()
    server.lines.clear()
    start(server, delivery)
    assert "wal_cut_off" not in server.log() and lost(server) == 0
    assert server.stop() == 0


@pytest.mark.parametrize("at, word", [(0, "header"), (3, "header"), (9, "header"), (17, "header"),
                                      (27, "header"), (HEADER + 100, "frame 1 ")])
def test_nothing_of_the_log_can_be_followed(crashed, at, word):
    """A14: a bit of the log's own header, or of its first frame."""
    server, delivery = crashed
    flip(delivery.log, at, 1)
    server.run().wait(20)
    log = server.log()
    assert "wal_cut_off" in log and word in log, log


def test_bits_anywhere(crashed, tmp_path):
    """A14: at random, the last transaction's included."""
    server, delivery = crashed
    whole = open(delivery.log, "rb").read()
    files = {name: open(os.path.join(server.data, name), "rb").read()
             for name in ("postbackd.db", "postbackd.db-wal")}
    pick = random.Random(14)
    places = [pick.randrange(len(whole)) for _ in range(10)] + [len(whole) - 1, len(whole) - FRAME]
    for place in places:
        for name, content in files.items():
            with open(os.path.join(server.data, name), "wb") as file:
                file.write(content)
        if os.path.exists(os.path.join(server.data, "postbackd.db-shm")):
            os.unlink(os.path.join(server.data, "postbackd.db-shm"))
        flip(delivery.log, place, pick.randrange(8))
        server.lines.clear()
        server.run().wait(20)
        assert server.log().count("wal_cut_off") == 1, f"byte {place}: {server.log()}"
        server.kill()


def test_fifty_kills_are_ordinary(tmp_path, receivers):
    """A14: kill -9 in the middle of writing says nothing, and loses nothing."""
    at = receivers()
    with Server(data=str(tmp_path / "data")) as server:
        delivery = Delivery(World(server), at.url())
        delivery.ids, pick = [], random.Random(50)
        for number in range(50):
            for _ in range(pick.randrange(1, 12)):
                delivery.ids.append(delivery.send())
            bodies = {"Type": "action.tracked", "AccountSids": [delivery.api.sid], "Data": {}}
            under_way = delivery.api.session.prepare_request(requests.Request(
                "POST", server.base + "/Events", json={"Events": [bodies] * 300}))
            await_sent(delivery.api, under_way, server)
            start(server, delivery)
            log = server.log()
            assert "wal_cut_off" not in log, f"kill {number}: {log}"
        assert server.stop() == 0
        assert not os.path.exists(server.data + "/postbackd.db-wal.damaged")
        with sqlite3.connect(server.data + "/postbackd.db") as database:
            there = {str(id) for (id,) in database.execute("SELECT id FROM event")}
        assert set(delivery.ids) <= there, "acknowledged events are gone"


def await_sent(api, request, server):
    """Sends a large batch and kills the server while it is at it."""
    sender = threading.Thread(target=send, args=(api, request), daemon=True)
    sender.start()
    sender.join(0.004)
    server.kill()
    sender.join(20)


def send(api, request):
    try:
        api.session.send(request, timeout=20)
    except requests.RequestException:
        pass
