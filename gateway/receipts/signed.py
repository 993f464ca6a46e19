"""A citizen's own signature, kept as what its ledger entry commits to: sealed under the citizen's key.

The log holds the commitment, the sealed opening the signature itself; it is erased with the citizen's record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal, payload_context
from consent.ledger_tables import PAYLOAD
from consent.receipts import instant
from consent.records import Consent
from consent.signatures import Signed
from consent.subjects import SubjectError

FORMAT = "jws"


@dataclass(frozen=True, slots=True)
class Kept:
    """A signature as it was kept: the JWS, its hash and its certificate's (hex), when it came (epoch)."""

    jws: str
    sha256: str
    certificate_sha256: str
    algorithm: str
    at: int

    def told(self) -> dict[str, Any]:
        """What receipts say of it: nothing of the certificate, which names the citizen."""
        return {
            "format": FORMAT,
            "algorithm": self.algorithm,
            "sha256": self.sha256,
            "at": instant(self.at),
        }

    def whole(self) -> dict[str, Any]:
        """What the citizen's own export says of it."""
        return {**self.told(), "jws": self.jws, "certificate_sha256": self.certificate_sha256}


async def keep(session: AsyncSession, journal: Journal, consent: Consent, signed: Signed, at: int) -> None:
    """Enter the signature of this version, in the caller's transaction. The first one stays."""
    await journal.append(
        session,
        Event.CONSENT_SIGNATURE_ADDED,
        subject=consent.subject,
        party=consent.client_id,
        payload={
            "consent": consent.id,
            "version": consent.version,
            "text_sha256": consent.text_hash,
            "format": FORMAT,
            "algorithm": signed.algorithm,
            "signature": signed.jws,
            "signature_sha256": signed.sha256,
            "certificate_sha256": signed.certificate_sha256,
            "at": at,
        },
        at=at,
        idem=_idem(consent),
    )


async def kept(session: AsyncSession, journal: Journal, consent: Consent) -> Kept | None:
    """The signature of this version, if the citizen signed it and was not erased."""
    query = select(PAYLOAD.c.n, PAYLOAD.c.body).where(PAYLOAD.c.idem == _idem(consent))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    try:
        key = await journal.keys.key(session, consent.subject)
    except SubjectError:
        return None
    body = orjson.loads(key.unseal(row.body, payload_context(consent.subject, row.n)))["body"]
    return Kept(
        body["signature"], body["signature_sha256"], body["certificate_sha256"], body["algorithm"], body["at"]
    )


def _idem(consent: Consent) -> str:
    return f"{Event.CONSENT_SIGNATURE_ADDED.value}/{consent.id}/{consent.version}"
