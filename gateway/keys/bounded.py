"""Calls to a device or another machine, bounded in time and number."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from gateway.keyring import KeyringError

Result = TypeVar("Result")
SIDE_BY_SIDE = 8
MAKING_SECONDS = 60.0
"""What making a key pair may take: a place looks for the primes of an RSA key as long as it must."""
REST_SECONDS = 1.0


class Bounded:
    """Runs calls in threads of its own. Safe for any number of threads.

    A call that does not come back in time keeps its thread, and nobody waits for it any longer, not even the
    end of the process; the next REST_SECONDS every call is refused, so that a place that hangs costs each
    caller little.
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
        self._free = BoundedSemaphore(SIDE_BY_SIDE)

    def call(self, work: Callable[[], Result], seconds: float | None = None) -> Result:
        """`work()` in `seconds` or the usual time, or KeyringError `signing_unavailable`.

        RuntimeError inside a transaction.
        """
        seconds = seconds or self._seconds
        if self._refuse():
            raise RuntimeError(f"no call to {self._what} may happen inside a transaction")
        now = self._clock()
        if now < self._rests_until:
            raise KeyringError("signing_unavailable", f"{self._what} failed a moment ago")
        try:
            if not self._free.acquire(timeout=seconds):
                raise TooLate
            return self._started(work).result(max(0.0, now + seconds - self._clock()))
        except TooLate:
            failure = "no answer in time"
        except KeyringError as error:
            failure = str(error)
        self._rests_until = self._clock() + REST_SECONDS
        raise KeyringError("signing_unavailable", f"{self._what}: {failure}")

    def _started(self, work: Callable[[], Result]) -> Future[Result]:
        """`work` in a thread that gives its place back when it ends, however it ends."""
        outcome: Future[Result] = Future()

        def run() -> None:
            try:
                outcome.set_result(work())
            except BaseException as error:
                outcome.set_exception(error)
            finally:
                self._free.release()

        Thread(target=run, name=f"mydata-{self._what}", daemon=True).start()
        return outcome
