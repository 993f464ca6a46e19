"""How a mandate ends: by either, by the operator, by the clock; and what becomes of what was given under it.

Such consents are paused until the citizen lets them go on, which is the citizen's own yes: what somebody else
agreed to holds no longer than their mandate, and nothing of it is lost. At fourteen the child decides so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import mandates, repository
from consent.events import Event
from consent.mandates import Mandate, Role
from consent.moving import Journal, commit_to
from consent.notices import NoticeKind, leave
from consent.records import By, Consent, Move, State, move
from consent.subjects import SubjectError
from consent.tables import ConsentRow, table_of

CAME_OF_AGE = "came_of_age"
RAN_OUT = "ran_out"
MANDATE_ENDED = "mandate_ended"

Paused = Callable[[AsyncSession, Consent, Consent], Awaitable[None]]
"""What else is written with a consent that is paused so: from, to."""

_CONSENT = table_of(ConsentRow)


async def end(
    session: AsyncSession,
    journal: Journal,
    mandate_id: str,
    *,
    by: By,
    why: str,
    party: str,
    at: int,
    paused: Paused | None = None,
) -> bool:
    """End a mandate: nobody acts under it from now on. False, nothing changed, if it has ended before.

    `why` is a stable word; the consents that rest on it are paused for the same reason, or `mandate_ended`.
    Locks: the mandate first, as whoever answers under it does, so that no yes slips in between and neither
    waits for the other; then the consents and the citizen's row (the journal), as everywhere.
    """
    ended = await mandates.close(session, mandate_id, why, at)
    if ended is None:
        return False
    query = select(_CONSENT.c.id).where(_CONSENT.c.mandate == mandate_id).order_by(_CONSENT.c.id)
    names = (await session.execute(query.with_for_update())).scalars().all()
    for name in names:
        consent = await repository.load(session, name)
        if consent is not None and consent.standing(at) is State.ACTIVE:
            reason = why if why == CAME_OF_AGE else MANDATE_ENDED
            after = move(consent, Move.PAUSE, at, by=By.GATEWAY, why=reason)
            await commit_to(session, journal, consent, after, Move.PAUSE)
            if paused is not None:
                await paused(session, consent, after)
    await _told(session, journal, ended, by, party, at)
    return True


def running_out(journal: Journal, party: str, paused: Paused | None = None) -> Callable[..., Awaitable[int]]:
    """The job that ends what ran out: one mandate a call, how many it ended."""

    async def step(session: AsyncSession, now: int) -> int:
        for over in await mandates.over(session, now, 1):
            why = over.ended_why or (CAME_OF_AGE if over.role is Role.GUARDIAN else RAN_OUT)
            await end(session, journal, over.id, by=By.GATEWAY, why=why, party=party, at=now, paused=paused)
            return 1
        return 0

    return step


async def _told(session: AsyncSession, journal: Journal, ended: Mandate, by: By, party: str, at: int) -> None:
    """The entry, which is the citizen's, and a notice to both."""
    told: dict[str, object] = {"mandate": ended.id, "by": by.value, "why": ended.ended_why}
    try:
        await journal.append(
            session,
            Event.MANDATE_RECORD_ENDED,
            subject=ended.subject,
            party=party,
            payload=told,
            at=at,
            idem=f"mandate-ended:{ended.id}",
        )
    except SubjectError:  # an erased citizen's mandate ends too; the entry then names nobody
        named = f"mandate-ended:{ended.id}"
        kind = Event.MANDATE_RECORD_ENDED
        await journal.append(session, kind, subject=None, party=party, payload=told, at=at, idem=named)
    kind_left = NoticeKind.CAME_OF_AGE if ended.ended_why == CAME_OF_AGE else NoticeKind.MANDATE_ENDED
    await leave(session, ended.subject, kind_left, ended.id, at)
    await leave(session, ended.actor, NoticeKind.MANDATE_ENDED, ended.id, at)
