"""Floods by nobody in particular: what they leave in the store is bounded, and citizens still get in."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from gateway.security.rate_limit import BURST
from tests.world import open_world


async def test_beginning_sign_ins_without_end_is_cut_off(tmp_path: Path) -> None:
    """200 sign-ins begun at once from one address: the surplus is told to wait, and leaves no row."""
    async with open_world(tmp_path) as world:
        answers = await asyncio.gather(*(world.http.get(f"{world.origin}/sign-in/start") for _ in range(200)))
        told = Counter(answer.status_code for answer in answers)
        rows = len(await world.rows("citizen_sign_in"))
        await asyncio.sleep(0.5)
        given = await world.given()

    assert set(told) == {303, 429}
    assert rows == told[303] < BURST * 1.6
    assert given.consent_id
