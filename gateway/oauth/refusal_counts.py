"""Refusals that were only counted: every process adds its own, and each hour is told once in the ledger.

What a process has counted stays in its memory until it is stored, so a store that fails loses nothing; a
process that is killed loses at most what it counted since the last minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from gateway.oauth.ledger import RefusalBound
from gateway.oauth.tables import RefusalCountRow

HOUR_SECONDS = 3600
_TABLE = RefusalCountRow.__table__  # type: ignore[attr-defined]


def seen(bounds: Iterable[RefusalBound]) -> list[tuple[RefusalBound, Counter[str]]]:
    """What each has counted up to now; nothing is taken away yet."""
    return [(bound, Counter(bound.uncounted)) for bound in bounds if bound.uncounted]


def settle(taken: Iterable[tuple[RefusalBound, Counter[str]]]) -> None:
    """Take away what was stored; what was counted meanwhile stays."""
    for bound, counts in taken:
        bound.uncounted = bound.uncounted - counts


async def keep(session: AsyncSession, counts: Counter[str], at: int) -> None:
    """Add `counts` to the hour of `at`."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for code, number in sorted(counts.items()):  # in one order, or two processes could wait for each other
        row = insert(_TABLE).values(hour=at - at % HOUR_SECONDS, code=code, number=number)
        more = {"number": _TABLE.c.number + row.excluded.number}
        await session.execute(row.on_conflict_do_update(index_elements=["hour", "code"], set_=more))


async def tell(session: AsyncSession, journal: Journal, party: str, at: int) -> int:
    """Enter the counts of every hour that is over, and forget them with it; how many entries were made.

    Of several processes at once one deletes a row and tells it: exactly once, with the commit.
    """
    over = delete(_TABLE).where(_TABLE.c.hour < at - at % HOUR_SECONDS)
    hours: dict[int, dict[str, int]] = {}
    for row in await session.execute(over.returning(_TABLE.c.hour, _TABLE.c.code, _TABLE.c.number)):
        hours.setdefault(row.hour, {})[row.code] = row.number
    for hour, counts in sorted(hours.items()):
        payload: dict[str, object] = {"hour": hour, "refused": dict(sorted(counts.items()))}
        event = Event.OAUTH_REFUSALS_COUNTED
        await journal.append(session, event, subject=None, party=party, payload=payload, at=at)
    return len(hours)
