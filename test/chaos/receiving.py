"""The receivers of a run: each event notification has one, which enters what it had in the ledger."""

import glob
import os
import random
import threading
import time

from harness.receiver import Receiver

from ledger import Receipt


class Watched:
    """One receiver.  failing: the share of requests that it answers wrongly; works_for: seconds that
    it takes to answer, at the most; is_down: all are refused just now."""

    def __init__(self, name, ledger, senders, seed, failing=0.0, works_for=0.0):
        self.name, self.ledger, self.senders = name, ledger, senders
        self.failing, self.works_for, self.is_down = failing, works_for, False
        self.chance, self.lock = random.Random(f"{seed} {name}"), threading.Lock()
        self.over = threading.Event()
        self.receiver = Receiver(self._behave)

    def url(self, generation):
        return self.receiver.url(f"/{generation}/{{Oid}}")

    def _behave(self, connection, request):
        _, generation, key = request.target.split("/", 2)
        with self.lock:
            roll, takes = self.chance.random(), self.chance.uniform(0, self.works_for)
        receipt = Receipt(self.name, key, request.header("webhook-id"), int(generation), request.at,
                          node=self.senders.of(connection.sock))
        self.ledger.receipts.append(receipt)
        if takes:
            self.over.wait(takes)  # real time: that it is at work is what is tested
        receipt.ended = time.monotonic()
        if roll < self.failing / 4:
            return connection.reset()  # nobody knows whether it was taken
        receipt.status = 503 if self.is_down else 500 if roll < self.failing else 200
        return connection.answer(receipt.status)

    def recover(self):
        """It answers all from now on."""
        self.failing, self.works_for, self.is_down = 0.0, 0.0, False

    def close(self):
        self.over.set()
        self.receiver.close()


class Senders:
    """Which node has made a connection: by the kernel's table of connections, and the descriptors of
    the nodes' processes."""

    def __init__(self, cluster):
        self.cluster, self.known = cluster, {}

    def of(self, sock):
        if sock not in self.known:
            self.known[sock] = self._look(sock.getpeername()[1])
        return self.known[sock]

    def _look(self, port):
        wanted = f"0100007F:{port:04X}"
        try:
            with open("/proc/net/tcp", encoding="ascii") as table:
                inode = next((row[9] for row in map(str.split, table) if row[1] == wanted), None)
        except OSError:
            return None
        for node in list(self.cluster.nodes):
            if inode and node.is_up and holds(node.process.pid, f"socket:[{inode}]"):
                return node.name
        return None


def holds(pid, link):
    for path in glob.iglob(f"/proc/{pid}/fd/*"):
        try:
            if os.readlink(path) == link:
                return True
        except OSError:  # closed meanwhile
            pass
    return False
