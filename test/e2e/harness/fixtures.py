"""What the end-to-end tests and those of the pages share: a server for a whole module (tests make
accounts of their own), receivers that close."""

import pytest

from harness.receiver import Receiver
from harness.server import Server, World


@pytest.fixture(scope="module")
def server(request):
    """A module may say SERVER_FLAGS = [...]."""
    with Server(*getattr(request.module, "SERVER_FLAGS", ())) as running:
        yield running
        assert running.process.poll() is None, "the server died:\n" + running.log()
        assert running.stop() == 0, running.log()


@pytest.fixture
def world(server):
    return World(server)


@pytest.fixture
def receiver():
    with Receiver() as listening:
        yield listening


@pytest.fixture
def receivers():
    """Makes any number of receivers; all are closed at the end."""
    made = []

    def make(*args, **rest):
        made.append(Receiver(*args, **rest))
        return made[-1]
    yield make
    for one in made:
        one.close()
