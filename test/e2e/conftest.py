"""The fixtures are shared with the tests of the pages; what is about SQLite's file runs on it alone."""

import pytest

from harness.engine import register_mark, skip_marked
from harness.fixtures import receiver, receivers, server, world  # noqa: F401


def pytest_configure(config):
    register_mark(config)


def pytest_collection_modifyitems(items):
    skip_marked(items, pytest.mark.skip)
