"""The citizen's instruction to a recipient to delete what it received, and the recipient's signed answer.

An answer is a statement of the recipient, kept as it came; nobody here can prove that something was deleted.
Everything runs in the caller's transaction, the consent held under lock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.ending_tables import DeletionInstructionRow
from consent.endings import Patience, enter_about
from consent.errors import MoveError
from consent.events import Event
from consent.moving import Journal
from consent.records import Consent, State
from consent.repository import insert_or_keep
from consent.tables import table_of

_TABLE = table_of(DeletionInstructionRow)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. Instants are epoch seconds; `certificate` is the compact JWS, None until it came."""

    id: str
    consent_id: str
    party: str
    asked_at: int
    deadline_at: int
    certificate: str | None = None
    certificate_sha256: str | None = None
    certified_at: int | None = None

    def silent(self, at: int) -> bool:
        """Whether the recipient let the deadline pass without an answer."""
        return self.certificate is None and at >= self.deadline_at


def _new_id() -> str:
    return "d-" + secrets.token_hex(15)


async def instruct(
    session: AsyncSession,
    journal: Journal,
    consent: Consent,
    patience: Patience,
    *,
    at: int,
    new_id: Callable[[], str] = _new_id,
) -> Instruction:
    """The citizen instructs the recipient of an ended consent to delete; saying it twice is once.

    Raises MoveError `consent_not_ended` while data may still flow, or when none ever could.
    """
    if not consent.ended or consent.state is State.REFUSED:
        raise MoveError("consent_not_ended")
    values = {"id": new_id(), "consent_id": consent.id, "party": consent.client_id}
    times = {"asked_at": at, "deadline_at": at + patience.deletion}
    made = insert_or_keep(session, _TABLE, "consent_id", "party").values(**values, **times)
    if (await session.execute(made.returning(_TABLE.c.id))).one_or_none() is not None:
        event, told = Event.DELETION_INSTRUCTION_GIVEN, {"instruction": values["id"]}
        await enter_about(session, journal, consent, event, dict(told), at=at)
    found = await of_consent(session, consent.id)
    if found is None:
        raise MoveError("deletion_not_instructed")
    return found


async def of_consent(session: AsyncSession, consent_id: str) -> Instruction | None:
    """The instruction about one consent; there is at most one, for a consent has one recipient."""
    query = select(_TABLE).where(_TABLE.c.consent_id == consent_id)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else _decode(row)


async def certify(
    session: AsyncSession,
    journal: Journal,
    consent: Consent,
    instruction: Instruction,
    certificate: str,
    *,
    at: int,
) -> Instruction:
    """Keep the recipient's verified `certificate`; its hash goes into the ledger.

    The same one again changes nothing. Raises MoveError `deletion_certified` for another one: what was
    stated first stands.
    """
    if instruction.certificate is not None:
        if instruction.certificate != certificate:
            raise MoveError("deletion_certified")
        return instruction
    digest = hashlib.sha256(certificate.encode()).hexdigest()
    told: dict[str, object] = {"instruction": instruction.id, "certificate_sha256": digest}
    event = Event.DELETION_CERTIFICATE_RECEIVED
    await enter_about(session, journal, consent, event, told, at=at)
    kept = update(_TABLE).where(_TABLE.c.id == instruction.id, _TABLE.c.certificate.is_(None))
    await session.execute(kept.values(certificate=certificate, certificate_sha256=digest, certified_at=at))
    return await of_consent(session, consent.id) or instruction


def _decode(row: RowMapping) -> Instruction:
    return Instruction(**{name: row[name] for name in Instruction.__slots__})
