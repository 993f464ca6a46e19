"""Guardians (법정대리인, PIPA 22-2): linked by the operator, who has seen the proof; never by a claim.

The link ends at the first moment of the child's fourteenth birthday, in Korea. Only the ages the identity
provider told are trusted: whoever is linked as a child is one, and the birthday fits.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from consent import mandates
from consent.calendar import Period, day_begins, korean_day_of
from consent.events import Event
from consent.journal import Journal
from consent.mandates import Mandate, MandateError, Power, Role
from consent.subjects import SubjectId
from gateway.security.ages import age_of

GUARDIAN_AGE = 14
ADULT_AGE = 19
BY_OPERATOR = "by_operator"


async def link(
    session: AsyncSession,
    journal: Journal,
    child: SubjectId,
    guardian: SubjectId,
    *,
    birthday: date,
    called: str,
    party: str,
    at: int,
) -> Mandate:
    """Link `guardian` to `child` until `birthday`, the child's fourteenth; `called` names the child there.

    Raises MandateError `guardian_age` (the child is none, the guardian is not grown up, or the birthday does
    not fit the child's age), `mandate_self`, `mandate_exists`; SubjectError for who never signed in.
    """
    age = await age_of(session, journal.keys, child, at)
    grown = await age_of(session, journal.keys, guardian, at) >= ADULT_AGE
    until = day_begins(birthday)
    latest = Period(years=max(1, GUARDIAN_AGE - age)).after(korean_day_of(at))
    if age >= GUARDIAN_AGE or not grown or not at < until or birthday > latest:
        raise MandateError("guardian_age")
    key, name = await journal.keys.key(session, child), mandates.new_mandate_id()
    made = Mandate(
        id=name,
        role=Role.GUARDIAN,
        subject=child,
        actor=guardian,
        powers=frozenset(Power),
        sectors=frozenset(),
        names=key.seal(called.encode(), mandates.names_context(name)),
        made_at=at,
        until=until,
    )
    return await mandates.add(session, journal, made, Event.MANDATE_GUARDIAN_LINKED, party)


async def unlink(session: AsyncSession, mandate_id: str, *, at: int) -> Mandate | None:
    """The link holds no longer; what the guardian agreed to stops at once, and is paused within a minute."""
    found = await mandates.find(session, mandate_id)
    if found is None or found.role is not Role.GUARDIAN:
        return None
    return await mandates.cut(session, mandate_id, BY_OPERATOR, at)
