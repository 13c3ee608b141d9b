"""Faults under a running server: the library test/faults/preload.c is preloaded, and what it does is
armed and read here while the server runs.

    with FaultyServer() as server:
        server.faults.clock_offset_ms = -3_600_000   # the wall clock jumps an hour back
        server.faults.alloc_nth = 7                  # the seventh allocation from now fails
        server.faults.sync_gate = 1                  # the disk stalls until it is 0 again …
        server.faults.sync_pass = 1                  # … but for the next fsync, or the one that waits
        server.faults.commit_nth = 1                 # the next transaction has to be run again
"""

import mmap
import os
import struct
import tempfile

from harness.server import Server, preloading

NUMBERS = ("clock_offset_ms", "alloc_nth", "alloc_least", "alloc_more", "alloc_failed",
           "write_nth", "write_failed", "sync_nth", "sync_failed", "sync_gate", "sync_waiting",
           "sync_pass", "commit_nth", "commit_more", "commit_refused")


class Faults:
    """Numbers shared with a server; each is an attribute."""

    def __init__(self):
        handle, path = tempfile.mkstemp(prefix="postbackd-faults-")
        os.ftruncate(handle, 8 * len(NUMBERS))
        self.__dict__.update(path=path, shared=mmap.mmap(handle, 8 * len(NUMBERS)))
        os.close(handle)

    def __getattr__(self, name):
        return struct.unpack_from("=q", self.shared, 8 * self._place(name))[0]

    def __setattr__(self, name, value):
        struct.pack_into("=q", self.shared, 8 * self._place(name), value)

    @staticmethod
    def _place(name):
        if name not in NUMBERS:
            raise AttributeError(name)
        return NUMBERS.index(name)

    def clear(self):
        for name in NUMBERS:
            setattr(self, name, 0)

    def close(self):
        self.shared.close()
        os.unlink(self.path)


class FaultyServer(Server):
    """A server with the library under it."""

    def __init__(self, *flags, **rest):
        self.faults = Faults()
        super().__init__(*flags, **rest, env={**preloading(), "POSTBACKD_FAULTS": self.faults.path})

    def cpu_seconds(self):
        """Of the process, so far."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        super().close()
        self.faults.close()
