"""One client's share of the server: whatever one of them does at full strength, the others are
served, the memory is bounded, and it comes back."""

import os
import socket
import threading

import pytest
import requests

from harness.delivery import LIFECYCLE, Delivery
from harness.server import await_until
from harness.wire import basic

MIB = 1024 * 1024
# The allocator of a build with sanitizers keeps what is freed.
SANITIZED = b"__asan_init" in open(os.environ.get("POSTBACKD", "build/src/postbackd"), "rb").read()


def rss(server, what="VmRSS"):
    """In MiB: what is resident, or ("VmHWM") the most that ever was."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what)) / 1024


def in_memory(server, after=0.0):
    """Postbacks, in so many seconds."""
    threading.Event().wait(after)  # real time: what does not change for a while is at rest
    answer = requests.get(server.base + "/metrics", timeout=20)
    return next(line for line in answer.text.splitlines()
                if line.startswith("postbackd_postbacks_in_memory "))


@pytest.fixture
def crowd(server):
    """Opens any number of connections, from 127.0.0.LAST; all are closed at the end."""
    opened = []

    def connect(last=1, timeout=10):
        sock = socket.socket()
        opened.append(sock)
        sock.settimeout(timeout)
        sock.bind((f"127.0.0.{last}", 0))
        sock.connect(("127.0.0.1", server.port))
        return sock
    yield connect
    for sock in opened:
        sock.close()


def say(sock, data):
    """Up to what the kernel takes: nobody may be reading."""
    sock.setblocking(False)
    try:
        sent = sock.send(data)
    except OSError:
        sent = 0
    sock.settimeout(10)
    return sent


def serves(server):
    answer = requests.get(server.base + "/healthz", timeout=20)
    assert answer.status_code == 200, answer.text


def comes_back(server, most):
    if not SANITIZED:
        await_until(lambda: rss(server) < most, f"RSS under {most} MiB; it is {rss(server):.0f}", 60)


@pytest.mark.parametrize("one", [
    b"GET /x HTTP/1.1\r\nHost:\r\n\r\n", b"GET /Operator/Accounts HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET /%zz HTTP/1.1\r\nHost:\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    b"POST /Session HTTP/1.1\r\nHost:\r\nContent-Length: 2\r\n\r\n{}"],
    ids=["unknown", "not signed in", "malformed", "health", "posts"])
def test_requests_sent_ahead_cost_no_more_than_their_connections(server, crowd, one):
    """A1: pipelined requests, 64 KiB of them on each of 150 connections."""
    before = rss(server)
    for i in range(150):
        say(crowd(2 + i % 3), one * (65536 // len(one)))
    serves(server)
    if not SANITIZED:
        assert rss(server, "VmHWM") < before + 64, f"from {before:.0f} MiB"


def test_idle_connections_make_room(server, crowd):
    """A7: all connections are idle; whoever comes is served, the oldest of the idle is not."""
    idle = [crowd(2 + i // 500) for i in range(2048)]
    for _ in range(3):
        serves(server)
    assert idle[0].recv(1) == b"", "the longest idle one is closed"
    idle[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle[-1].recv(12) == b"HTTP/1.1 200"


def test_stalled_bodies_of_strangers(server, world, crowd):
    """A6: 1,024 bodies that stand still before anybody signed in; a sign-in and an event are taken."""
    for i in range(1024):
        say(crowd(2 + i // 256), b"POST /Session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 60000\r\n\r\n" + b" " * 59000)
    browser = world.browser(world.brand)
    assert browser.get("/Session").status_code == 200
    world.open()
    comes_back(server, 96)


def test_stalled_bodies_of_one_account(server, world, crowd):
    """A6: 40 batches of 4 MiB under one token stand still; another account's event is taken."""
    head = (f"POST /Events HTTP/1.1\r\nHost: x\r\n{basic(world.brand)}"
            "Content-Type: application/json\r\nContent-Length: 4000000\r\n\r\n").encode()
    for _ in range(40):
        sock = crowd()
        sock.sendall(head)
        for _ in range(62):
            say(sock, b" " * 64 * 1024)
    world.open()  # the partner's
    serves(server)
    if not SANITIZED:
        assert rss(server, "VmHWM") < 192


def test_large_events_of_one_account_fill_no_lanes(server, world, receivers):
    """A2: ten receivers hang, and for each wait 200 events of 60 KB; they have 14 MiB of memory
    together, another account's go out, and in the end all of them have arrived."""
    well = threading.Event()

    def hangs_until_well(connection, _request):
        while not well.wait(0.05) and not connection.stopped.is_set():
            pass
        return connection.answer(200)
    hanging, other = receivers(hangs_until_well), receivers()
    first = Delivery(world, hanging.url("/0"), Method="GET")
    ids = [first.id] + [
        world.notify(first.api, hanging.url(f"/{number}"), Category=LIFECYCLE, Method="GET")["Id"]
        for number in range(1, 10)]
    for one in ids:
        first.api.ok(first.api.post(f"EventNotifications/{one}/Pause"))
    for _ in range(200):
        first.send(Oid="x" * 60_000)
    for one in ids:
        first.api.ok(first.api.post(f"EventNotifications/{one}/Resume"))
    hanging.wait(10)
    await_until(lambda: in_memory(server) == in_memory(server, after=0.5), "lanes are full")
    small = Delivery(world, other.url(), account=world.account("PARTNER", "Small"))
    small.send_many(20)
    other.wait(20)
    well.set()
    hanging.wait(2000, timeout=60)
    if not SANITIZED:
        assert rss(server, "VmHWM") < 100
    comes_back(server, 64)
