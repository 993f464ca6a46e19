"""The record of a consent goes as one, years after its end: transfers first, each whole, the consent last.

A long record takes several transactions. Between them every transfer that is left is complete, and so is the
consent above it: no row ever names one that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, Table, TextClause, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.ending_tables import DeletionInstructionRow, EndingPartyRow
from consent.tables import (
    OPEN,
    OVER,
    ConsentRow,
    ConsentVersionRow,
    TransferItemOutcomeRow,
    table_of,
    tables_of,
)
from gateway.policy.tables import PolicyDecisionRow
from gateway.retention.batch import Batch
from gateway.retention.citizens import drop_links
from gateway.retention.grants import forget_of_consents
from gateway.retention.schedule import due
from gateway.transfers.tables import UNDER_WAY, BundleRow, HolderNoticeRow, TransferRow

CONSENTS_AT_ONCE = 20
TRANSFERS_AT_ONCE = 100

_CONSENT, _VERSION, _OUTCOME = tables_of(ConsentRow, ConsentVersionRow, TransferItemOutcomeRow)
_TRANSFER, _BUNDLE, _NOTICE = tables_of(TransferRow, BundleRow, HolderNoticeRow)
_DECISION = table_of(PolicyDecisionRow)
_PARTY, _INSTRUCTION = tables_of(EndingPartyRow, DeletionInstructionRow)


async def forget_consents(session: AsyncSession, now: int) -> Batch:
    """End the records whose time is over: one bounded part of them, oldest consents first."""
    consents = await _ended(session, due("consent", now))
    if not consents:
        return Batch(0, False)
    for table, name in ((_TRANSFER, _TRANSFER.c.id), (_DECISION, _DECISION.c.request_id)):
        if gone := await _requests(session, table, name, consents):
            return Batch(gone, True)
    for child in (_OUTCOME, _NOTICE, _PARTY, _INSTRUCTION, _VERSION):
        await session.execute(delete(child).where(child.c.consent_id.in_(consents)))
    await forget_of_consents(session, consents, now)
    last = delete(_CONSENT).where(_CONSENT.c.id.in_(consents)).returning(_CONSENT.c.subject_id)
    subjects = set((await session.execute(last)).scalars())
    await drop_links(session, sorted(subjects), due("holder_link", now))
    return Batch(len(consents), True)


async def _ended(session: AsyncSession, before: int) -> Sequence[str]:
    """Consents that ended at or before `before` and let nobody wait, held against other processes."""
    found: list[str] = []
    for part, when in ((OVER, _CONSENT.c.changed_at), (OPEN, _CONSENT.c.end_at)):
        oldest = _settled(part, when, before).limit(CONSENTS_AT_ONCE - len(found))
        locked = oldest.with_for_update(of=_CONSENT, skip_locked=True)
        found += (await session.execute(locked)).scalars().all()
    return found


def _settled(part: TextClause, when: ColumnElement[int], before: int) -> Select[str]:
    """Consents with no transfer under way and no holder still to be told."""
    running = exists().where(_TRANSFER.c.consent_id == _CONSENT.c.id, UNDER_WAY)
    untold = exists().where(_NOTICE.c.consent_id == _CONSENT.c.id, _NOTICE.c.state == "waiting")
    query = select(_CONSENT.c.id).where(part, when <= before, ~running, ~untold)
    return query.order_by(when, _CONSENT.c.id)


async def _requests(
    session: AsyncSession, table: Table, name: ColumnElement[str], consents: Sequence[str]
) -> int:
    """Delete requests for transfers under `consents` with all that was kept of each; how many.

    A transfer and the decision that allowed it have one name; a refused request left a decision only.
    """
    query = select(name).where(table.c.consent_id.in_(consents)).order_by(name).limit(TRANSFERS_AT_ONCE)
    requests = (await session.execute(query)).scalars().all()
    if requests:
        await session.execute(delete(_OUTCOME).where(_OUTCOME.c.transfer_id.in_(requests)))
        await session.execute(delete(_BUNDLE).where(_BUNDLE.c.transfer_id.in_(requests)))
        await session.execute(delete(_DECISION).where(_DECISION.c.request_id.in_(requests)))
        await session.execute(delete(_TRANSFER).where(_TRANSFER.c.id.in_(requests)))
    return len(requests)
