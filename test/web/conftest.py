"""The pages in Debian's Chromium: the fixtures of the end-to-end tests, and a browser at two widths."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

from harness.fixtures import receiver, receivers, server, world  # noqa: E402,F401
from browser import Browser, Chromium  # noqa: E402


@pytest.fixture(scope="session")
def chromium():
    with Chromium() as running:
        yield running


@pytest.fixture(params=["desktop", "phone"])
def width(request):
    return request.param


@pytest.fixture
def browser(chromium, server, width):  # noqa: F811
    """A test that needs one width alone says @pytest.mark.parametrize("width", ["desktop"])."""
    opened = Browser(chromium, server, width)
    yield opened
    opened.close()
