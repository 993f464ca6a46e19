"""A flood from one address is cut off and delays no other."""

from __future__ import annotations

from contextlib import suppress

import pytest

from gateway.errors import Problem
from gateway.security.rate_limit import RateLimit


class Seconds:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The present."""
        return self.now


def passed(limit: RateLimit, address: str | None, times: int) -> int:
    """How many of so many tries come through."""
    count = 0
    for _ in range(times):
        with suppress(Problem):
            limit.spend(address)
            count += 1
    return count


def test_a_burst_passes_then_so_many_a_second() -> None:
    """Five at once, then two for every second that passes, never more than five."""
    clock = Seconds()
    limit = RateLimit(per_second=2, burst=5, monotonic=clock)

    assert passed(limit, "192.0.2.1", 20) == 5
    with pytest.raises(Problem) as caught:
        limit.spend("192.0.2.1")
    assert (caught.value.code, caught.value.retry_after) == ("too_many_requests", 1)
    clock.now += 2
    assert passed(limit, "192.0.2.1", 20) == 4
    clock.now += 3600
    assert passed(limit, "192.0.2.1", 20) == 5


def test_one_address_uses_up_nothing_of_another() -> None:
    """Another address, and none at all, have buckets of their own."""
    limit = RateLimit(per_second=2, burst=5, monotonic=Seconds())
    passed(limit, "192.0.2.1", 20)

    assert passed(limit, "192.0.2.2", 20) == 5
    assert passed(limit, None, 20) == 5


@pytest.mark.parametrize(
    ("one", "other", "left"), [("2001:db8::1", "2001:db8::ffff", 0), ("2001:db8::1", "2001:db8:1::1", 5)]
)
def test_a_subscribers_network_counts_as_one(one: str, other: str, left: int) -> None:
    """IPv6 addresses of the same /64 share a bucket."""
    limit = RateLimit(per_second=2, burst=5, monotonic=Seconds())
    passed(limit, one, 20)

    assert passed(limit, other, 20) == left


def test_the_memory_of_addresses_is_bounded() -> None:
    """However many addresses come, only the last ones are remembered."""
    limit = RateLimit(per_second=2, burst=5, most=10, monotonic=Seconds())
    for number in range(256):
        limit.spend(f"192.0.2.{number}")

    assert len(limit._left) == 10
