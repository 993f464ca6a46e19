"""One bounded step of a job: what it ended, and whether more is waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, TextClause, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

ROWS = 500
"""At most so many rows a transaction: on SQLite nobody else can write meanwhile."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many were ended, and whether the job wants another transaction at once."""

    ended: int
    more: bool


Step = Callable[[AsyncSession, int], Awaitable[Batch]]
"""One short transaction's worth of a job at the epoch second given. Any number of processes may run it at
once; killed anywhere it has done all of the step or none; repeating it does no harm."""


def ending(table: Table, when: ColumnElement[Any], *, after: int, where: TextClause | None = None) -> Step:
    """Delete rows of `table` once `when` (epoch seconds) lies `after` seconds back, oldest first.

    The table has one column as its primary key.
    """
    (name,) = table.primary_key.columns

    async def step(session: AsyncSession, now: int) -> Batch:
        oldest = select(name).where(when <= now - after)
        oldest = (oldest if where is None else oldest.where(where)).order_by(when).limit(ROWS)
        taken = (await session.execute(oldest.with_for_update(skip_locked=True))).scalars().all()
        if taken:
            await session.execute(delete(table).where(name.in_(taken)))
        return Batch(len(taken), len(taken) == ROWS)

    return step
