"""A circuit breaker: after several failures in a row, fail at once for a while, then let one call try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from gateway.policy.errors import PolicyUnavailable


class Breaker:
    """Counts failures in a row. Closed: calls pass. Open: they fail at once. Half open: one probe passes.

    For tasks of one event loop; between two awaits nothing else runs, so it needs no lock.
    """

    def __init__(
        self, *, failures: int = 5, rest_seconds: float = 2.0, clock: Callable[[], float] = monotonic
    ) -> None:
        """Open after `failures` in a row for `rest_seconds`; `clock` counts seconds and never goes back."""
        self._limit = failures
        self._rest = rest_seconds
        self._clock = clock
        self._failed = 0
        self._until = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether calls fail at once now."""
        return self._failed >= self._limit and (self._probing or self._clock() < self._until)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run one call; raises PolicyUnavailable("breaker") instead of running it while open."""
        if self.open:
            raise PolicyUnavailable("breaker")
        probe = self._probing = self._failed >= self._limit
        try:
            yield
        except PolicyUnavailable:
            self._failed += 1
            self._until = self._clock() + self._rest
            raise
        else:
            self._failed = 0
        finally:
            if probe:
                self._probing = False
