"""Bytes on a socket, for requests that no client library would send."""

import base64
import socket


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class Wire:
    """One connection to the server.  What it gives is what came before the time was up or the
    other end closed."""

    def __init__(self, port, timeout=10):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, data):
        """False: the other end would have no more."""
        try:
            self.sock.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
            return True
        except OSError:
            return False

    def end(self):
        """No more from us; the answer may still come."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _more(self):
        try:
            piece = self.sock.recv(65536)
        except OSError:  # reset, or nothing for too long
            piece = b""
        self.rest += piece
        return piece != b""

    def answer(self, head=False):
        """The next answer; None when there is none."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                return None
        top, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = top.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {name.strip().lower(): value.strip() for name, value in
                   (line.split(":", 1) for line in lines[1:])}
        if status == 100:
            return self.answer(head)
        if head or status == 304:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        else:
            body = self._take(int(headers.get("content-length", 0)))
        return None if body is None else Answer(status, headers, body)

    def _take(self, length):
        while len(self.rest) < length:
            if not self._more():
                return None
        piece, self.rest = self.rest[:length], self.rest[length:]
        return piece

    def _chunks(self):
        """The body of a long answer, which comes in pieces; None when it ends too early."""
        body = b""
        while True:
            while b"\r\n" not in self.rest:
                if not self._more():
                    return None
            size, self.rest = self.rest.split(b"\r\n", 1)
            chunk = self._take(int(size, 16) + 2)
            if chunk is None or chunk == b"\r\n":
                return chunk and body
            body += chunk[:-2]

    def closed(self):
        """True when the other end has closed and nothing is left to read."""
        while self._more():
            pass
        return self.rest == b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def basic(account):
    pair = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
    return f"Authorization: Basic {pair}\r\n"


def request(method, target, headers="", body=b"", length=True):
    """A right request: change it as wanted."""
    body = body if isinstance(body, bytes) else body.encode()
    if length and (body or method in ("POST", "PUT")):
        headers += f"Content-Length: {len(body)}\r\n"
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode("latin-1") + body
