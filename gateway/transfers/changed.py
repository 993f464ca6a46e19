"""What becomes of transfers when the consent they were made under changes, or is paused.

A transfer under way was decided for the version before, so it ends and may be asked for anew. A bundle that
waits to be fetched stays only if all that is in it is still agreed to; else its sealed bytes are deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.items import Item, Terms, bounded
from consent.records import Consent
from consent.tightening import rows_inside
from gateway.transfers.states import UNFINISHED, State
from gateway.transfers.tables import BundleRow, TransferRow

REASON = "consent_changed"

_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]
_BUNDLE: Table = BundleRow.__table__  # type: ignore[attr-defined]


async def fit(session: AsyncSession, consent: Consent, now: int, why: str = REASON) -> Sequence[str]:
    """In the transaction that changed `consent`: what does not fit it goes; which transfers ended.

    What waits to be fetched under a paused consent stays; the door gives it out when it was resumed.
    """
    ended = await session.execute(
        update(_TRANSFER)
        .where(_TRANSFER.c.consent_id == consent.id, _TRANSFER.c.state.in_(UNFINISHED))
        .values(state=State.CANCELLED, reason=why, changed_at=now)
        .returning(_TRANSFER.c.id)
    )
    called_off: Sequence[str] = ended.scalars().all()
    joined = _BUNDLE.join(_TRANSFER, _TRANSFER.c.id == _BUNDLE.c.transfer_id)
    waiting = select(_BUNDLE.c.id, _TRANSFER.c.id, _TRANSFER.c.outcome).select_from(joined)
    kept = (_BUNDLE.c.consent_id == consent.id) & (_BUNDLE.c.sealed != b"")
    gone = [
        bundle
        for bundle, transfer, outcome in await session.execute(waiting.where(kept))
        if transfer in called_off or not sealed_within(outcome, consent.terms)
    ]
    if gone:
        emptied = update(_BUNDLE).where(_BUNDLE.c.id.in_(gone))
        await session.execute(emptied.values(sealed=b"", expires_at=now))
    return called_off


def sealed_within(outcome: bytes | None, terms: Terms) -> bool:
    """Whether everything a transfer with this outcome sealed is in `terms`, fields and rows."""
    for one in orjson.loads(outcome or b"[]"):
        item = terms.item(one["item"])
        if not set(one["sent"]) <= set(item.fields if item else ()):
            return False
        if one["sent"] and item is not None and not _rows_within(one.get("rows") or {}, item):
            return False
    return True


def _rows_within(sealed: dict[str, Any], item: Item) -> bool:
    """Whether rows sealed under these bounds are among those `item` lets through now."""
    return rows_inside(bounded(item, sealed), item)
