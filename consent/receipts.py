"""The receipts (동의 확인서) of a grant, of each use, of the ending: what all of them say, and signing.

A compact JWS (ES256, typ `mydata-receipt+jwt`) over canonical JSON that is JSON-LD under the profile
of ISO/IEC TS 27560 (`consent.profile`). It carries the ledger entry, its inclusion proof under a signed
checkpoint, and the opening of this one event, so that it verifies without asking the gateway:
`consent.receipt_verify`. The recipient's copy has no opening: an opening names the entry before it, which is
another party's business. PIPA 35-2, 42-6(11); Kantara CR 1.1.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consent import profile
from consent.canonical import canonical
from consent.receipt_jws import MAX_BYTES, TYP
from consent.receipt_verify import SCHEMA, ReceiptError, verify
from consent.records import Consent, Move
from consent.text import Wording
from consent.text_words import words

__all__ = ["Evidence", "Facts", "House", "ReceiptError", "common", "digest", "instant", "sign", "verify"]

LANGUAGES = ("ko", "en")

Sign = Callable[[dict[str, Any], str], str]
"""Gives the compact ES256 JWS of claims, in the order given, under an explicit `typ` (RFC 8725 3.11)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves the event: its ledger entry at `index`, the inclusion `path` (lowest sibling first) under
    the `checkpoint` note, and the opening of that one entry: the canonical `payload` and its `salt`.
    `payload` None: a recipient's copy, without the opening."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    payload: bytes | None = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class House:
    """Who issues: the public origin, the country it stands and stores in (ISO 3166), the operator."""

    issuer: str
    country: str
    operator_id: str
    operator_name: Mapping[str, str]
    operator_contact: str
    operator_role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a receipt is made from. `consent` is the version it speaks of, `move` what made it that.

    `principal` is the name by which the recipient knows the citizen; `recipient_country` where it is at home.
    """

    id: str
    house: House
    issued_at: datetime
    consent: Consent
    move: Move | None
    principal: str
    recipient_country: str
    wording: Wording
    evidence: Evidence


def common(facts: Facts, kind: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """What a receipt of every kind says: texts and whole numbers only."""
    consent, house, catalogue = facts.consent, facts.house, facts.wording.catalogue
    purpose, ledger = catalogue.purposes[consent.terms.purpose], facts.evidence
    opening = None
    if ledger.payload is not None:
        opening = {"payload": text64(ledger.payload), "salt": text64(ledger.salt)}
    return {
        "@context": f"{house.issuer}{profile.CONTEXT}",
        "@type": "ConsentReceipt",
        "schema": SCHEMA,
        "kind": kind,
        "id": facts.id,
        "issuer": house.issuer,
        "issued_at": instant(int(facts.issued_at.timestamp())),
        "jurisdiction": house.country,
        "language": consent.language,
        "consent": {
            "id": consent.id,
            "version": consent.version,
            "previous_version": consent.version - 1 if consent.version > 1 else None,
            "text_sha256": consent.text_hash,
        },
        "principal": {"id": facts.principal},
        "recipient": _recipient(facts),
        "intermediary": {
            "id": house.operator_id,
            "name": dict(house.operator_name),
            "type": profile.term("entities", "operator"),
            "role": house.operator_role,
            "contact": house.operator_contact,
            "address": {"country": house.country},
        },
        "purpose": {
            "id": purpose.id,
            "name": dict(purpose.name),
            "about": dict(purpose.about),
            "category": profile.term("purposes", purpose.id),
        },
        "event": dict(event),
        "rights": {
            "review_url": f"{house.issuer}/my/consents/{consent.id}",
            "withdraw": {language: words(language)["may_withdraw"] for language in LANGUAGES},
        },
        "ledger": {
            "entry": text64(ledger.entry),
            "index": ledger.index,
            "inclusion": [text64(sibling) for sibling in ledger.path],
            "checkpoint": ledger.checkpoint,
        },
        "opening": opening,
    }


def event_of(consent: Consent, move: Move | None) -> dict[str, Any]:
    """The event that made `consent` this version, as records and receipts say it (TS 27560 event fields)."""
    return {
        "state": consent.state.value,
        "status": profile.status(consent, move),
        "at": instant(consent.changed_at),
        "by": consent.by.value,
        "entity": profile.term("entities", consent.by.value),
        "why": consent.why,
        "method": "web_page" if consent.by.value in ("citizen", "guardian", "delegate") else "system",
    }


def sign(payload: dict[str, Any], sign: Sign) -> bytes:
    """The signed receipt, over exactly the canonical bytes of `payload`.

    Raises ReceiptError `receipt_not_canonical` when the signer wrote anything else, or `receipt_too_large`.
    """
    receipt = sign(in_order(payload), TYP).encode("ascii")
    if receipt.split(b".")[1] != text64(canonical(payload)).encode():
        raise ReceiptError("receipt_not_canonical")
    if len(receipt) >= MAX_BYTES:
        raise ReceiptError("receipt_too_large", limit=MAX_BYTES)
    return receipt


def digest(receipt: bytes) -> str:
    """The name of a signed receipt in manifests and ledger: `sha256:` and hex."""
    return "sha256:" + hashlib.sha256(receipt).hexdigest()


def instant(seconds: int) -> str:
    """Epoch seconds as records and receipts write them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def in_order(value: Any) -> Any:
    """The same JSON with members in canonical order, for signers that keep the order given."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(inner) for inner in value] if isinstance(value, list) else value


def _recipient(facts: Facts) -> dict[str, Any]:
    client = facts.wording.client
    return {
        "id": client.id,
        "name": dict(client.name or {}),
        "legal_name": client.legal_name,
        "registration": client.registration,
        "contact": client.contact,
        "type": profile.term("entities", "recipient"),
        "address": {"country": facts.recipient_country},
    }
