"""A citizen names a delegate (대리인): a one-time code shown once, typed in by the delegate after sign-in.

Only a keyed hash of the code is kept, for ten minutes. Whoever types wrong codes is stopped after a few, by
their own subject: the codes are too many to be guessed in as many tries. Accepting uses a code up, once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from consent import mandates
from consent.events import Event
from consent.journal import Journal
from consent.mandates import Mandate, MandateError, Power, Role
from consent.subjects import SubjectId
from consent.tables import table_of

CODE_SECONDS = 600
TRIES = 5
"""Wrong codes one citizen may type within ten minutes."""
LONGEST_SECONDS = 366 * 86_400
"""A delegate is named for a year at most."""
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_LENGTH = 10


class MandateInvitationRow(SQLModel, table=True):
    """One invitation that waits; deleted when it is accepted or its time is over."""

    __tablename__ = "mandate_invitation"

    code_hash: str = Field(primary_key=True, max_length=64)
    subject_id: str = Field(max_length=64, index=True)
    mandate_id: str = Field(max_length=40)
    powers: str = Field(max_length=64)
    sectors: str = Field(max_length=512)
    names: bytes = Field(sa_type=LargeBinary)
    until: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)


class MandateTryRow(SQLModel, table=True):
    """How many wrong codes one citizen has typed since `since`."""

    __tablename__ = "mandate_try"

    subject_id: str = Field(primary_key=True, max_length=64)
    since: int = Field(sa_type=BigInteger, index=True)
    number: int


_INVITATION = table_of(MandateInvitationRow)
_TRY = table_of(MandateTryRow)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a citizen offers: powers in sectors (empty: all) until an instant; `name`: what the delegate is
    told to call them.
    """

    powers: frozenset[Power]
    sectors: frozenset[str]
    until: int
    name: str


def spelled(code: str) -> str:
    """A code as it was meant: without spaces and hyphens, in capitals."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


async def invite(
    session: AsyncSession, journal: Journal, subject: SubjectId, offered: Offered, *, party: str, at: int
) -> str:
    """Keep an invitation with its entry; the code, which is shown this once and kept nowhere.

    Raises MandateError `mandate_too_long` when it would hold for more than a year, or not at all.
    """
    if not at < offered.until <= at + LONGEST_SECONDS or not offered.powers:
        raise MandateError("mandate_too_long")
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    name, key = mandates.new_mandate_id(), await journal.keys.key(session, subject)
    sealed = key.seal(offered.name.encode(), mandates.names_context(name))
    await session.execute(delete(_INVITATION).where(_INVITATION.c.subject_id == subject))
    values = {"code_hash": _hash(code), "subject_id": subject, "mandate_id": name, "names": sealed}
    values |= {"powers": " ".join(sorted(offered.powers)), "sectors": " ".join(sorted(offered.sectors))}
    times = {"until": offered.until, "expires_at": at + CODE_SECONDS}
    await session.execute(insert(_INVITATION).values(**values, **times))
    told = {"mandate": name, "powers": sorted(offered.powers), "sectors": sorted(offered.sectors)}
    event, idem = Event.MANDATE_DELEGATE_INVITED, f"mandate-invited:{name}"
    payload: dict[str, object] = {**told, "until": offered.until}
    await journal.append(session, event, subject=subject, party=party, payload=payload, at=at, idem=idem)
    return code


async def accept(
    session: AsyncSession, journal: Journal, actor: SubjectId, code: str, *, party: str, at: int
) -> Mandate | None:
    """The delegate types the code: the mandate it gives. None for a code there is not (any more).

    A wrong one is counted: the caller MUST commit. Raises MandateError `mandate_tries` after too many,
    `mandate_self`, `mandate_exists`.
    """
    if await _tries(session, actor, at) >= TRIES:
        raise MandateError("mandate_tries")
    mine = (_INVITATION.c.code_hash == _hash(spelled(code))) & (_INVITATION.c.expires_at > at)
    taken = delete(_INVITATION).where(mine).returning(*_INVITATION.c)
    row = (await session.execute(taken)).one_or_none()
    if row is None:
        await _count(session, actor, at)
        return None
    made = Mandate(
        id=row.mandate_id,
        role=Role.DELEGATE,
        subject=SubjectId(row.subject_id),
        actor=actor,
        powers=frozenset(map(Power, row.powers.split())),
        sectors=frozenset(row.sectors.split()),
        names=bytes(row.names),
        made_at=at,
        until=row.until,
    )
    return await mandates.add(session, journal, made, Event.MANDATE_DELEGATE_ACCEPTED, party)


async def _tries(session: AsyncSession, actor: SubjectId, at: int) -> int:
    query = select(_TRY.c.number).where(_TRY.c.subject_id == actor, _TRY.c.since > at - CODE_SECONDS)
    return int((await session.execute(query)).scalar_one_or_none() or 0)


async def _count(session: AsyncSession, actor: SubjectId, at: int) -> None:
    old = delete(_TRY).where(_TRY.c.subject_id == actor, _TRY.c.since <= at - CODE_SECONDS)
    await session.execute(old)
    made = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    more = {"number": _TRY.c.number + 1}
    counted = made(_TRY).values(subject_id=actor, since=at, number=1)
    await session.execute(counted.on_conflict_do_update(index_elements=["subject_id"], set_=more))


def _hash(code: str) -> str:
    """50 bits of chance that live ten minutes behind a bound on tries need no slower hash."""
    return hmac.digest(b"mandate-invitation", code.encode(), hashlib.sha256).hex()
