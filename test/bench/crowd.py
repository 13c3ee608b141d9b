"""Many connections that want more than their share: `python3 crowd.py PORT`, what they do as JSON on
standard input, a list of

    {"count": N, "from": [addresses], "say": text, "again": bool, "read": bool}

Each of the `count` connections says its text, once or (again) for as long as it is taken, and reads
what comes (read) or nothing.  One that is closed is opened again.  Ends when it is killed.
"""

import contextlib
import json
import resource
import select
import socket
import sys
import time

PIECE = 256 * 1024
REST_S = 0.02  # before one that was closed is opened again
RECEIVE_BUFFER = 4096  # of those who do not read, so that the server must keep what it has to say


class Line:
    """One connection of a group."""

    def __init__(self, group, at):
        self.group, self.at = group, at
        self.text = group["say"].encode("latin-1")
        self.again, self.read = group.get("again", False), group.get("read", False)
        self.socket, self.said = None, 0

    def open(self, port):
        self.socket, self.said = socket.socket(), 0
        self.socket.setblocking(False)
        if not self.read:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        addresses = self.group["from"]
        self.socket.bind((addresses[self.at % len(addresses)], 0))
        self.socket.connect_ex(("127.0.0.1", port))

    def wanted(self):
        more = self.again or self.said < len(self.text)
        return ((select.EPOLLOUT if more and self.text else 0) | select.EPOLLRDHUP
                | (select.EPOLLIN if self.read else 0))

    def turn(self, events):
        """False: it was closed."""
        if events & (select.EPOLLERR | select.EPOLLHUP):
            return False
        with contextlib.suppress(BlockingIOError):
            if events & select.EPOLLOUT:
                self.said += self.socket.send(self.text[self.said:])
                if self.again and self.said == len(self.text):
                    self.said = 0
            if events & select.EPOLLIN:
                return self.socket.recv(PIECE) != b""
        return not events & select.EPOLLRDHUP


def run(port, groups):
    epoll, lines = select.epoll(), {}
    waiting = [(0, Line(group, at)) for group in groups for at in range(group["count"])]
    while True:
        now = time.monotonic()
        due, waiting = ([one for one in waiting if one[0] <= now],
                        [one for one in waiting if one[0] > now])
        for _, line in due:
            line.open(port)
            lines[line.socket.fileno()] = line
            epoll.register(line.socket, line.wanted())
        for fd, events in epoll.poll(REST_S, 1024):
            line = lines[fd]
            try:
                stays = line.turn(events)
            except OSError:
                stays = False
            if stays:
                epoll.modify(fd, line.wanted())
                continue
            epoll.unregister(fd)
            del lines[fd]
            line.socket.close()
            waiting.append((time.monotonic() + REST_S, line))


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run(int(sys.argv[1]), json.load(sys.stdin))
