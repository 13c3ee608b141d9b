"""Waiting for a condition, never for a time."""

import threading


def await_until(condition, what, timeout=20.0):
    """Asks again until the condition gives something true, and gives that."""
    pause = threading.Event()
    for _ in range(int(timeout / 0.02)):
        value = condition()
        if value:
            return value
        pause.wait(0.02)
    raise AssertionError(f"still not so after {timeout} s: {what}")
