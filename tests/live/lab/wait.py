"""Waiting for a condition with a deadline, never for a time."""

import time

PAUSE = 0.2


class Late(Exception):
    """A condition did not come true in time."""


def until(what, condition, seconds, check=lambda: None):
    """Polls `condition` until it is true and returns its value. `check` raises when waiting is in vain."""
    deadline = time.monotonic() + seconds
    reason = "not yet true"
    while True:
        check()
        try:
            value = condition()
            if value:
                return value
        except (OSError, ValueError, KeyError, IndexError) as error:
            reason = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds} s ({reason})")
        time.sleep(PAUSE)
