"""The fixtures are shared with the tests of the pages."""

from harness.fixtures import receiver, receivers, server, world  # noqa: F401
