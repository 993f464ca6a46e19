"""지원-102: whether the gateway can serve now, told from the same probes as `/readyz`.

01 when every part is ready, 02 when one is not. 03 (maintenance) and 99 are never told: the gateway knows no
announced maintenance, and while it is off nobody answers. It answers, too, when the store is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from gateway.support.tokens import SupportTokens
from gateway.support.wire import answered

Probe = Callable[[], Awaitable[bool | str]]
NORMAL, FAILURE = "01", "02"
PATIENCE_SECONDS = 3.0


async def ready(probes: Mapping[str, Probe]) -> bool:
    """Whether every part can serve; one that fails or does not answer in time cannot."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return all([await probe() for probe in probes.values()])
    except Exception:
        return False


def status(tokens: SupportTokens, probes: Mapping[str, Probe]) -> Callable[[Request], Awaitable[Response]]:
    """The door."""

    async def answer(request: Request) -> Response:
        tokens.admit(request.headers.get("authorization"), "support")
        return answered(request, {"status": NORMAL if await ready(probes) else FAILURE})

    return answer
