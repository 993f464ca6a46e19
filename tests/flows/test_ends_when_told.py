"""A gateway that is told to end while something wakes its movers ends all the same."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from pathlib import Path

import pytest

from tests.tables import with_tables
from tests.world import World, open_world

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


async def test_a_gateway_told_to_end_while_it_begins_ends(tmp_path: Path, database_url: str) -> None:
    """Its movers are then opening their first connections to the store: none of them holds it up."""
    async with asyncio.timeout(30):
        for number in range(6):
            (folder := tmp_path / str(number)).mkdir()
            url = await with_tables(database_url) if "|" in database_url else None
            async with open_world(folder, url):
                await asyncio.sleep(number / 1000)
