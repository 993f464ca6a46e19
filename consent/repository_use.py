"""All SQL of what became of each item in each transfer. Never commits."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from consent.tables import TransferItemOutcomeRow, table_of
from consent.usage import ItemOutcome

_OUTCOME = table_of(TransferItemOutcomeRow)


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


async def of_consent(session: AsyncSession, consent_id: str) -> list[ItemOutcome]:
    """Every recorded outcome under one consent, newest first."""
    query = select(_OUTCOME).where(_OUTCOME.c.consent_id == consent_id)
    rows = await session.execute(query.order_by(_OUTCOME.c.at.desc(), _OUTCOME.c.item))
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
        )
        for row in rows.mappings()
    ]
