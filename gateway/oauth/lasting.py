"""What grants and refresh tokens do when their consent is paused, resumed or renewed: they follow it.

A paused consent refuses at every door by its state alone (`LiveConsent.refusal`); that uses no refresh token
up. It follows the version, so that the same refresh token goes on once the consent was resumed;
an access token made before the pause names an older version and stays dead.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.items import to_details
from consent.records import Consent
from gateway.oauth.grants import GRANTS, REFRESH, follow_consent


async def follow(session: AsyncSession, consent: Consent) -> None:
    """Let every living grant of `consent` follow it to its new version, in the transaction that moved it.

    Refresh tokens then end with the consent's present end: a renewal carries them along, for at most the
    longest period of the purpose. The caller holds the consent and has entered the move (lock order:
    `gateway.oauth.endings`).
    """
    at, details = consent.changed_at, to_details(consent.terms)
    await follow_consent(session, consent.id, consent.version, details, at=at)
    mine = select(GRANTS.c.id).where(GRANTS.c.consent_id == consent.id, GRANTS.c.revoked_at.is_(None))
    living = REFRESH.c.grant_id.in_(mine) & REFRESH.c.revoked_at.is_(None)
    await session.execute(update(REFRESH).where(living).values(expires_at=consent.terms.end_at))
