"""The pages' main jobs on a cluster of two, each call to the other node."""

import pytest

from harness.cluster import Cluster
from harness.round_robin import RoundRobin
from test_inquiry_pages import (  # noqa: F401
    test_a_brand_accepts_and_goes_on_to_the_next, test_a_reply_and_a_reopening,
    test_an_inquiry_is_created_with_checks_as_one_types, test_its_postbacks_are_told_live)
from test_notification_pages import (  # noqa: F401
    test_one_is_added_and_its_preview_follows_the_typing,
    test_paused_events_wait_and_go_out_on_resume)


class Front(Cluster):
    """Whoever asks the cluster asks both of its nodes in turn."""
    front = None

    @property
    def base(self):
        if self.front is None:
            self.front = RoundRobin(lambda: [node.port for node in self.nodes])
        return self.front.base

    def close(self):
        if self.front is not None:
            self.front.close()
        super().close()


@pytest.fixture(scope="module")
def server():
    with Front(nodes=2) as running:
        yield running
        for node in running.nodes:
            assert node.process.poll() is None, node.log()
            assert node.stop() == 0, node.log()


@pytest.fixture
def width():
    return "desktop"
