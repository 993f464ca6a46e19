"""Searching by time: the same entries whether the store reads them by their time or by their place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Row

from gateway.ledger import index
from tests.unit.gateway.ledger.conftest import AT, Ledger

HOUR = 3600
ENTRIES = 40


@pytest.fixture
async def muddled(ledger: Ledger) -> Ledger:
    """Forty entries of eight hours, not in the order of their times: clocks of processes stand apart."""
    chance = random.Random(8)
    for _ in range(ENTRIES):
        ledger.clock.now = AT + chance.randrange(8) * HOUR
        await ledger.append(1)
    await ledger.log.integrate_now()
    return ledger


async def _all(ledger: Ledger, query: index.Query) -> Sequence[Row[Any]]:
    async with ledger.database.reading() as session:
        return await index.search(session, query, ENTRIES)


@pytest.mark.parametrize("narrow", [0, 12, ENTRIES], ids=["by place", "by number", "by time"])
async def test_pages_of_a_window_are_its_entries_once_and_in_order(
    muddled: Ledger, monkeypatch: pytest.MonkeyPatch, narrow: int
) -> None:
    """Few entries or many in it, with an end or none: page by page, exactly what lies in the window."""
    monkeypatch.setattr(index, "NARROW", narrow)
    every = await _all(muddled, index.Query())
    for since, until in product([None, AT, AT + 3 * HOUR, AT + 7 * HOUR], [None, AT + HOUR, AT + 4 * HOUR]):
        inside = [row for row in every if (since or 0) <= row.at < (until or AT * 2)]
        found: list[int] = []
        while page := await _all(muddled, index.Query(None, None, since, until, max(found, default=-1), 7)):
            found += [row.position for row in page]
        assert found == [row.position for row in inside], (since, until)


async def test_what_is_not_published_yet_is_not_found(muddled: Ledger) -> None:
    """A window ends where the published log does."""
    async with muddled.database.reading() as session:
        found = await index.search(session, index.Query(since=0, until=AT * 2), 5)
    assert [row.position for row in found] == [0, 1, 2, 3, 4]
