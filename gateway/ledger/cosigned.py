"""What the store knows of witnesses, and which checkpoint is shown to the world because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.ledger_tables import COSIGNED, WITNESS
from gateway.ledger import repository

DEGRADE_SECONDS = 10
"""For so long an older checkpoint with a quorum is shown; then the newest, visibly without."""

_ONLY = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What one witness last said: `line` cosigns `size` entries at `at` (epoch seconds)."""

    name: str
    size: int
    line: str | None
    at: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Quorum:
    """The last checkpoint with a quorum; `missing_since` when newer ones began to lack it."""

    size: int = 0
    note: str | None = None
    at: int = 0
    missing_since: int | None = None


async def witnesses(session: AsyncSession) -> dict[str, Seen]:
    """What every witness last said, by name."""
    rows = (await session.execute(select(*WITNESS.c))).all()
    return {row.name: Seen(row.name, row.size, row.line, row.at, row.reason) for row in rows}


async def remember(session: AsyncSession, said: Sequence[Seen]) -> None:
    """Store what these witnesses said now."""
    for seen in said:
        values = {"size": seen.size, "line": seen.line, "at": seen.at, "reason": seen.reason}
        changed = update(WITNESS).where(WITNESS.c.name == seen.name).values(values).returning(WITNESS.c.name)
        if (await session.execute(changed)).one_or_none() is None:
            await session.execute(insert(WITNESS).values(name=seen.name, **values))


async def forget_others(session: AsyncSession, names: Sequence[str]) -> None:
    """Remove witnesses that are no longer in the policy."""
    await session.execute(delete(WITNESS).where(WITNESS.c.name.not_in(list(names))))


async def quorum(session: AsyncSession) -> Quorum:
    """The last checkpoint that enough witnesses cosigned."""
    row = (await session.execute(select(*COSIGNED.c))).one_or_none()
    return Quorum(row.size, row.note, row.at, row.missing_since) if row else Quorum()


async def keep(session: AsyncSession, found: Quorum) -> None:
    """Make `found` the state of the quorum."""
    values = {"size": found.size, "note": found.note, "at": found.at, "missing_since": found.missing_since}
    changed = update(COSIGNED).where(COSIGNED.c.id == _ONLY).values(values).returning(COSIGNED.c.id)
    if (await session.execute(changed)).one_or_none() is None:
        await session.execute(insert(COSIGNED).values(id=_ONLY, **values))


def degraded(found: Quorum, now: int) -> bool:
    """Whether the newest checkpoint has been without a quorum for too long to hide it."""
    return found.note is None or (
        found.missing_since is not None and now - found.missing_since > DEGRADE_SECONDS
    )


async def shown(session: AsyncSession, now: int, *, witnessed: bool) -> tuple[int, str] | None:
    """Size and note of the checkpoint for the world; None before the first.

    With witnesses: the last one with a quorum; once degraded, the newest with the lines it has.
    """
    stored = await repository.checkpoint(session)
    if stored is None:
        return None
    second = await repository.second_line(session)
    if not witnessed:
        return stored[0], stored[1] + second
    found = await quorum(session)
    if found.note is not None and not degraded(found, now):
        return found.size, found.note
    lines = [s.line for s in (await witnesses(session)).values() if s.line and s.size == stored[0]]
    return stored[0], stored[1] + second + "".join(sorted(lines))
