"""The citizen's receipt (동의 확인서) of a grant: what was agreed, in words, and proof that it was logged.

A compact JWS (ES256, typ `mydata-receipt+jwt`) over canonical JSON. It carries the ledger entry, its
inclusion proof under a signed checkpoint, and the opening of this one event, so that it verifies without
asking the gateway: `consent.receipt_verify`. Fields after ISO/IEC TS 27560 and Kantara 1.1; PIPA 35-2.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consent.canonical import canonical
from consent.items import Item, row_details
from consent.receipt_verify import MAX_BYTES, SCHEMA, TYP, ReceiptError, verify
from consent.records import Consent
from consent.text import Wording
from consent.text_words import words

__all__ = ["Evidence", "Facts", "ReceiptError", "build", "digest", "sign", "verify"]

LANGUAGES = ("ko", "en")

Sign = Callable[[dict[str, Any], str], str]
"""Gives the compact ES256 JWS of claims, in the order given, under an explicit `typ` (RFC 8725 3.11)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves the grant: its ledger entry at `index`, the inclusion `path` (lowest sibling first) under
    the `checkpoint` note, and the opening of that one entry: the canonical `payload` and its `salt`."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    payload: bytes = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a receipt is made from. `review_url` is where the citizen reviews and withdraws the consent."""

    id: str
    issuer: str
    issued_at: datetime
    consent: Consent
    wording: Wording
    review_url: str
    evidence: Evidence


def build(facts: Facts) -> dict[str, Any]:
    """The payload of the receipt: texts and whole numbers only. CatalogueError for an unknown item."""
    consent, client, catalogue = facts.consent, facts.wording.client, facts.wording.catalogue
    purpose, terms = catalogue.purposes[consent.terms.purpose], consent.terms
    return {
        "schema": SCHEMA,
        "kind": "grant",
        "id": facts.id,
        "issuer": facts.issuer,
        "issued_at": facts.issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "jurisdiction": "KR",
        "language": consent.language,
        "consent": {"id": consent.id, "version": consent.version, "text_sha256": consent.text_hash},
        "recipient": {
            "id": client.id,
            "name": dict(client.name or {}),
            "legal_name": client.legal_name,
            "registration": client.registration,
            "contact": client.contact,
        },
        "purpose": {"id": purpose.id, "name": dict(purpose.name), "about": dict(purpose.about)},
        "start": terms.start.isoformat(),
        "end": terms.end.isoformat(),
        "retention": terms.retention,
        "items": [_item(item, consent, facts.wording) for item in terms.items],
        "rights": {
            "review_url": facts.review_url,
            "withdraw": {language: words(language)["may_withdraw"] for language in LANGUAGES},
        },
        "ledger": {
            "entry": _text(facts.evidence.entry),
            "index": facts.evidence.index,
            "inclusion": [_text(sibling) for sibling in facts.evidence.path],
            "checkpoint": facts.evidence.checkpoint,
        },
        "opening": {"payload": _text(facts.evidence.payload), "salt": _text(facts.evidence.salt)},
    }


def sign(payload: dict[str, Any], sign: Sign) -> bytes:
    """The signed receipt, over exactly the canonical bytes of `payload`.

    Raises ReceiptError `receipt_not_canonical` when the signer wrote anything else, or `receipt_too_large`.
    """
    receipt = sign(_sorted(payload), TYP).encode("ascii")
    if receipt.split(b".")[1] != _text(canonical(payload)).encode():
        raise ReceiptError("receipt_not_canonical")
    if len(receipt) >= MAX_BYTES:
        raise ReceiptError("receipt_too_large", limit=MAX_BYTES)
    return receipt


def digest(receipt: bytes) -> str:
    """The name of a signed receipt in manifests and ledger: `sha256:` and hex."""
    return "sha256:" + hashlib.sha256(receipt).hexdigest()


def _item(item: Item, consent: Consent, wording: Wording) -> dict[str, Any]:
    dataset, holder = wording.catalogue.dataset(item.dataset), wording.holders[item.holder]
    basis = wording.catalogue.legal_basis(dataset.sector, max(wording.today, consent.terms.start))
    return {
        "holder": {"id": holder.id, "name": dict(holder.name)},
        "dataset": {"id": dataset.id, "name": dict(dataset.name)},
        "fields": [{"id": name, "name": dict(dataset.fields[name].name)} for name in item.fields],
        "required": item.required,
        "frequency": item.frequency,
        "history_from": item.history_from.isoformat(),
        **row_details(item),
        "basis": basis.basis,
        "article": basis.article,
    }


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _sorted(value: Any) -> Any:
    """The same JSON with members in canonical order, for signers that keep the order given."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value
