"""An egress proxy: CONNECT and nothing else.  A behaviour is called with the socket and the request
head's lines; giving an address (host, port) opens the tunnel to it, None closes the connection."""

import base64
import re
import socket
import threading


def connects(sock, lines):
    host, port = re.fullmatch(r"CONNECT \[?(.+?)\]?:(\d+) HTTP/1\.1", lines[0]).groups()
    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return host, int(port)


def needs(user, password):
    """Connects who shows these; others get 407."""
    right = "Proxy-Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def behave(sock, lines):
        if right in lines:
            return connects(sock, lines)
        return says(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                    b'Proxy-Authenticate: Basic realm="out"\r\nContent-Length: 0\r\n\r\n')(sock, lines)
    return behave


def says(answer):
    def behave(sock, _lines):
        sock.sendall(answer)
    return behave


def endless(sock, _lines):
    """Headers until nobody reads them."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        sock.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")


class Proxy:
    """Listens on a free loopback port until closed."""

    def __init__(self, behave=connects, address="127.0.0.1", port=0):
        self.behave = behave
        self.asked = []  # the lines of each request's head
        self.stopped = threading.Event()
        self.open = set()
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self):
        return [lines[0].split(" ")[1] for lines in self.asked]

    def hangs(self, _sock, _lines):
        self.stopped.wait()

    def _accept(self):
        while not self.stopped.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        self.open.add(sock)
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = sock.recv(1)
                if not more:
                    return
                head += more
            lines = head.decode().strip().split("\r\n")
            self.asked.append(lines)
            address = self.behave(sock, lines)
            if address:
                self._pass(sock, socket.create_connection(address, 10))
        except OSError:
            pass
        finally:
            self.open.discard(sock)
            sock.close()

    def _pass(self, near, far):
        def copy(source, into):
            try:
                while (data := source.recv(65536)):
                    into.sendall(data)
            except OSError:
                pass
            for end in (source, into):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        far.settimeout(None)
        self.open.add(far)
        back = threading.Thread(target=copy, args=(far, near), daemon=True)
        back.start()
        copy(near, far)
        back.join()
        self.open.discard(far)
        far.close()

    def close(self):
        self.stopped.set()
        for sock in (self.listener, *list(self.open)):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
