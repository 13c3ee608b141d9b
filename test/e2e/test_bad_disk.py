"""The disk fails, not only for want of room: the Nth write or fsync of a workload gives EIO.  A failed
write is a failed commit, answered 503; a failed fsync ends the server, which starts again with all
that was acknowledged."""

import pytest
import requests

from harness.faults import FaultyServer
from harness.receiver import Receiver
from harness.server import await_until
from harness.workload import Workload

pytestmark = pytest.mark.one_file("the writes and fsyncs that fail are those of the server's own file")

SAID = "disk I/O error"


def ready(server):
    return requests.get(server.base + "/readyz", timeout=20).status_code == 200


def test_each_write_of_a_workload_fails():
    with FaultyServer() as server, Receiver() as receiver:
        work, failed, nth = Workload(server, receiver), True, 0
        while failed and nth < 200:
            nth += 1
            before = server.faults.write_failed
            server.faults.write_nth = nth
            work.run()
            await_until(lambda: ready(server), "service again")
            server.faults.write_nth = 0
            failed = server.faults.write_failed > before
            assert work.alive(), server.log()
        # An event, a batch and an inquiry are a commit each, and a commit is one write.
        assert nth > 3 and not failed, f"the {nth}th write failed: {failed}"
        work.intact()
        assert SAID in server.log()
        assert server.stop() == 0, server.log()
        work.sound()


def test_each_fsync_of_a_workload_fails():
    with FaultyServer() as server, Receiver() as receiver:
        work, failed, nth = Workload(server, receiver), True, 0
        while failed and nth < 40:
            nth += 1
            before = server.faults.sync_failed
            server.faults.sync_nth = nth
            work.run()
            server.faults.sync_nth = 0
            failed = server.faults.sync_failed > before
            if failed:
                work.ended_well(SAID, f"fsync {nth}")
                work.sound()
                work.start_again()
        assert nth > 3
        work.intact()
        assert server.stop() == 0, server.log()
        work.sound()
