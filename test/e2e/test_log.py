"""The log: who reads it late or never holds nobody up, and is told what is missing."""

import os
import re
import signal
import socket
import subprocess

import pytest
import requests

from harness.delivery import Delivery
from harness.server import Server, World, await_until


class Unread:
    """A server whose standard error is a pipe that is full and that nobody reads."""

    def __init__(self, tmp_path):
        self.settings = tmp_path / ("long-" * 30 + ".conf")
        self.settings.write_text("log-level = info\n")
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        try:
            while os.write(self.writing, b"." * 4095 + b"\n"):
                pass
        except BlockingIOError:
            os.set_blocking(self.writing, True)
        self.server = Server("--config", str(self.settings))
        self.process = None

    def __enter__(self):
        port = free_port()
        self.server.flags += ["--listen", f"127.0.0.1:{port}"]
        self.process = self.server.process = subprocess.Popen(
            self.server.command(), stderr=self.writing, pass_fds=())
        os.close(self.writing)
        self.server.base = f"http://127.0.0.1:{port}"
        await_until(self.healthy, "an answer although nobody reads the log")
        return self

    def __exit__(self, *exc):
        self.server.close()
        if self.reading is not None:
            os.close(self.reading)

    def healthy(self):
        try:
            return requests.get(self.server.base + "/healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def dropped(self):
        text = requests.get(self.server.base + "/metrics", timeout=5).text
        return int(re.search(r"^postbackd_log_dropped_total (\d+)", text, re.M).group(1))

    def fill(self):
        """Says something until the queue is full."""
        self.settings.write_text("no-such-setting = 1\n")
        for _ in range(5000):
            self.process.send_signal(signal.SIGHUP)
            assert self.healthy()
            if self.dropped() > 20:
                return
        raise AssertionError("the queue was never full")

    def read_on(self):
        """What comes from now on, as it comes."""
        return os.read(self.reading, 1 << 16).decode(errors="replace")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def unread(tmp_path):
    with Unread(tmp_path) as running:
        yield running


def test_nobody_reads_the_log(unread, receivers):
    """A8: with a full pipe behind standard error calls are answered and events are delivered, also
    once more was said than the queue holds; what was dropped is counted, and said when it flows."""
    at = receivers()
    delivery = Delivery(World(unread.server), at.url())
    delivery.send_many(5)
    at.wait(5)
    assert unread.dropped() == 0
    unread.fill()
    delivery.send_many(5)
    at.wait(10)
    text = ""
    while "log_dropped" not in text:
        text += unread.read_on()
    said = int(re.search(r"warn log_dropped lines=(\d+)", text).group(1))
    assert said == unread.dropped() and "info listening" in text
    unread.process.send_signal(signal.SIGTERM)
    while "info stopped" not in text:
        text += unread.read_on()
    assert unread.process.wait(20) == 0


def test_a_stop_does_not_wait_for_a_reader(unread):
    """A8: SIGTERM ends a server whose log nobody reads."""
    unread.fill()
    unread.process.send_signal(signal.SIGTERM)
    assert unread.process.wait(20) == 0


def test_the_reader_has_gone(unread):
    """A8: a pipe without a reader takes nothing; the server goes on and counts."""
    os.close(unread.reading)
    unread.reading = None
    await_until(lambda: unread.healthy() and unread.dropped() > 0, "lines counted as dropped")
    assert unread.healthy()
