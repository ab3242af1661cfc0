"""Waiting for what must become true. Nothing here sleeps for a time and hopes."""

import time

POLL_SECONDS = 0.01
PATIENCE_SECONDS = 20  # a machine that compiles at the same time is slow, not wrong


def wait_for(condition, timeout=PATIENCE_SECONDS, what=None):
    """Calls condition until it gives something true, and returns that; fails when it has not after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or getattr(condition, '__doc__', None) or condition}")
        time.sleep(POLL_SECONDS)


def wait_equal(read, expected, timeout=PATIENCE_SECONDS):
    """Waits until read() == expected. What is still different at the end is shown by the assertion."""
    deadline = time.monotonic() + timeout
    while True:
        value = read()
        if value == expected or time.monotonic() > deadline:
            assert value == expected
            return
        time.sleep(POLL_SECONDS)
