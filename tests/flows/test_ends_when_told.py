"""A gateway that is told to end while something wakes its movers ends all the same."""

from __future__ import annotations

import asyncio
from operator import attrgetter

import pytest

from tests.world import World

WAKEABLE = ("log", "worker", "notices", "own.carrier")


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("mover", WAKEABLE)
async def test_a_mover_woken_at_its_end_ends(own_world: World, mover: str, turns: int) -> None:
    """Woken and cancelled some turns of the loop later: the cancellation is never lost."""
    moving = attrgetter(mover)(own_world.parts)
    task = asyncio.create_task(moving.run())
    await asyncio.sleep(0.05)
    moving.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done
    assert task.cancelled()
