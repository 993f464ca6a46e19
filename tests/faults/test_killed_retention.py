"""`kill -9` while what is over is ended: nothing is left half ended, and the next process finishes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from sqlalchemy import func, select

from consent.events import Event
from consent.ledger.entry import decode
from gateway.database import Database
from gateway.migrations.tables import metadata
from tests.unit.gateway.retention.past import NOW, YEAR, Past
from tests.warm import start

CONSENTS = 40
LIVING = {"c-living"}


async def remaining(past: Past) -> int:
    """How many rows there are of what ends."""
    async with past.database.reading() as session:
        counts = [
            (await session.execute(select(func.count()).select_from(metadata.tables[name]))).scalar_one()
            for name in ("consent", "transfer", "oauth_grant", "holder_link", "citizen")
        ]
    return sum(counts)


async def killed_below(past: Past, rows: int, after: float) -> bool:
    """Start a sweeper and kill it `after` seconds past fewer than `rows` remaining; False if it had ended."""
    child = await start("tests.faults.sweeper", past.database.url, str(NOW))
    for _ in range(3000):
        if child.returncode is not None or await remaining(past) < rows:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(after)
    killed = child.returncode is None
    if killed:
        child.kill()
    await child.wait()
    return killed


async def test_killed_in_the_middle_of_retention(database: Database) -> None:
    """Killed three times on its way: every row left is whole, what lives stays, the rest goes in the end."""
    past = Past(database)
    for number in range(CONSENTS):
        await past.consent(f"c-{number}", await past.citizen(f"n-{number}"), transfers=3)
    living = await past.citizen("living", told_at=NOW)
    await past.consent("c-living", living, state="active", changed_at=0, end_at=NOW + YEAR, transfers=3)
    whole, chance = await remaining(past), random.Random(7)
    for part in (0.95, 0.6, 0.2):
        assert await killed_below(past, int(whole * part), chance.uniform(0, 0.02))
        await past.whole()
    for _ in range(2):  # a citizen goes with the tick after that of their last record
        assert not await killed_below(past, 0, 0)

    await past.whole()
    assert await past.ids("consent") == LIVING
    assert await past.ids("oauth_grant") == {"g-c-living"}
    assert len(await past.rows("transfer")) == 3
    assert await past.ids("citizen", "subject_id") == {living}
    assert await past.ids("holder_link", "subject_id") == {living}
    kinds = Counter(decode(entry).kind for _, entry, _ in await past.rows("ledger_outbox"))
    assert kinds[Event.SUBJECT_RECORD_ERASED] == CONSENTS, "one erasure a citizen, once"
