"""A circuit breaker per holder: stops asking one that is plainly down, and tries it again carefully."""

from __future__ import annotations

from collections.abc import Callable

from connectors.contract import Reason
from connectors.errors import HolderError


class Breaker:
    """Closed, open, half-open. One per holder and process; safe for the tasks of one event loop.

    After `threshold` failures in a row it refuses for `rest` seconds; then it lets one request through and
    stays open until that one succeeds.
    """

    def __init__(self, monotonic: Callable[[], float], *, threshold: int = 8, rest: float = 30.0) -> None:
        """Start closed; `monotonic` gives seconds."""
        self._monotonic = monotonic
        self._threshold = threshold
        self._rest = rest
        self._failures = 0
        self._opened: float | None = None

    def admit(self) -> None:
        """Let one request through, or raise HolderError(HOLDER_DOWN) at once with the seconds left."""
        if self._opened is None:
            return
        left = self._opened + self._rest - self._monotonic()
        if left > 0:
            raise HolderError(
                Reason.HOLDER_DOWN, "resting after repeated failures", retry_after=left, final=True
            )
        self._opened = self._monotonic()

    def succeeded(self) -> None:
        """The holder answered: close."""
        self._failures = 0
        self._opened = None

    def failed(self) -> None:
        """The holder did not answer; open once there were too many in a row."""
        self._failures += 1
        if self._failures >= self._threshold:
            self._opened = self._monotonic()
