"""Under whose mandate the consent of a transfer was given, as policy asks it (PIPA 22-2)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent import mandates
from consent.catalogue import Catalogue
from consent.mandates import Power, Role
from consent.records import Consent
from gateway.policy import question as q


def sectors_of(consent: Consent, catalogue: Catalogue) -> frozenset[str]:
    """The sectors a consent reaches into."""
    return frozenset(catalogue.dataset(item.dataset).sector for item in consent.terms.items)


async def acting_of(session: AsyncSession, consent: Consent, catalogue: Catalogue) -> q.Acting | None:
    """Who said the yes that holds, if not the citizen; None when the citizen did.

    The mandate is proven when it is on record; a delegate's covers the purpose when it covers answering in
    every sector. A delegate agrees to nothing sensitive without proving anew who they are (`gateway.web`), so
    the step-up stands with the yes.
    """
    if consent.mandate is None:
        return None
    found = await mandates.find(session, consent.mandate)
    if found is None or found.subject != consent.subject:
        return q.Acting(role="delegate", verified=False, until=0)
    covers = found.may(Power.ANSWER, sectors_of(consent, catalogue), found.made_at)
    return q.Acting(
        role="guardian" if found.role is Role.GUARDIAN else "delegate",
        verified=True,
        until=found.until if found.ended_at is None else min(found.until, found.ended_at),
        purposes=(consent.terms.purpose,) if covers else (),
        stepped_up=True,
    )
