"""Receivers of every temper.  A behaviour is called with a Connection and one Request, and writes
what it likes; giving False closes the connection."""

import socket
import ssl
import threading
import time


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.at = time.monotonic()

    def header(self, name):
        return self.headers.get(name.lower())

    def __repr__(self):
        return f"{self.method} {self.target} {self.body[:200]!r}"


class Connection:
    def __init__(self, sock, stopped):
        self.sock, self.stopped = sock, stopped

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def answer(self, status=200, body="OK", headers=(), reason="X"):
        lines = [f"HTTP/1.1 {status} {reason}", *headers, f"Content-Length: {len(body.encode())}"]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)
        return True

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return False


def answers(status=200, body="OK", headers=()):
    return lambda connection, request: connection.answer(status, body, headers)


def hangs(connection, _request):
    connection.stopped.wait()
    return False


def resets(connection, _request):
    return connection.reset()


def in_turn(*behaviours):
    """The first request gets the first behaviour …; the last one stays."""
    left = list(behaviours)
    lock = threading.Lock()

    def behave(connection, request):
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        return now(connection, request)
    return behave


class Receiver:
    """Listens on a free loopback port until closed, a thread a connection."""

    def __init__(self, behave=None, tls=None, family=socket.AF_INET, port=0, address=None):
        self.behave = behave or answers(200)
        self.tls = tls
        self.requests, self.connections = [], 0
        self.changed = threading.Condition()
        self.stopped = threading.Event()
        self.open = set()
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.address = address or ("::1" if family == socket.AF_INET6 else "127.0.0.1")
        self.listener.bind((self.address, port))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path="/postbacks", host="127.0.0.1"):
        return f"http{'s' if self.tls else ''}://{host}:{self.port}{path}"

    def _accept(self):
        while not self.stopped.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self.changed:
            self.connections += 1
            self.open.add(sock)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                plain, sock = sock, self.tls.wrap_socket(sock, server_side=True,
                                                         do_handshake_on_connect=False)
                with self.changed:
                    self.open.discard(plain)
                    self.open.add(sock)
                sock.do_handshake()
            reader = sock.makefile("rb")
            while not self.stopped.is_set():
                request = self._read(reader)
                if request is None:
                    return
                with self.changed:
                    self.requests.append(request)
                    self.changed.notify_all()
                if self.behave(Connection(sock, self.stopped), request) is False:
                    return
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self.changed:
                self.open.discard(sock)
            sock.close()

    @staticmethod
    def _read(reader):
        line = reader.readline()
        if not line:
            return None
        method, target, _ = line.decode().split(" ", 2)
        headers = {}
        while (line := reader.readline().rstrip(b"\r\n")):
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        return Request(method, target, headers, body)

    def wait(self, count=1, timeout=20):
        """Waits for so many requests and gives them all."""
        with self.changed:
            come = self.changed.wait_for(lambda: len(self.requests) >= count, timeout)
            assert come, f"{len(self.requests)} of {count} requests after {timeout} s"
            return list(self.requests)

    def close(self):
        self.stopped.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # or accept() keeps the port open
        except OSError:
            pass
        self.listener.close()
        self._keep_port()
        with self.changed:
            for sock in list(self.open):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _keep_port(self):
        """Nobody listens there, and no other test's server does by chance; a receiver may again."""
        self.kept = socket.socket(self.listener.family, socket.SOCK_STREAM)
        self.kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.kept.bind((self.address, self.port))
        except OSError:  # a new one was quicker
            self.kept.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
