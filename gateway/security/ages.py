"""How old a citizen is: told by the identity provider at sign-in, kept sealed under the citizen's own key.

Policy needs an age whenever it decides, also when nobody is signed in. The age is counted on from the day it
was told, never back: a birthday may be missed by up to a year, in the cautious direction for minors.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from consent.repository import insert_or_keep
from consent.subjects import SubjectError, SubjectId, SubjectKeys


class CitizenAgeRow(SQLModel, table=True):
    """The age the identity provider told, sealed under the citizen's own key."""

    __tablename__ = "citizen_age"

    subject_id: str = Field(primary_key=True, sa_type=String(64))
    sealed: bytes
    told_at: int = Field(sa_type=BigInteger, index=True)


_TABLE = CitizenAgeRow.__table__  # type: ignore[attr-defined]
_YEAR = 31_556_952


async def remember_age(
    session: AsyncSession, keys: SubjectKeys, subject: SubjectId, age: int, at: int
) -> None:
    """Keep the `age` in full years that the identity provider told at `at` (epoch seconds)."""
    key = await keys.key(session, subject)
    sealed = key.seal(f"{age} {at}".encode(), _context(subject))
    values = {"subject_id": subject, "sealed": sealed, "told_at": at}
    await session.execute(insert_or_keep(session, _TABLE, "subject_id").values(**values))
    kept = update(_TABLE).where(_TABLE.c.subject_id == subject, _TABLE.c.told_at < at)
    await session.execute(kept.values(sealed=sealed, told_at=at))


async def age_of(session: AsyncSession, keys: SubjectKeys, subject: SubjectId, at: int) -> int:
    """The citizen's age in full years at `at`; SubjectError `subject_unknown` if it was never told."""
    query = select(_TABLE.c.sealed).where(_TABLE.c.subject_id == subject)
    sealed = (await session.execute(query)).scalar_one_or_none()
    if sealed is None:
        raise SubjectError("subject_unknown")
    key = await keys.key(session, subject)
    age, told = key.unseal(sealed, _context(subject)).decode().split()
    return int(age) + max(0, at - int(told)) // _YEAR


def _context(subject: SubjectId) -> str:
    return f"citizen-age/{subject}"
