"""The history bench measures every look-up at every size and prints them. No time is judged."""

from __future__ import annotations

from bench.history.__main__ import measure, table


async def test_a_small_run_measures_everything() -> None:
    """Two sizes on SQLite: a cost for each look-up at each, and a table with a line for each."""
    curve = await measure("sqlite", [3, 9], 1)

    assert len(curve) == 15
    assert all(set(costs) == {3, 9} and min(costs.values()) > 0 for costs in curve.values())
    lines = table("sqlite", curve).splitlines()
    assert lines[0] == "| sqlite | 3 | 9 | growth |"
    assert len([line for line in lines if line]) == 17
