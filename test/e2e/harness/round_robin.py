"""Each request to the next node: what a load balancer does at its worst."""

import itertools
import re
import socket
import threading


class RoundRobin:
    """Listens on a free loopback port; each connection is for one request."""

    def __init__(self, ports):
        """ports: a function that gives those of the nodes as they are now."""
        self.ports, self.turn = ports, itertools.count()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near:
            try:
                request = read_request(near)
                if not request:
                    return
                ports = self.ports()
                with socket.create_connection(
                        ("127.0.0.1", ports[next(self.turn) % len(ports)])) as far:
                    far.sendall(request)
                    while (piece := far.recv(65536)):
                        near.sendall(piece)
            except OSError:  # one of them has left
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_request(sock):
    """Its head, with the wish to close behind the answer, and its body; empty when nobody asks."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return b""
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
    while length and len(body) < int(length.group(1)):
        piece = sock.recv(65536)
        if not piece:
            return b""
        body += piece
    head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.I)
    return head + b"\r\nConnection: close\r\n\r\n" + body
