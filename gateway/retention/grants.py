"""Grants that have been dead for long: they go with everything that was issued under them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.grants import GRANTS, REFRESH
from gateway.oauth.recognition import RECOGNITIONS
from gateway.oauth.tables import REVOKED
from gateway.retention.batch import Batch
from gateway.retention.schedule import due

GRANTS_AT_ONCE = 100


async def forget_revoked(session: AsyncSession, now: int) -> Batch:
    """Delete grants that were revoked long ago, oldest first."""
    ended = select(GRANTS.c.id).where(REVOKED, GRANTS.c.revoked_at <= due("oauth_grant", now))
    oldest = ended.order_by(GRANTS.c.revoked_at, GRANTS.c.id).limit(GRANTS_AT_ONCE)
    taken = (await session.execute(oldest.with_for_update(skip_locked=True))).scalars().all()
    return Batch(await _delete(session, taken), len(taken) == GRANTS_AT_ONCE)


async def forget_of_consents(session: AsyncSession, consents: Sequence[str], _due: int) -> int:
    """Delete the grants that still stand on consents which ended long ago; how many."""
    query = select(GRANTS.c.id).where(GRANTS.c.consent_id.in_(consents)).order_by(GRANTS.c.id)
    return await _delete(session, (await session.execute(query.with_for_update())).scalars().all())


async def _delete(session: AsyncSession, grants: Sequence[str]) -> int:
    """Children first: at no moment does a refresh token name a grant that is gone."""
    if grants:
        await session.execute(delete(REFRESH).where(REFRESH.c.grant_id.in_(grants)))
        await session.execute(delete(RECOGNITIONS).where(RECOGNITIONS.c.grant_id.in_(grants)))
        await session.execute(delete(GRANTS).where(GRANTS.c.id.in_(grants)))
    return len(grants)
