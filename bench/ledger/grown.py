"""A log of as many entries as asked: made in bulk, then sequenced, signed, indexed as a real one is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.history.past import CLIENT, NOW
from bench.ledger.measure import BenchFailed, Took, timed
from bench.ledger.stage import Stage
from consent.events import Event
from consent.ledger.entry import Entry, encode
from consent.ledger.tree import leaf_hash
from consent.ledger_tables import OUTBOX, PAYLOAD
from consent.subjects import SubjectId

CHUNK = 10_000
BLOCK, EACH = 100_000, 50
"""In each block of the log other citizens, each with so many events, as far apart as they can be."""
_KINDS = (Event.TOKEN_ACCESS_ISSUED, Event.PULL_HOLDER_DONE, Event.POLICY_DECISION_MADE)
_PARTIES = (CLIENT, "hanbit-bank", "nuri-telecom", "gateway")
_NEXT = "SELECT COALESCE(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'ledger_outbox'"


@dataclass
class Grown:
    """The log of a stage with a crowd in it, and one citizen, `own`, whose entries can be opened."""

    stage: Stage
    folder: Path
    own: SubjectId
    size: int = 0
    made: int = 0
    crowd: list[SubjectId] = field(default_factory=list)
    steps: dict[str, Took] = field(default_factory=dict)

    @classmethod
    async def begin(cls, folder: Path) -> Grown:
        """An empty log on SQLite in `folder`."""
        stage = await Stage.open(f"sqlite+aiosqlite:///{folder / 'grown.db'}", folder)
        async with stage.database.transaction() as session:
            own = await stage.journal.keys.create(session)
        return cls(stage, folder, own)

    async def grow(self, to: int) -> None:
        """Add entries up to `to`; `steps` tells what that took. Raises BenchFailed."""
        self.size = before = await self.stage.entered()  # what the log said of itself stands in it too
        missing = to - before
        made = await timed(missing, self._fill(to))
        moved = await timed(missing, self.stage.log.integrate_now())
        self.steps = {"made in bulk": made, "sequenced, signed, indexed": moved}
        async with self.stage.database.engine.connect() as connection:
            free = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await free.exec_driver_sql("ANALYZE")
        if (found := await self.stage.entered()) != to:
            raise BenchFailed(f"{found} entries, {before} and {missing} were made")

    async def bytes_an_entry(self) -> dict[str, float]:
        """Bytes of each table of the ledger with its indexes, an entry (SQLite's own count of its pages)."""
        query = "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
        query += " WHERE m.tbl_name LIKE 'ledger_%' GROUP BY 1"
        async with self.stage.database.reading() as session:
            rows = (await session.execute(text(query))).all()
        return {name: used / self.size for name, used in rows}

    async def _fill(self, to: int) -> None:
        """The crowd's entries, in transactions of CHUNK; in front of each chunk one of the citizen's own."""
        journal = self.stage.journal
        while self.size < to:
            last = min(to, self.size + CHUNK)
            async with self.stage.database.transaction() as session:
                await journal.append(
                    session, Event.PULL_HOLDER_DONE, subject=self.own, party="hanbit-bank", payload={}, at=NOW
                )
                await self._enter(session, last - self.size - 1)
            self.size = last

    async def _enter(self, session: AsyncSession, count: int) -> None:
        start = int((await session.execute(text(_NEXT))).scalar_one())
        outbox, payload = [], []
        for place, number in enumerate(range(self.made, self.made + count)):
            kind, party = _KINDS[number % 3], _PARTIES[number % 7 % 4]
            tag = os.urandom(32)
            entry = encode(Entry(NOW + number // 100, kind.value, party, tag, os.urandom(32)))
            subject, n = await self._whose(session, number)
            outbox.append({"entry": entry, "at": NOW})
            row = {"outbox_id": start + place, "subject": subject, "n": n, "tag": tag}
            payload.append({**row, "leaf": leaf_hash(entry), "body": os.urandom(180)})
        self.made += count
        if outbox:
            await session.execute(insert(OUTBOX), outbox)
            await session.execute(insert(PAYLOAD), payload)

    async def _whose(self, session: AsyncSession, number: int) -> tuple[SubjectId, int]:
        """The citizen of entry `number`, and which of theirs it is."""
        width = BLOCK // EACH
        block, within = divmod(number, BLOCK)
        at = block * width + within % width
        while len(self.crowd) <= at:
            self.crowd.append(await self.stage.journal.keys.create(session))
        return self.crowd[at], within // width + 1
