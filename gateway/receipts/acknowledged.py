"""Who has acknowledged an ending and what became of the data, as a termination receipt says it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent import deletion, endings
from consent.endings import Kind
from consent.receipt_kinds import Acknowledgement
from consent.records import Consent


async def acknowledgements(session: AsyncSession, ended: Consent) -> list[Acknowledgement]:
    """How far each party of an ended consent is.

    A holder keeps its own data, so nothing of it is to be deleted on an ending. The recipient's certificate
    is what it says of itself; nobody else can see whether it deleted.
    """
    instruction = await deletion.of_consent(session, ended.id)
    recipient = "not_asked"
    if instruction is not None:
        recipient = "instructed" if instruction.certificate is None else "certified"
    return [
        Acknowledgement(
            party=one.party,
            role=one.kind.value,
            at=one.answered_at,
            deletion=recipient if one.kind is Kind.RECIPIENT else "not_applicable",
        )
        for one in await endings.parties(session, ended.id)
    ]
