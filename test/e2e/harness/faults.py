"""Faults under a running server: the library test/faults/preload.c is preloaded, and what it does is
armed and read here while the server runs.

    with FaultyServer() as server:
        server.faults.clock_offset_ms = -3_600_000   # the wall clock jumps an hour back
        server.faults.alloc_nth = 7                  # the seventh allocation from now fails
        server.faults.sync_gate = 1                  # the disk stalls until it is 0 again …
        server.faults.sync_pass = 1                  # … but for the next fsync, or the one that waits
"""

import mmap
import os
import struct
import tempfile

from harness.server import BINARY, Server

LIBRARY = os.environ.get("POSTBACKD_FAULTS_LIBRARY") or os.path.join(
    os.path.dirname(os.path.abspath(BINARY)), "..", "test", "libfaults.so")

NUMBERS = ("clock_offset_ms", "alloc_nth", "alloc_least", "alloc_more", "alloc_failed",
           "write_nth", "write_failed", "sync_nth", "sync_failed", "sync_gate", "sync_waiting",
           "sync_pass")


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
        assert os.path.exists(LIBRARY), f"{LIBRARY} is not built"
        self.faults = Faults()
        sanitizer = os.environ.get("ASAN_OPTIONS", "")
        super().__init__(*flags, **rest, env={
            "LD_PRELOAD": LIBRARY, "POSTBACKD_FAULTS": self.faults.path,
            "ASAN_OPTIONS": f"{sanitizer}:verify_asan_link_order=0"
                            ":quarantine_size_mb=16"})  # which would look like a leak

    def cpu_seconds(self):
        """Of the process, so far."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        super().close()
        self.faults.close()
