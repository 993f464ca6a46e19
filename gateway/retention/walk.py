"""A walk visits every row once, in the order of a moment, as each becomes due.

It remembers where it is in the store and moves on with what the visit did: killed, it goes on from there; of
several processes one walks. However much of the past lies behind it, a tick costs only what became due.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, TextClause, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from gateway.retention.batch import Batch
from gateway.retention.tables import RetentionCursorRow

_CURSOR = RetentionCursorRow.__table__  # type: ignore[attr-defined]
VISITS = 100
"""At most so many rows a transaction; a visit may end several rows."""

Visit = Callable[[AsyncSession, Sequence[str], int], Awaitable[int]]
"""(session, what, due) -> how many were ended of what was over at `due`."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Visits rows by (`when`, `id`), `after` seconds past `when`; `what` is what a visit is given of each."""

    job: str
    when: ColumnElement[Any]
    id: ColumnElement[Any]
    what: ColumnElement[Any]
    after: int
    visit: Visit
    where: TextClause | None = None

    async def step(self, session: AsyncSession, now: int) -> Batch:
        """Visit the next rows; nothing while another process does."""
        at = await self._held(session)
        if at is None:
            return Batch(0, False)
        query = select(self.when, self.id, self.what).where(self.when <= now - self.after)
        query = query.where(tuple_(self.when, self.id) > tuple_(at.at, at.id))
        if self.where is not None:
            query = query.where(self.where)
        rows = (await session.execute(query.order_by(self.when, self.id).limit(VISITS))).all()
        if not rows:
            return Batch(0, False)
        ended = await self.visit(session, list(dict.fromkeys(row[2] for row in rows)), now - self.after)
        mine = update(_CURSOR).where(_CURSOR.c.job == self.job)
        await session.execute(mine.values(at=rows[-1][0], id=rows[-1][1]))
        return Batch(ended, len(rows) == VISITS)

    async def _held(self, session: AsyncSession) -> Row[Any] | None:
        begun = insert_or_keep(session, _CURSOR, "job").values(job=self.job, at=-1, id="")
        await session.execute(begun)
        query = select(_CURSOR).where(_CURSOR.c.job == self.job).with_for_update(skip_locked=True)
        return (await session.execute(query)).one_or_none()
