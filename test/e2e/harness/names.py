"""A DNS server on loopback, UDP and TCP, that answers for names as told, and badly when told so."""

import socket
import struct
import threading

A, AAAA = 1, 28
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5


def bound():
    """UDP and TCP sockets on one free port."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
            tcp.listen(64)
            return udp, tcp
        except OSError:  # somebody else's by TCP
            udp.close()
            tcp.close()


class Names:
    """names.records["a.test"] = [("127.0.0.2", 1)]: addresses with their TTL, or a code of failure,
    or a function (query, send) that answers as it likes, or not at all."""

    def __init__(self):
        self.records, self.asked = {}, []
        self.stopped = threading.Event()
        self.udp, self.tcp = bound()
        self.port = self.udp.getsockname()[1]
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _serve_udp(self):
        while not self.stopped.is_set():
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not data:  # closed
                continue
            threading.Thread(target=self._answer, daemon=True, args=(
                Query(data, tcp=False), lambda reply, peer=peer: self.udp.sendto(reply, peer))
                             ).start()

    def _serve_tcp(self):
        while not self.stopped.is_set():
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_connection, args=(sock,), daemon=True).start()

    def _serve_connection(self, sock):
        with sock, sock.makefile("rb") as reader:
            while len(head := reader.read(2)) == 2:
                query = Query(reader.read(struct.unpack("!H", head)[0]), tcp=True)
                self._answer(query, lambda reply: sock.sendall(
                    struct.pack("!H", len(reply)) + reply))

    def _answer(self, query, send):
        self.asked.append(query.name)
        record = self.records.get(query.name, NXDOMAIN)
        try:
            if callable(record):
                record(query, send)
            elif isinstance(record, int):
                send(query.failure(record))
            else:
                send(query.reply(record))
        except OSError:
            pass

    def close(self):
        self.stopped.set()
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Query:
    def __init__(self, data, tcp):
        self.id, self.tcp = data[:2], tcp
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        self.name = ".".join(labels).lower()
        self.question = data[12:at + 5]
        self.type = struct.unpack("!H", data[at + 1:at + 3])[0]

    def message(self, code, answers, flags=0x8180):
        return (self.id + struct.pack("!HHHHH", flags | code, 1, len(answers), 0, 0)
                + self.question + b"".join(answers))

    def failure(self, code):
        return self.message(code, [])

    def truncated(self):
        """Ask again by TCP."""
        return self.message(0, [], 0x8380)

    def reply(self, addresses):
        """Those of the asked family."""
        answers = []
        for address, ttl in addresses:
            family = AAAA if ":" in address else A
            packed = socket.inet_pton(socket.AF_INET6 if family == AAAA else socket.AF_INET,
                                      address)
            if family == self.type:
                answers.append(b"\xc0\x0c" + struct.pack("!HHIH", family, 1, ttl, len(packed))
                               + packed)
        return self.message(0, answers)


def after(seconds, addresses):
    """A slow server."""
    def answer(query, send):
        threading.Event().wait(seconds)  # real time: its slowness
        send(query.reply(addresses))
    return answer


def silent(_query, _send):
    pass


def only_by_tcp(addresses):
    def answer(query, send):
        send(query.reply(addresses) if query.tcp else query.truncated())
    return answer


def forged(addresses):
    """Answers to another question first: a wrong id, then another name; then nothing."""
    def answer(query, send):
        reply = query.reply(addresses)
        send(bytes([reply[0] ^ 0xff]) + reply[1:])
        send(reply[:12] + reply[12:].replace(query.question, b"\x04evil\x04test\x00"
                                             + query.question[-4:], 1))
    return answer


def garbage(query, send):
    """Lengths and pointers that lead out of the message, and into a circle."""
    send(query.id + b"\x81\x80" + b"\xff" * 8 + query.question)
    send(query.message(0, [b"\xc0\xff" + b"\xff" * 30]))
    send(query.message(0, [b"\xc0\x0c" + struct.pack("!HHIH", query.type, 1, 5, 60000) + b"x"]))
    send(query.id)
