"""A citizen's consents, texts and receipts as one signed JSON-LD file of the published profile.

The file is plain JSON-LD; its `proof` is a JWS with detached content (RFC 7515 appendix F) over the canonical
form (RFC 8785) of everything else. It holds what was agreed and what came of it, never a value of the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from consent import profile, receipt_kinds
from consent.canonical import canonical
from consent.changes import Step
from consent.receipt_jws import opened, refuse
from consent.receipt_verify import verify as verify_receipt
from consent.receipts import Facts, Sign, event_of, in_order, instant, text64
from consent.text import ShownText

TYP = "mydata-export+jwt"
SCHEMA, RECORD = "mydata-export/2", "mydata-record/2"
MAX_BYTES = 32_000_000
_MEMBERS = frozenset(
    {"@context", "schema", "issuer", "issued_at", "consents", "texts", "receipts", "receipts_left_out"}
)
_NOT_OF_A_RECORD = ("ledger", "opening", "kind", "issued_at", "event")


def record(
    facts: Facts,
    steps: Sequence[Step],
    text_version: str,
    signatures: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """One consent as a 27560 record: how it stands, every event it has had, the citizen's own signatures."""
    made = receipt_kinds.grant(facts, text_version=text_version)
    events = [
        {
            **event_of(step.after, step.move),
            "version": step.after.version,
            "text_sha256": step.after.text_hash,
            "language": step.after.language,
        }
        for step in steps
    ]
    kept = {name: value for name, value in made.items() if name not in _NOT_OF_A_RECORD}
    return {
        **kept,
        "@type": "ConsentRecord",
        "schema": RECORD,
        "state": facts.consent.state.value,
        "status": profile.status(facts.consent),
        "events": events,
        "signature": [dict(one) for one in signatures] or None,
    }


def document(
    issuer: str,
    at: int,
    records: Sequence[Mapping[str, Any]],
    texts: Sequence[ShownText],
    receipts: Mapping[str, bytes],
    left_out: Sequence[str],
) -> dict[str, Any]:
    """Everything of one citizen at `at` (epoch seconds); `left_out`: consents with more receipts."""
    return {
        "@context": f"{issuer}{profile.CONTEXT}",
        "schema": SCHEMA,
        "issuer": issuer,
        "issued_at": instant(at),
        "consents": [dict(one) for one in records],
        "texts": [
            {"sha256": one.hash, "language": one.language, "version": one.version, "body": one.body}
            for one in texts
        ],
        "receipts": [{"id": id, "receipt": signed.decode("ascii")} for id, signed in receipts.items()],
        "receipts_left_out": list(left_out),
    }


def sign(made: dict[str, Any], sign: Sign) -> bytes:
    """The file: the document with its detached signature."""
    header, _, signature = sign(in_order(made), TYP).split(".")
    signed = {**made, "proof": {"jws": f"{header}..{signature}"}}
    return json.dumps(signed, ensure_ascii=False, indent=1).encode() + b"\n"


def verify(data: bytes, issuer_jwks: Mapping[str, Any], ledger_vkey: str | None = None) -> dict[str, Any]:
    """The document of a file once its signature, every receipt in it and every text's hash held.

    Raises ReceiptError. Keys as in `consent.receipt_verify.verify`.
    """
    if len(data) >= MAX_BYTES:
        refuse("receipt_too_large", f"{MAX_BYTES} bytes or more")
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once)
        header, _, signature = found.pop("proof")["jws"].split(".")
        compact = f"{header}.{text64(canonical(found))}.{signature}".encode("ascii")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        refuse("receipt_unreadable", "not an export file")
    made = opened(compact, issuer_jwks, typ=TYP, limit=2 * MAX_BYTES)
    if set(made) != _MEMBERS or made["schema"] != SCHEMA:
        refuse("receipt_invalid", "not an export of this schema")
    for one in made["texts"]:
        if ShownText(one["body"], one["version"], one["language"]).hash != one["sha256"]:
            refuse("receipt_invalid", "a text is not the one its hash names")
    for one in made["receipts"]:
        verify_receipt(one["receipt"].encode(), issuer_jwks, ledger_vkey)
    return made


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names each stand once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found
