"""Allocations fail: the Nth of a workload, for one N after the other.  The server answers 503 or goes
on, or ends and says why; started again it has all that it had acknowledged.  It is never killed by a
signal, never hangs, and its database stays sound."""

import pytest
import requests

from harness.faults import FaultyServer
from harness.receiver import Receiver
from harness.server import await_until
from harness.workload import Workload

pytestmark = pytest.mark.one_file("the allocations are counted by what SQLite does between them")

SAID = "out of memory"


def sweep(numbers, least=0, more=0):
    """One server after the other; a new one only when the last has ended.  Gives how many calls of
    memory failed, and how often the server ended by it."""
    failed = ended = 0
    with FaultyServer() as server, Receiver() as receiver:
        faults, work = server.faults, Workload(server, receiver)
        for nth in numbers:
            before = faults.alloc_failed
            faults.alloc_least, faults.alloc_more = least, more
            faults.alloc_nth = nth
            work.run()
            faults.alloc_nth = faults.alloc_more = 0
            failed += faults.alloc_failed - before
            if not work.alive():
                ended += 1
                work.ended_well(SAID, f"allocation {nth}, at least {least} bytes, {more} more")
                work.sound()
                work.start_again()
            assert requests.get(server.base + "/healthz", timeout=20).status_code == 200
        work.intact()
        assert server.stop() == 0, server.log()
        assert "Sanitizer" not in server.log(), server.log()
        work.sound()
    return failed, ended


@pytest.mark.parametrize("least, more", [(0, 0), (1024, 0), (0, 1000000)],
                         ids=["any", "large", "from there on"])
def test_the_nth_allocation_of_a_workload_fails(least, more):
    numbers = [*range(1, 20), *range(20, 400, 11), *range(400, 4000, 211)]
    if least:
        numbers = range(1, 30)
    if more:
        numbers = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987]
    failed, _ = sweep(numbers, least, more)
    assert failed >= len(numbers) / 2


def test_the_nth_allocation_of_a_start_fails():
    """It starts, or ends with words; without the fault it starts on what is there."""
    ended = 0
    with FaultyServer() as server:
        assert server.stop() == 0
        for nth in [*range(1, 12), *range(20, 2000, 110)]:
            server.lines.clear()
            server.faults.alloc_nth = nth
            server.run()
            await_until(lambda: server.base or server.process.poll() is not None, "an end, or a start")
            server.faults.alloc_nth = 0
            if server.process.poll() is None:
                server.kill()
                continue
            ended += 1
            assert server.process.returncode == 1, f"allocation {nth}:\n{server.log()}"
            assert SAID in server.log() or "memory" in server.log(), server.log()
            assert "Sanitizer" not in server.log(), server.log()
        server.start()
        assert server.stop() == 0
    assert ended > 10
