"""How often one address may begin what writes before anybody is known: a bucket of tokens per address.

Per process and in memory: it bounds what a flood costs, and decides nothing else. The address is the one the
server tells (behind a proxy: `trusted_proxies`); of IPv6 its /64, which one subscriber can use up freely.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.errors import Problem

PER_SECOND = 10.0
BURST = 100.0
MOST_ADDRESSES = 10_000


class RateLimit:
    """Belongs to one event loop. Generous: many citizens share an address of a mobile carrier."""

    def __init__(
        self,
        *,
        per_second: float = PER_SECOND,
        burst: float = BURST,
        most: int = MOST_ADDRESSES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let `burst` through at once and `per_second` from then on; remember the last `most` addresses."""
        self._per_second, self._burst, self._most = per_second, burst, most
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, address: str | None) -> None:
        """Take one token of `address`. Raises Problem `too_many_requests` when there is none."""
        name, now = _network(address), self._monotonic()
        left, then = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_second)
        self._left[name] = (max(left - 1, 0.0), now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        if left < 1:
            raise Problem("too_many_requests", retry_after=1)


def _network(address: str | None) -> str:
    try:
        read = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if read.version == 4:
        return str(read)
    return str(ipaddress.ip_network((read, 64), strict=False))
