"""Which bundles were ever made under a consent, whether their bytes are still kept or not."""

from __future__ import annotations

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.transfers.tables import BundleRow

MOST = 500
_BUNDLE: Table = BundleRow.__table__  # type: ignore[attr-defined]


async def bundles_of(session: AsyncSession, consent_id: str) -> list[str]:
    """The ids of the newest `MOST` bundles of one consent, the newest first."""
    query = select(_BUNDLE.c.id).where(_BUNDLE.c.consent_id == consent_id)
    newest = query.order_by(_BUNDLE.c.created_at.desc(), _BUNDLE.c.id.desc()).limit(MOST)
    return list((await session.execute(newest)).scalars())
