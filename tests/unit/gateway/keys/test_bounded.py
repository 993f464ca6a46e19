"""A place of keys that hangs costs each caller a bounded time, and the process can still end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from gateway.keyring import KeyringError
from gateway.keys.bounded import REST_SECONDS, SIDE_BY_SIDE, Bounded


class Hand:
    """A clock set by hand."""

    at = 100.0

    def __call__(self) -> float:
        """The moment it shows."""
        return self.at


def test_what_comes_back_comes_back() -> None:
    """A result is given, an error nobody foresaw goes through."""
    bounded = Bounded("place", 1.0)
    assert bounded.call(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        bounded.call(lambda: 1 // 0)
    assert bounded.call(lambda: 8) == 8


def test_what_takes_long_is_given_its_own_time() -> None:
    """Making a key may take longer than using one, also than using one is waited for."""
    bounded = Bounded("place", 0.01)
    bounded.call(lambda: time.sleep(0.1), 5.0)
    with pytest.raises(KeyringError, match="no answer in time"):
        bounded.call(lambda: time.sleep(0.1))


def test_after_a_failure_nobody_asks_for_a_moment() -> None:
    """The failure is told once by the place itself, then without asking, until the rest is over."""
    clock, asked = Hand(), []

    def fails() -> None:
        asked.append(1)
        raise KeyringError("signing_unavailable", "status 500")

    bounded = Bounded("place", 1.0, clock=clock)
    for _ in range(3):
        with pytest.raises(KeyringError, match="place"):
            bounded.call(fails)
    assert len(asked) == 1
    clock.at += REST_SECONDS
    assert bounded.call(lambda: "back") == "back"


def test_calls_that_hang_are_left() -> None:
    """Each waits its time and no longer, also when every place is taken."""
    clock, never = Hand(), threading.Event()
    bounded = Bounded("place", 0.1, clock=clock)
    for _ in range(SIDE_BY_SIDE + 2):
        started = time.monotonic()
        with pytest.raises(KeyringError, match="no answer in time"):
            bounded.call(never.wait)
        assert time.monotonic() - started < 0.5
        clock.at += REST_SECONDS
    never.set()


CHILD = """
import threading
from gateway.keyring import KeyringError
from gateway.keys.bounded import Bounded

try:
    Bounded("place", 0.1).call(threading.Event().wait)
except KeyringError as error:
    print(error.code)
"""


def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    """It ends although the place never answers."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], timeout=30, check=True, capture_output=True, text=True
    )
    assert done.stdout == "signing_unavailable\n"
