"""Checks a receipt offline: who signed it, that it is canonical, and that the ledger holds what it says.

Strict: known members only. The entry, its opening and what stands in words must all say the same; with the
log's key, the proof must lead to a signed checkpoint. Without that key a receipt shows only what the gateway
signed; without an opening (a recipient's copy) only kind, party and time are held against the entry.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from consent.events import Event
from consent.ledger.checkpoint import open_note
from consent.ledger.entry import Entry, decode
from consent.ledger.errors import LedgerFormatError
from consent.ledger.proof import verify_inclusion
from consent.ledger.shards import key_named
from consent.ledger.tree import leaf_hash
from consent.receipt_jws import MAX_BYTES, TYP, ReceiptError, json_object, opened, refuse, unb64url

__all__ = ["MAX_BYTES", "SCHEMA", "TYP", "ReceiptError", "details", "verify"]

SCHEMA = "mydata-receipt/2"
_COMMON = frozenset(
    {
        *("@context", "@type", "schema", "kind", "id", "issuer", "issued_at", "jurisdiction", "language"),
        *("consent", "principal", "recipient", "intermediary", "purpose", "event", "rights"),
        *("ledger", "opening"),
    }
)
_GRANT = frozenset({"start", "end", "storage", "notice", "controllers", "processing", "items", "signature"})
MEMBERS: Mapping[str, frozenset[str]] = {
    "grant": _COMMON | _GRANT,
    "use": _COMMON | {"bundle", "items"},
    "termination": _COMMON | {"ending"},
}
"""What a receipt of each kind has: all of it, and nothing else."""
KINDS: Mapping[str, frozenset[str]] = {
    "grant": frozenset(
        {
            Event.CONSENT_GRANT_GIVEN.value,
            Event.CONSENT_GRANT_NARROWED.value,
            Event.CONSENT_GRANT_AMENDED.value,
            Event.CONSENT_GRANT_RENEWED.value,
            Event.CONSENT_GRANT_RESUMED.value,
        }
    ),
    "use": frozenset({Event.BUNDLE_RELEASE_SEALED.value}),
    "termination": frozenset(
        {
            Event.CONSENT_REQUEST_REFUSED.value,
            Event.CONSENT_REQUEST_LAPSED.value,
            Event.CONSENT_GRANT_WITHDRAWN.value,
            Event.CONSENT_GRANT_REVOKED.value,
            Event.CONSENT_GRANT_EXPIRED.value,
            Event.CONSENT_GRANT_INVALIDATED.value,
        }
    ),
}
"""What the ledger entry of a receipt of each kind may be."""


def verify(data: bytes, issuer_jwks: Mapping[str, Any], ledger_vkey: str | None = None) -> dict[str, Any]:
    """The receipt's payload once everything held; ReceiptError otherwise.

    `issuer_jwks` and `ledger_vkey` (C2SP `origin+hash+base64`) MUST come from elsewhere than the receipt.
    Without `ledger_vkey` the entry and its opening are checked, its place in the log is not.
    """
    payload = opened(data, issuer_jwks)
    kind = payload.get("kind")
    known = MEMBERS.get(kind) if isinstance(kind, str) else None
    if known is None or set(payload) != known or payload["schema"] != SCHEMA:
        refuse("receipt_invalid", "not a receipt of this schema")
    try:
        entry = _entry(payload)
        if payload["opening"] is not None:
            _check_opening(payload, entry)
        if ledger_vkey is not None:
            _check_proof(payload["ledger"], ledger_vkey)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, LedgerFormatError):
            refuse("receipt_ledger_invalid", str(error))
        refuse("receipt_invalid", "a member is missing or of another type")
    return payload


def _entry(payload: dict[str, Any]) -> Entry:
    entry = decode(unb64url(payload["ledger"]["entry"]))
    if entry.kind not in KINDS[payload["kind"]] or entry.party != payload["recipient"]["id"]:
        refuse("receipt_ledger_mismatch", "the ledger entry is of another kind or party")
    if payload["event"]["at"] != datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"):
        refuse("receipt_ledger_mismatch", "the ledger entry is of another time")
    return entry


def _check_opening(payload: dict[str, Any], entry: Entry) -> None:
    """The opening fits the entry's commitment and says what the receipt says in words."""
    said_bytes, salt = unb64url(payload["opening"]["payload"]), unb64url(payload["opening"]["salt"])
    if not hmac.compare_digest(hmac.digest(salt, said_bytes, hashlib.sha256), entry.commitment):
        refuse("receipt_opening_wrong", "the opening does not fit the ledger entry")
    said = json_object(said_bytes)
    body, consent = said["body"], payload["consent"]
    same = (consent["id"], consent["version"]) == (body["consent"], body["version"])
    if said["event"] != entry.kind or not same or type(consent["version"]) is not int:
        refuse("receipt_ledger_mismatch", "the ledger speaks of another consent")
    _SAYS[payload["kind"]](payload, body)


def _grant_says(payload: dict[str, Any], body: dict[str, Any]) -> None:
    text = (payload["consent"]["text_sha256"], payload["language"])
    if text != (body["text_sha256"], body["language"]):
        refuse("receipt_ledger_mismatch", "the ledger speaks of another text")
    _event_says(payload, body)
    named = all(
        item["dataset"]["id"] == item["terms"]["dataset"]
        and [field["id"] for field in item["fields"]] == item["terms"]["fields"]
        for item in payload["items"]
    )
    if not named or details(payload) != body["authorization_details"]:
        refuse("receipt_ledger_mismatch", "the ledger holds other terms")


def _use_says(payload: dict[str, Any], body: dict[str, Any]) -> None:
    bundle, items = payload["bundle"], payload["items"]
    told = {"bundle": bundle["id"], "transfer": bundle["transfer"], "manifest": bundle["manifest_sha256"]}
    sent = {one["item"]: one["sent"] for one in items if one["sent"]}
    withheld = {
        one["item"]: {row["field"]: row["reason"] for row in one["withheld"]}
        for one in items
        if one["withheld"]
    }
    if any(body[name] != value for name, value in told.items()):
        refuse("receipt_ledger_mismatch", "the ledger speaks of another bundle")
    if (sent, withheld) != (body["sent"], body["withheld"]):
        refuse("receipt_ledger_mismatch", "the ledger holds another use")


def _event_says(payload: dict[str, Any], body: dict[str, Any]) -> None:
    event = payload["event"]
    if (event["state"], event["by"], event["why"]) != (body["state"], body["by"], body.get("why")):
        refuse("receipt_ledger_mismatch", "the ledger tells of another move")


_SAYS: Mapping[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "grant": _grant_says,
    "use": _use_says,
    "termination": _event_says,
}


def details(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The terms of a receipt as `authorization_details`, the form the ledger committed to (RFC 9396)."""
    holders = dict.fromkeys(item["holder"]["id"] for item in payload["items"])
    return [
        {
            "type": "mydata_transfer",
            "holder": holder,
            "purpose": payload["purpose"]["id"],
            "start": payload["start"],
            "end": payload["end"],
            "retention": payload["storage"]["duration"],
            "items": [item["terms"] for item in payload["items"] if item["holder"]["id"] == holder],
        }
        for holder in holders
    ]


def _check_proof(ledger: dict[str, Any], vkey: str) -> None:
    checkpoint = open_note(ledger["checkpoint"], key_named(vkey, ledger["checkpoint"].partition("\n")[0]))
    path = [unb64url(sibling) for sibling in ledger["inclusion"]]
    position = (ledger["index"], checkpoint.size)
    leaf = leaf_hash(unb64url(ledger["entry"]))
    if type(ledger["index"]) is not int or not verify_inclusion(leaf, position, path, checkpoint.root):
        refuse("receipt_proof_wrong", "the proof does not lead to the signed checkpoint")
