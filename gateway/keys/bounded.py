"""Calls to a device or another machine, bounded in time and number."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import TypeVar

from gateway.keyring import KeyringError

Result = TypeVar("Result")
SIDE_BY_SIDE = 8
REST_SECONDS = 1.0


class Bounded:
    """Runs calls in threads of its own. Safe for any number of threads.

    A call that does not come back in time keeps its thread, and nobody waits for it any longer; the next
    REST_SECONDS every call is refused, so that a place that hangs costs each caller little.
    """

    def __init__(
        self,
        what: str,
        seconds: float,
        *,
        refuse: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call `what` (named in errors), each call for at most `seconds`; never while `refuse()` is true."""
        self._what = what
        self._seconds = seconds
        self._refuse = refuse
        self._clock = clock
        self._rests_until = 0.0
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix=f"mydata-{what}")

    def call(self, work: Callable[[], Result]) -> Result:
        """`work()`, or KeyringError `signing_unavailable`. RuntimeError inside a transaction."""
        if self._refuse():
            raise RuntimeError(f"no call to {self._what} may happen inside a transaction")
        if self._clock() < self._rests_until:
            raise KeyringError("signing_unavailable", f"{self._what} failed a moment ago")
        running = self._threads.submit(work)
        try:
            return running.result(self._seconds)
        except TooLate:
            running.cancel()
            failure = "no answer in time"
        except KeyringError as error:
            failure = str(error)
        self._rests_until = self._clock() + REST_SECONDS
        raise KeyringError("signing_unavailable", f"{self._what}: {failure}")
