"""All SQL of consents, their history and the texts shown. Runs in the caller's transaction, never commits."""

from __future__ import annotations

from dataclasses import replace as evolve
from typing import Any

import orjson
from sqlalchemy import RowMapping, Select, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from consent.changes import Step
from consent.errors import MoveError
from consent.items import Terms, from_details, to_details
from consent.records import By, Consent, Move, State
from consent.subjects import SubjectId
from consent.tables import OPEN, ConsentRow, ConsentTextRow, ConsentVersionRow, table_of
from consent.text import ShownText

_CONSENT = table_of(ConsentRow)
_VERSION = table_of(ConsentVersionRow)
_TEXT = table_of(ConsentTextRow)
_MANY = 100


def insert_or_keep(session: AsyncSession, table: Any, *columns: str) -> Any:
    """An INSERT that leaves a row with the same `columns` (a unique key) as it is, on either store."""
    dialect = session.get_bind().dialect.name
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_nothing(index_elements=list(columns))


async def add(session: AsyncSession, consent: Consent, step: Move) -> bool:
    """Store a new consent with its first version; False, nothing stored, if there is one of this citizen
    for its request already."""
    values = {
        "id": consent.id,
        "subject_id": consent.subject,
        "client_id": consent.client_id,
        "request_id": consent.request_id,
        "created_at": consent.created_at,
        **_moving(consent),
    }
    statement = (
        insert_or_keep(session, _CONSENT, "request_id", "subject_id")
        .values(**values)
        .returning(_CONSENT.c.id)
    )
    if (await session.execute(statement)).one_or_none() is None:
        return False
    await _add_version(session, consent, step)
    return True


async def replace(session: AsyncSession, before: Consent, after: Consent, step: Move) -> None:
    """Compare-and-set on (id, version, state) and keep the new version in the history.

    Raises MoveError `consent_moved_on` when `before` is not how the consent stands; nothing is written then.
    """
    statement = (
        update(_CONSENT)
        .where(_CONSENT.c.id == before.id)
        .where(_CONSENT.c.version == before.version, _CONSENT.c.state == before.state.value)
        .values(**_moving(after))
        .returning(_CONSENT.c.id)
    )
    if (await session.execute(statement)).one_or_none() is None:
        raise MoveError("consent_moved_on")
    await _add_version(session, after, step)


async def load(session: AsyncSession, consent_id: str, *, lock: bool = False) -> Consent | None:
    """The consent as it stands. With `lock` nobody else can move it until the transaction ends."""
    query = select(_CONSENT).where(_CONSENT.c.id == consent_id)
    return await _one(session, query.with_for_update() if lock else query)


async def of_request(
    session: AsyncSession, request_id: str, subject: SubjectId, *, lock: bool = False
) -> Consent | None:
    """What is on record of one authorization request put before one citizen: waiting, answered or lapsed."""
    query = select(_CONSENT).where(_CONSENT.c.request_id == request_id, _CONSENT.c.subject_id == subject)
    return await _one(session, query.with_for_update() if lock else query)


async def of_subject(
    session: AsyncSession, subject: SubjectId, *, limit: int, before: tuple[int, str] | None = None
) -> list[Consent]:
    """The citizen's newest `limit` consents, refused and ended ones too, newest first.

    `before` is (`created_at`, `id`) of the last one of the page before.
    """
    query = select(_CONSENT).where(_CONSENT.c.subject_id == subject)
    if before is not None:
        query = query.where(tuple_(_CONSENT.c.created_at, _CONSENT.c.id) < before)
    newest = query.order_by(_CONSENT.c.created_at.desc(), _CONSENT.c.id.desc()).limit(limit)
    return [decode(row) for row in (await session.execute(newest)).mappings()]


async def open_of_subject(session: AsyncSession, subject: SubjectId, at: int) -> list[Consent]:
    """The citizen's consents that are in force or paused at `at`; however many have ended, none is read.

    A hundred at a time, in the order of the index: a store that has to guess how many of the past look alike
    would else rather read them all.
    """
    found: list[Consent] = []
    query = select(_CONSENT).where(_CONSENT.c.subject_id == subject, OPEN)
    query, after = query.order_by(_CONSENT.c.end_at, _CONSENT.c.id).limit(_MANY), (at + 1, "")
    while True:
        some = query.where(tuple_(_CONSENT.c.end_at, _CONSENT.c.id) > after)
        rows = (await session.execute(some)).mappings().all()
        found += map(decode, rows)
        if len(rows) < _MANY:
            return found
        after = (rows[-1]["end_at"], rows[-1]["id"])


async def history(session: AsyncSession, consent_id: str) -> list[Consent]:
    """Every version of the consent, oldest first; they are few, for each takes something away."""
    now = await load(session, consent_id)
    return [] if now is None else await versions_of(session, now)


async def versions_of(session: AsyncSession, now: Consent) -> list[Consent]:
    """Every version of a consent that stands as `now`, oldest first."""
    query = select(_VERSION).where(_VERSION.c.consent_id == now.id).order_by(_VERSION.c.version)
    rows = (await session.execute(query)).mappings().all()
    return [
        evolve(
            now,
            state=State(row["state"]),
            version=row["version"],
            terms=_terms(row["terms"]),
            text_hash=row["text_hash"],
            language=row["language"],
            changed_at=row["at"],
            by=By(row["by"]),
            why=row["why"],
        )
        for row in rows
    ]


async def steps_of(session: AsyncSession, now: Consent) -> list[Step]:
    """Every move of a consent that stands as `now`, oldest first, each with what it was before."""
    every = await versions_of(session, now)
    query = select(_VERSION.c.move).where(_VERSION.c.consent_id == now.id).order_by(_VERSION.c.version)
    moves = (await session.execute(query.limit(len(every)))).scalars().all()
    return [
        Step(Move(move), every[place - 1] if place else None, every[place])
        for place, move in enumerate(moves)
    ]


async def keep_text(session: AsyncSession, text: ShownText, at: int) -> None:
    """Keep a text as it was shown; the same text is kept once."""
    values = {"hash": text.hash, "version": text.version, "language": text.language, "body": text.body}
    await session.execute(insert_or_keep(session, _TEXT, "hash").values(**values, first_at=at))


async def text_shown(session: AsyncSession, text_hash: str) -> ShownText | None:
    """The text with this hash, as it was shown."""
    query = select(_TEXT.c.body, _TEXT.c.version, _TEXT.c.language).where(_TEXT.c.hash == text_hash)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else ShownText(row.body, row.version, row.language)


async def _add_version(session: AsyncSession, consent: Consent, step: Move) -> None:
    await session.execute(
        insert(_VERSION).values(
            consent_id=consent.id,
            version=consent.version,
            move=step.value,
            state=consent.state.value,
            terms=_encode(consent.terms),
            text_hash=consent.text_hash,
            language=consent.language,
            at=consent.changed_at,
            by=consent.by.value,
            why=consent.why,
        )
    )


async def _one(session: AsyncSession, query: Select[Any]) -> Consent | None:
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else decode(row)


def _moving(consent: Consent) -> dict[str, Any]:
    """The columns a move may change."""
    return {
        "state": consent.state.value,
        "version": consent.version,
        "purpose": consent.terms.purpose,
        "start_at": consent.terms.start_at,
        "end_at": consent.terms.end_at,
        "asked": _encode(consent.asked),
        "terms": _encode(consent.terms),
        "text_hash": consent.text_hash,
        "language": consent.language,
        "changed_at": consent.changed_at,
        "by": consent.by.value,
        "why": consent.why,
        "mandate": consent.mandate,
        "verification": consent.verification,
    }


def decode(row: RowMapping) -> Consent:
    """The consent of one row of its table."""
    return Consent(
        id=row["id"],
        subject=SubjectId(row["subject_id"]),
        client_id=row["client_id"],
        request_id=row["request_id"],
        state=State(row["state"]),
        version=row["version"],
        asked=_terms(row["asked"]),
        terms=_terms(row["terms"]),
        text_hash=row["text_hash"],
        language=row["language"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        by=By(row["by"]),
        why=row["why"],
        mandate=row["mandate"],
        verification=row["verification"],
    )


def _encode(terms: Terms) -> bytes:
    return orjson.dumps(to_details(terms))


def _terms(raw: bytes) -> Terms:
    return from_details(orjson.loads(raw))
