"""All SQL of what became of each item in each transfer. Never commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Select, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from consent.tables import SENT, ConsentRow, TransferItemOutcomeRow, tables_of
from consent.usage import ItemOutcome

_CONSENT, _OUTCOME = tables_of(ConsentRow, TransferItemOutcomeRow)


async def record(session: AsyncSession, outcomes: Iterable[ItemOutcome]) -> None:
    """Store outcomes; one that its transfer has recorded for the same item already stays as it is."""
    for outcome in outcomes:
        await session.execute(
            insert_or_keep(session, _OUTCOME, "transfer_id", "item").values(
                consent_id=outcome.consent_id,
                transfer_id=outcome.transfer_id,
                item=outcome.item,
                asked=orjson.dumps(outcome.asked).decode(),
                sent=orjson.dumps(outcome.sent).decode(),
                withheld=orjson.dumps(dict(outcome.withheld)).decode(),
                records=outcome.records,
                outcome=outcome.outcome,
                reason=outcome.reason,
                article=outcome.article,
                at=outcome.at,
            )
        )


async def received(session: AsyncSession, transfer_id: str, at: int) -> None:
    """The recipient fetched what was sent, at `at` (epoch seconds). The first time stays."""
    mine = (_OUTCOME.c.transfer_id == transfer_id) & _OUTCOME.c.received_at.is_(None)
    await session.execute(update(_OUTCOME).where(mine, SENT).values(received_at=at))


async def of_consent(session: AsyncSession, consent_id: str) -> list[ItemOutcome]:
    """Every recorded outcome under one consent, newest first. Grows with use: not for the doors."""
    query = select(_OUTCOME).where(_OUTCOME.c.consent_id == consent_id)
    return await _outcomes(session, query.order_by(_OUTCOME.c.at.desc(), _OUTCOME.c.item))


async def of_transfers(session: AsyncSession, transfer_ids: Sequence[str]) -> list[ItemOutcome]:
    """Every recorded outcome of the named transfers, newest first."""
    query = select(_OUTCOME).where(_OUTCOME.c.transfer_id.in_(transfer_ids))
    return await _outcomes(session, query.order_by(_OUTCOME.c.at.desc(), _OUTCOME.c.item))


async def transfers_before(
    session: AsyncSession, consent_id: str, *, limit: int, before: tuple[int, str] | None = None
) -> list[tuple[int, str]]:
    """The newest `limit` transfers of a consent with outcomes, as (epoch seconds, transfer id), newest first.

    `before` is the last one of the page before.
    """
    query = select(_OUTCOME.c.at, _OUTCOME.c.transfer_id).distinct()
    query = query.where(_OUTCOME.c.consent_id == consent_id)
    if before is not None:
        query = query.where(tuple_(_OUTCOME.c.at, _OUTCOME.c.transfer_id) < before)
    newest = query.order_by(_OUTCOME.c.at.desc(), _OUTCOME.c.transfer_id.desc()).limit(limit)
    return [(row.at, row.transfer_id) for row in await session.execute(newest)]


async def latest(session: AsyncSession, consent_id: str, item: str) -> ItemOutcome | None:
    """What became of one item when it was last asked for."""
    query = select(_OUTCOME).where(_OUTCOME.c.consent_id == consent_id, _OUTCOME.c.item == item)
    found = await _outcomes(session, query.order_by(_OUTCOME.c.at.desc(), _OUTCOME.c.transfer_id).limit(1))
    return found[0] if found else None


async def last_sent(session: AsyncSession, consent_ids: Sequence[str]) -> dict[str, int]:
    """By consent: when anything was last sent (epoch seconds); one under which nothing was is left out."""
    mine = select(_OUTCOME.c.at).where(_OUTCOME.c.consent_id == _CONSENT.c.id, SENT)
    last = mine.order_by(_OUTCOME.c.at.desc()).limit(1).scalar_subquery()
    rows = await session.execute(select(_CONSENT.c.id, last).where(_CONSENT.c.id.in_(consent_ids)))
    return {row[0]: row[1] for row in rows if row[1] is not None}


async def moments(
    session: AsyncSession, consent_id: str, outcomes: Collection[str]
) -> dict[str, tuple[int, ...]]:
    """By item: when (epoch seconds) it came out as one of `outcomes` under one consent."""
    query = select(_OUTCOME.c.item, _OUTCOME.c.at).where(_OUTCOME.c.consent_id == consent_id)
    found: dict[str, list[int]] = {}
    for row in await session.execute(query.where(_OUTCOME.c.outcome.in_(outcomes))):
        found.setdefault(row.item, []).append(row.at)
    return {item: tuple(at) for item, at in found.items()}


async def _outcomes(session: AsyncSession, query: Select[Any]) -> list[ItemOutcome]:
    return [
        ItemOutcome(
            consent_id=row["consent_id"],
            transfer_id=row["transfer_id"],
            item=row["item"],
            asked=tuple(orjson.loads(row["asked"])),
            sent=tuple(orjson.loads(row["sent"])),
            withheld=orjson.loads(row["withheld"]),
            records=row["records"],
            outcome=row["outcome"],
            reason=row["reason"],
            article=row["article"],
            at=row["at"],
            received_at=row["received_at"],
        )
        for row in (await session.execute(query)).mappings()
    ]
