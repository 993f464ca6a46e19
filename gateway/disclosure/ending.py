"""The operator stops (Decree 42-12(7)): said six months before, once to each citizen, company and holder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import notices
from consent.calendar import Period, korean_day_of
from consent.events import Event
from consent.journal import Journal
from consent.ledger_tables import PAYLOAD
from consent.notices import NoticeKind
from consent.subjects import SUBJECT, SubjectId
from gateway.database import Database
from gateway.errors import Problem

NOTICE = Period(months=6)
"""How long before its end the law wants it said."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Announcement:
    """The gateway ends when `day` is over; `operator` says so at `at` (epoch seconds)."""

    operator: str
    day: date
    at: int

    @property
    def idem(self) -> str:
        """The name of the operator's own entry; each party's is below it."""
        return f"{Event.GATEWAY_ENDING_ANNOUNCED.value}/{self.day.isoformat()}"


async def announce(
    database: Database, journal: Journal, said: Announcement, letters: Mapping[str, str]
) -> int:
    """Enter the announcement and one entry for each of `letters` (party to SHA-256 of its letter), and leave
    every citizen whose records are kept a notice; how many notices are new.

    Said again for the same day it adds only what is new since: later citizens, companies, holders. Raises
    Problem `handover_too_soon` when `said.day` is first announced less than six months before it.
    """
    async with database.transaction() as session:
        earliest = NOTICE.after(korean_day_of(said.at))
        if said.day < earliest and not await _said_before(session, said):
            raise Problem("handover_too_soon", params={"earliest": earliest.isoformat()})
        await _enter(session, journal, said, said.operator, said.idem, {})
        for party, letter in sorted(letters.items()):
            await _enter(session, journal, said, party, f"{said.idem}/{party}", {"letter": letter})
    told, after = 0, ""
    while True:
        async with database.transaction() as session:
            found = await _citizens(session, after)
            for subject in found:
                about = said.day.isoformat()
                told += await notices.leave(session, subject, NoticeKind.GATEWAY_ENDS, about, said.at)
        if len(found) < _BATCH:
            return told
        after = found[-1]


async def _said_before(session: AsyncSession, said: Announcement) -> bool:
    return (
        await session.execute(select(PAYLOAD.c.idem).where(PAYLOAD.c.idem == said.idem))
    ).first() is not None


async def _enter(
    session: AsyncSession,
    journal: Journal,
    said: Announcement,
    party: str,
    idem: str,
    more: dict[str, object],
) -> None:
    payload = {"day": said.day.isoformat(), **more}
    kind = Event.GATEWAY_ENDING_ANNOUNCED
    await journal.append(session, kind, subject=None, party=party, payload=payload, at=said.at, idem=idem)


async def _citizens(session: AsyncSession, after: str) -> Sequence[SubjectId]:
    query = select(SUBJECT.c.id).where(SUBJECT.c.wrapped.is_not(None), SUBJECT.c.id > after)
    found = await session.execute(query.order_by(SUBJECT.c.id).limit(_BATCH))
    return [SubjectId(one) for one in found.scalars()]
