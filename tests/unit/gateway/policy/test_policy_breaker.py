"""The circuit breaker: closed, open, half open."""

from __future__ import annotations

import pytest

from gateway.policy.breaker import Breaker
from gateway.policy.errors import PolicyUnavailable


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """Opens after two failures, for ten seconds."""
    return Breaker(failures=2, rest_seconds=10, clock=clock)


def fail(breaker: Breaker) -> str:
    """One failing call; what stopped it."""
    with pytest.raises(PolicyUnavailable) as caught, breaker.guard():
        raise PolicyUnavailable("timeout")
    return caught.value.cause


def test_it_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    """Two failures open it; a success between them would have kept it closed."""
    assert fail(breaker) == "timeout"
    with breaker.guard():
        pass
    assert [fail(breaker), fail(breaker), fail(breaker)] == ["timeout", "timeout", "breaker"]
    assert breaker.open


def test_one_probe_decides(breaker: Breaker, clock: Clock) -> None:
    """After the rest one call goes through, others not; its success closes, its failure opens anew."""
    fail(breaker)
    fail(breaker)
    clock.now = 10
    assert fail(breaker) == "timeout"
    assert fail(breaker) == "breaker"
    clock.now = 20
    with breaker.guard():
        assert fail(breaker) == "breaker"
    assert not breaker.open
    assert fail(breaker) == "timeout"


def test_other_errors_do_not_count_but_free_the_probe(breaker: Breaker, clock: Clock) -> None:
    """A cancelled probe neither closes nor jams the breaker."""
    fail(breaker)
    fail(breaker)
    clock.now = 10
    with pytest.raises(ValueError, match="x"), breaker.guard():
        raise ValueError("x")
    assert fail(breaker) == "timeout"
