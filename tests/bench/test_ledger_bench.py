"""The ledger bench does what it measures, on each store, and says so. No time is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.ledger.__main__ import arguments, run
from bench.ledger.appends import WAYS, Ours
from bench.ledger.measure import BenchFailed
from bench.ledger.naive import Naive
from bench.ledger.stage import Stage


async def told(*words: str) -> str:
    """What a run prints."""
    return "\n".join([said async for said in run(arguments(list(words)))])


async def test_a_small_run_appends_in_every_way() -> None:
    """Twenty events a way on SQLite beside the naive chain: a line for each, and the fsync probe."""
    said = await told("--only", "sqlite", "--rounds", "1", "--events", "20")

    assert all(f"\n| {name} | " in said for name in (*WAYS, Naive.name))
    assert "fsync probe: " in said


@pytest.mark.postgres
@pytest.mark.timeout(120)
async def test_a_small_run_on_postgresql_loses_nothing_among_replicas() -> None:
    """One to three processes for a moment: what they answered is in the tree, once."""
    said = await told(
        "--only", "postgresql", "--only", "replicas", "--rounds", "1", "--events", "20", "--seconds", "0.3"
    )

    assert "| without ledger | " in said
    assert all(f"\n| {count} | " in said for count in (1, 2, 3))


async def test_a_small_log_is_grown_proved_searched_and_verified() -> None:
    """Two sizes across a tile: re-derived without a finding, searches find, the trail is complete."""
    said = await told("--only", "grown", "--sizes", "300", "1400", "--times", "1")

    assert "300 entries" in said
    assert said.count("| all entries of one citizen | ") == 2
    assert said.count("an export holds 34.") == 2
    assert said.count("a trail: events ") == 2


async def test_a_lost_event_ends_the_run(tmp_path: Path) -> None:
    """Fewer entries than events in the tree, or a chain that does not fit, is no figure."""
    stage = await Stage.open(f"sqlite+aiosqlite:///{tmp_path / 'ours.db'}", tmp_path)
    naive = Naive(tmp_path)
    try:
        with pytest.raises(BenchFailed, match="0 of 1"):
            await Ours("ledger only", stage).settle(1)
        await naive.run(2)
        with pytest.raises(BenchFailed, match="2 rows, 3"):
            await naive.settle(3)
    finally:
        await naive.close()
        await stage.database.close()
