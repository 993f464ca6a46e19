"""What a citizen is told without having asked: each notice once, kept until its record may go.

A notice names things by their ids and holds no personal value; its words stand in the locales by its kind.
Everything runs in the caller's transaction: the notice exists if and only if what it tells of does.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Index, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from consent.repository import insert_or_keep
from consent.subjects import SubjectId
from consent.tables import partial_index, table_of


class NoticeKind(StrEnum):
    """What a notice tells. Stored; never rename. Each has words in the locales and a place to go."""

    TRANSFER_DELAYED = "transfer_delayed"
    TRANSFER_GOES_ON = "transfer_goes_on"
    TRANSFER_REFUSED = "transfer_refused"
    TRANSFER_FAILED = "transfer_failed"
    RIGHT_READY = "right_ready"
    RIGHT_DELAYED = "right_delayed"
    RIGHT_REFUSED = "right_refused"
    RIGHT_FAILED = "right_failed"
    YEARLY = "yearly"
    MANDATE_ENDED = "mandate_ended"
    CAME_OF_AGE = "came_of_age"
    RENEWAL = "renewal"
    REMINDER = "reminder"
    IDLE_PAUSED = "idle_paused"
    IDLE_ENDED = "idle_ended"
    GATEWAY_ENDS = "gateway_ends"
    HOLDER_ENDED = "holder_ended"


class NoticeRow(SQLModel, table=True):
    """One notice to one citizen. `about` is an id, or an id and what of it after a `#`."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ux_notice_once", "subject_id", "kind", "about", unique=True),
        Index("ix_notice_subject", "subject_id", "at", "id"),
        partial_index("ix_notice_unread", "subject_id", where=text("read_at IS NULL")),
        partial_index("ix_notice_yearly", "at", "id", where=text("kind = 'yearly'")),
    )

    id: str = Field(primary_key=True, max_length=40)
    subject_id: str = Field(max_length=64)
    kind: str = Field(max_length=32)
    about: str = Field(max_length=128)
    at: int = Field(sa_type=BigInteger, index=True)
    read_at: int | None = Field(default=None, sa_type=BigInteger)


_NOTICE = table_of(NoticeRow)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it lies in the inbox. Instants are epoch seconds; `read_at` is None while unread."""

    id: str
    kind: NoticeKind
    about: str
    at: int
    read_at: int | None

    @property
    def thing(self) -> str:
        """The id this is about, without what of it."""
        return self.about.partition("#")[0]


async def leave(session: AsyncSession, subject: SubjectId, kind: NoticeKind, about: str, at: int) -> bool:
    """Leave `subject` a notice of `kind` about `about` at the epoch second `at`; whether it is a new one.

    Once for ever per (subject, kind, about): a retry, or another process, adds nothing. `about` MUST be an
    id of ours (`c-…`, or `c-…#3` for the third of its kind) or a day, never a personal value.
    """
    values = {"id": "n-" + secrets.token_hex(15), "subject_id": subject, "kind": kind.value}
    made = insert_or_keep(session, _NOTICE, "subject_id", "kind", "about")
    left = made.values(**values, about=about, at=at).returning(_NOTICE.c.id)
    return (await session.execute(left)).one_or_none() is not None


async def of_subject(
    session: AsyncSession, subject: SubjectId, *, limit: int, before: tuple[int, str] | None = None
) -> list[Notice]:
    """The citizen's newest `limit` notices; `before` is (`at`, `id`) of the last one of the page before."""
    query = select(_NOTICE).where(_NOTICE.c.subject_id == subject)
    if before is not None:
        query = query.where(tuple_(_NOTICE.c.at, _NOTICE.c.id) < before)
    newest = query.order_by(_NOTICE.c.at.desc(), _NOTICE.c.id.desc()).limit(limit)
    return [
        Notice(row.id, NoticeKind(row.kind), row.about, row.at, row.read_at)
        for row in await session.execute(newest)
    ]


async def unread(session: AsyncSession, subject: SubjectId) -> int:
    """How many notices the citizen has not read."""
    query = select(func.count()).where(_NOTICE.c.subject_id == subject, _NOTICE.c.read_at.is_(None))
    return int((await session.execute(query)).scalar_one())


async def read(session: AsyncSession, subject: SubjectId, *, until: int, at: int) -> int:
    """The citizen has read what was left up to `until` (epoch seconds); how many were unread before."""
    seen = (_NOTICE.c.subject_id == subject) & _NOTICE.c.read_at.is_(None) & (_NOTICE.c.at <= until)
    done = await session.execute(update(_NOTICE).where(seen).values(read_at=at).returning(_NOTICE.c.id))
    return len(done.all())
