"""A road to a server, of the test's own: a port that leads to it, and is whole, slow, silent or cut.

    relay = Relay("/folder/.s.PGSQL.5432")   # or ("127.0.0.1", 5432)
    relay.cut()          # every connection ends, and no other is had until …
    relay.mend()
    relay.silence()      # nothing arrives and nobody is told; mend() lets all of it arrive late
    relay.delay = 0.05   # seconds that each piece is late, in each direction
"""

import socket
import threading

PIECE = 65536


class Relay:
    def __init__(self, target):
        self.target, self.delay = target, 0
        self.changed = threading.Condition()
        self.is_cut, self.is_silent, self.is_closed = False, False, False
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.is_closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _reach(self):
        if isinstance(self.target, tuple):
            return socket.create_connection(self.target, 10)
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.target)
        return far

    def _serve(self, near):
        with near:
            if not self._passes():
                return
            try:
                far = self._reach()
            except OSError:  # nobody is there
                return
            with far:
                far.settimeout(None)
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self.changed:
                    self.open |= {near, far}
                back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
                back.start()
                self._copy(near, far)
                back.join()
                with self.changed:
                    self.open -= {near, far}

    def _passes(self):
        """Waits as long as the road is silent and a piece is late; False: it is cut."""
        with self.changed:
            self.changed.wait_for(lambda: self.is_cut, self.delay)
            self.changed.wait_for(lambda: self.is_cut or not self.is_silent)
            return not self.is_cut

    def _copy(self, source, into):
        try:
            while (piece := source.recv(PIECE)) and self._passes():
                into.sendall(piece)
        except OSError:
            pass
        end((source, into))

    def _set(self, cut, silent):
        with self.changed:
            self.is_cut, self.is_silent = cut, silent
            self.changed.notify_all()
            if cut:
                end(self.open)

    def cut(self):
        self._set(True, False)

    def silence(self):
        self._set(False, True)

    def mend(self):
        self.delay = 0
        self._set(False, False)

    def close(self):
        self.is_closed = True
        end((self.listener,))
        self.listener.close()
        self.cut()


def end(sockets):
    for sock in list(sockets):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
