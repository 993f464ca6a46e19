"""kill -9 amid group commits: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from sqlalchemy import select

from consent.ledger_tables import OUTBOX, PAYLOAD
from gateway.database import Database
from gateway.oauth.tables import ReplayRow

WRITER = """
import asyncio, os, sys
from consent.events import Event
from consent.journal import Journal, Said
from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.oauth.replay import OneTime
from gateway.oauth.together import Together
from gateway.oauth.unit import Unit

journal = Journal(SubjectKeys(bytes(32)), "writer")

async def one(together, number):
    keys = [number.to_bytes(32, "big"), (number + 1_000_000).to_bytes(32, "big")]
    once = [OneTime("proof", key, 1 << 33, "dpop_replayed") for key in keys]
    said = Said(Event.TOKEN_ACCESS_ISSUED, None, "company", {"number": number}, 1)
    refused = await together.do(Unit(once, line=journal.plain(said)))
    if refused is None:
        os.write(1, b"%d\\n" % number)

async def main():
    together = Together(Database(sys.argv[1]), journal)
    for first in range(0, 1_000_000, 8):
        await asyncio.gather(*(one(together, first + n) for n in range(8)))

asyncio.run(main())
"""


async def test_killed_amid_batches(database: Database) -> None:
    """Every acknowledged unit is stored; stored values, entries and openings are those of whole units."""
    acknowledged: set[int] = set()
    for acknowledged_first in (40, 90):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(database.url), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        mine: set[int] = set()
        while len(mine) < acknowledged_first:
            async with asyncio.timeout(30):
                line = await child.stdout.readline()
            assert line, "the writer ended by itself"
            mine.add(int(line))
        os.kill(child.pid, signal.SIGKILL)
        # What it had said before it died counts, too.
        mine |= {int(said) for said in (await child.stdout.read()).split(b"\n")[:-1]}
        await child.wait()
        assert not mine & acknowledged, "a value was spent twice"
        acknowledged |= mine

    async with database.reading() as session:
        table = ReplayRow.__table__  # type: ignore[attr-defined]
        spent = {int.from_bytes(key) for key in (await session.execute(select(table.c.key_hash))).scalars()}
        entries = set((await session.execute(select(OUTBOX.c.id))).scalars())
        openings = set((await session.execute(select(PAYLOAD.c.outbox_id))).scalars())
    units = {number for number in spent if number < 1_000_000}
    assert acknowledged <= units
    assert spent == units | {number + 1_000_000 for number in units}
    assert entries == openings
    assert len(entries) == len(units)
