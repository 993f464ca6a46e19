"""Mandates: who may act for a citizen, in what, until when. Guardians (법정대리인) and delegates (대리인).

A guardian's mandate is made by the operator, who saw the proof out of band, and ends when the child turns
fourteen; nobody claims one. A delegate's is given by the citizen (`consent.invitations`). All SQL of both;
everything runs in the caller's transaction. A mandate past its end holds nothing, before that is written.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from consent.acting import Acting
from consent.errors import ConsentError
from consent.events import Event
from consent.moving import Journal
from consent.records import By
from consent.subjects import SubjectId
from consent.tables import partial_index, table_of

LIVING = text("ended_at IS NULL")


class MandateError(ConsentError):
    """`mandate_exists`, `mandate_unknown`, `mandate_self`, `mandate_too_long`."""


class Role(StrEnum):
    """What somebody is who acts for a citizen. Stored; never rename."""

    GUARDIAN = "guardian"
    DELEGATE = "delegate"


class Power(StrEnum):
    """What a mandate allows. Stored; never rename. Withdrawing is taking away: narrowing, pausing, ending."""

    VIEW = "view"
    ANSWER = "answer"
    WITHDRAW = "withdraw"


class MandateRow(SQLModel, table=True):
    """One mandate. `powers` and `sectors` are words separated by spaces; no sectors: all of them.

    `names` is what either calls the other, sealed under the citizen's own key.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        partial_index("ix_mandate_actor", "actor_id", "id", where=LIVING),
        partial_index("ix_mandate_subject", "subject_id", "id", where=LIVING),
        partial_index("ix_mandate_until", "until", "id", where=LIVING),
    )

    id: str = Field(primary_key=True, max_length=40)
    role: str = Field(max_length=16)
    subject_id: str = Field(max_length=64)
    actor_id: str = Field(max_length=64)
    powers: str = Field(max_length=64)
    sectors: str = Field(default="", max_length=512)
    names: bytes = Field(sa_type=LargeBinary)
    made_at: int = Field(sa_type=BigInteger)
    until: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(default=None, sa_type=BigInteger, index=True)
    ended_why: str | None = Field(default=None, max_length=32)


_MANDATE = table_of(MandateRow)


@dataclass(frozen=True, slots=True)
class Mandate:
    """`actor` may act for `subject` in `sectors` (empty: all) from `made_at` until `until`, exclusive."""

    id: str
    role: Role
    subject: SubjectId
    actor: SubjectId
    powers: frozenset[Power]
    sectors: frozenset[str]
    names: bytes
    made_at: int
    until: int
    ended_at: int | None = None
    ended_why: str | None = None

    def holds(self, at: int) -> bool:
        """Whether it is in force at the instant `at`."""
        return self.ended_at is None and self.made_at <= at < self.until

    def may(self, power: Power, sectors: Collection[str], at: int) -> bool:
        """Whether it allows `power` over what lies in `sectors` at the instant `at`: in all of them."""
        inside = not self.sectors or set(sectors) <= self.sectors
        return self.holds(at) and power in self.powers and inside

    @property
    def acting(self) -> Acting:
        """The hand of whoever acts under it."""
        return Acting(By(self.role.value), self.id, self.actor)


def names_context(mandate_id: str) -> str:
    """The context under which the names of a mandate are sealed."""
    return f"mandate-names/{mandate_id}"


def new_mandate_id() -> str:
    """A fresh mandate's name: 120 random bits."""
    return "m-" + secrets.token_hex(15)


async def add(session: AsyncSession, journal: Journal, made: Mandate, event: Event, party: str) -> Mandate:
    """Store a mandate with its entry, which is the citizen's; the actor stands in the sealed payload.

    Raises MandateError `mandate_self`, or `mandate_exists` while the same two have one already.
    """
    if made.actor == made.subject:
        raise MandateError("mandate_self")
    for other in await of_actor(session, made.actor, made.made_at):
        if other.subject == made.subject:
            raise MandateError("mandate_exists")
    values = {"id": made.id, "role": made.role.value, "subject_id": made.subject, "actor_id": made.actor}
    values |= {"powers": " ".join(sorted(made.powers)), "sectors": " ".join(sorted(made.sectors))}
    rest = {"names": made.names, "made_at": made.made_at, "until": made.until}
    await session.execute(insert(_MANDATE).values(**values, **rest))
    told: dict[str, object] = {"mandate": made.id, "actor": made.actor, "until": made.until}
    told |= {"powers": sorted(made.powers), "sectors": sorted(made.sectors)}
    await journal.append(
        session,
        event,
        subject=made.subject,
        party=party,
        payload=told,
        at=made.made_at,
        idem=f"mandate:{made.id}",
    )
    return made


async def find(session: AsyncSession, mandate_id: str, *, hold: bool = False) -> Mandate | None:
    """One mandate, ended ones too; with `hold` nobody ends it until the transaction does."""
    query = select(_MANDATE).where(_MANDATE.c.id == mandate_id)
    row = (await session.execute(query.with_for_update(read=True) if hold else query)).one_or_none()
    return None if row is None else _decode(row)


async def of_actor(session: AsyncSession, actor: SubjectId, at: int) -> list[Mandate]:
    """The mandates under which `actor` may act at `at`."""
    return await _living(session, _MANDATE.c.actor_id == actor, at)


async def of_subject(session: AsyncSession, subject: SubjectId, at: int) -> list[Mandate]:
    """The mandates under which somebody may act for `subject` at `at`."""
    return await _living(session, _MANDATE.c.subject_id == subject, at)


async def close(session: AsyncSession, mandate_id: str, why: str, at: int) -> Mandate | None:
    """Mark a mandate ended, once; None if it has ended before. The entry is `consent.mandate_endings`'s."""
    open_ = update(_MANDATE).where(_MANDATE.c.id == mandate_id, LIVING)
    closed = open_.values(ended_at=at, ended_why=why).returning(*_MANDATE.c)
    row = (await session.execute(closed)).one_or_none()
    return None if row is None else _decode(row)


async def cut(session: AsyncSession, mandate_id: str, why: str, at: int) -> Mandate | None:
    """Let a mandate hold no longer than `at`, for the reason `why`; the next round writes its end.

    None if there is none that is open.
    """
    open_ = update(_MANDATE).where(_MANDATE.c.id == mandate_id, LIVING, _MANDATE.c.until > at)
    row = (await session.execute(open_.values(until=at, ended_why=why).returning(*_MANDATE.c))).one_or_none()
    return None if row is None else _decode(row)


async def over(session: AsyncSession, at: int, limit: int) -> list[Mandate]:
    """Mandates whose time has run out and of which that is not written yet, oldest first."""
    query = select(_MANDATE).where(LIVING, _MANDATE.c.until <= at)
    oldest = query.order_by(_MANDATE.c.until, _MANDATE.c.id).limit(limit)
    return [_decode(row) for row in await session.execute(oldest.with_for_update(skip_locked=True))]


async def _living(session: AsyncSession, whose: Any, at: int) -> list[Mandate]:
    query = select(_MANDATE).where(whose, LIVING).order_by(_MANDATE.c.id)
    return [found for row in await session.execute(query) if (found := _decode(row)).holds(at)]


def _decode(row: Row[Any]) -> Mandate:
    return Mandate(
        id=row.id,
        role=Role(row.role),
        subject=SubjectId(row.subject_id),
        actor=SubjectId(row.actor_id),
        powers=frozenset(map(Power, row.powers.split())),
        sectors=frozenset(row.sectors.split()),
        names=bytes(row.names),
        made_at=row.made_at,
        until=row.until,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
    )
