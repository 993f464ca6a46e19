"""Who has acknowledged an ending, as a termination receipt says it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent.receipt_kinds import Acknowledgement
from consent.records import Consent
from gateway.transfers import repository


async def acknowledgements(session: AsyncSession, ended: Consent) -> list[Acknowledgement]:
    """How far each holder that was told of the ending is; `ended` is the version that ended.

    A holder keeps its own data, so nothing of it is to be deleted on an ending.
    """
    notices = await repository.notices_of(session, ended.id)
    return [
        Acknowledgement(
            party=one.holder,
            role="holder",
            at=one.next_at if one.state == "acknowledged" else None,
            deletion="not_applicable",
        )
        for one in notices
        if one.version == ended.version
    ]
