"""The facts of a span of time from the records: versions of consents, pulls, bundles."""

from __future__ import annotations

import orjson
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.items import from_details
from consent.records import Move, State
from consent.tables import OPEN, ConsentRow, ConsentVersionRow, tables_of
from gateway.statistics.facts import Call, Facts, Moved, Sent
from gateway.transfers.calls import HolderCallRow
from gateway.transfers.tables import BundleRow, TransferRow

_CONSENT, _VERSION = tables_of(ConsentRow, ConsentVersionRow)
_CALL, _BUNDLE, _TRANSFER = tables_of(HolderCallRow, BundleRow, TransferRow)


async def facts(session: AsyncSession, begin: int, end: int) -> Facts:
    """The facts of `begin` <= t < `end` (epoch seconds), with the past of consents in force meanwhile."""
    return Facts.of(
        await _moves(session, begin, end), await _calls(session, begin, end), await _sent(session, begin, end)
    )


async def _moves(session: AsyncSession, begin: int, end: int) -> list[Moved]:
    living = select(_CONSENT.c.id, _CONSENT.c.client_id, _CONSENT.c.subject_id)
    living = living.where(_CONSENT.c.created_at < end, or_(OPEN, _CONSENT.c.changed_at >= begin))
    consents = living.subquery("living")
    query = (
        select(
            _VERSION.c.at,
            _VERSION.c.consent_id,
            _VERSION.c.version,
            _VERSION.c.move,
            _VERSION.c.state,
            _VERSION.c.terms,
            consents.c.client_id,
            consents.c.subject_id,
        )
        .join_from(_VERSION, consents, consents.c.id == _VERSION.c.consent_id)
        .where(_VERSION.c.at < end)
    )
    found = []
    for row in (await session.execute(query)).all():
        terms = from_details(orjson.loads(row.terms))
        found.append(
            Moved(
                at=row.at,
                consent=row.consent_id,
                version=row.version,
                client=row.client_id,
                move=Move(row.move),
                state=State(row.state),
                subject=row.subject_id,
                holders=terms.holders,
                end_at=terms.end_at,
            )
        )
    return found


async def _calls(session: AsyncSession, begin: int, end: int) -> list[Call]:
    query = select(_CALL).where(_CALL.c.at >= begin, _CALL.c.at < end)
    rows = (await session.execute(query)).all()
    return [Call(row.at, row.holder, row.dataset, row.kind, row.code, row.ms) for row in rows]


async def _sent(session: AsyncSession, begin: int, end: int) -> list[Sent]:
    joined = _BUNDLE.join(_TRANSFER, _TRANSFER.c.id == _BUNDLE.c.transfer_id)
    query = select(_BUNDLE.c.created_at, _TRANSFER.c.client_id, _TRANSFER.c.subject_id).select_from(joined)
    rows = await session.execute(query.where(_BUNDLE.c.created_at >= begin, _BUNDLE.c.created_at < end))
    return [Sent(row.created_at, row.client_id, row.subject_id) for row in rows.all()]
