"""Checks a receipt offline: who signed it, that it is canonical, and that the ledger holds what it says.

Strict: one header, one algorithm, pinned keys, canonical base64url and JSON, known members only. The entry,
its opening and the terms in words must all say the same; with the log's key, the proof must lead to a
signed checkpoint. Without that key a receipt shows only what the gateway signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from consent.canonical import canonical
from consent.errors import ConsentError
from consent.events import Event
from consent.ledger.checkpoint import open_note
from consent.ledger.entry import Entry, decode
from consent.ledger.errors import LedgerFormatError
from consent.ledger.proof import verify_inclusion
from consent.ledger.tree import leaf_hash

TYP = "mydata-receipt+jwt"
SCHEMA = "mydata-receipt/1"
MAX_BYTES = 128_000
MEMBERS = {
    *("schema", "kind", "id", "issuer", "issued_at", "jurisdiction", "language", "consent", "recipient"),
    *("purpose", "start", "end", "retention", "items", "rights", "ledger", "opening"),
}
KINDS = (Event.CONSENT_GRANT_GIVEN.value, Event.CONSENT_GRANT_NARROWED.value)


class ReceiptError(ConsentError):
    """The receipt, or a key given with it, is refused (`receipt_*`)."""


def verify(data: bytes, issuer_jwks: Mapping[str, Any], ledger_vkey: str | None = None) -> dict[str, Any]:
    """The receipt's payload once everything held; ReceiptError otherwise.

    `issuer_jwks` and `ledger_vkey` (C2SP `origin+hash+base64`) MUST come from elsewhere than the receipt.
    Without `ledger_vkey` the entry and its opening are checked, its place in the log is not.
    """
    payload = _signed(data, issuer_jwks)
    if set(payload) != MEMBERS or payload["schema"] != SCHEMA or payload["kind"] != "grant":
        _refuse("receipt_invalid", "not a grant receipt of this schema")
    try:
        entry = _entry(payload)
        _check_opening(payload, entry)
        if ledger_vkey is not None:
            _check_proof(payload["ledger"], ledger_vkey)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, LedgerFormatError):
            _refuse("receipt_ledger_invalid", str(error))
        _refuse("receipt_invalid", "a member is missing or of another type")
    return payload


def unb64url(text: object) -> bytes:
    """Strict base64url without padding; ReceiptError `receipt_encoding` otherwise."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        _refuse("receipt_encoding", "not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        _refuse("receipt_encoding", "base64url is not canonical")
    return raw


def _refuse(code: str, what: str) -> NoReturn:
    raise ReceiptError(code, what=what) from None


def _signed(data: bytes, jwks: Mapping[str, Any]) -> dict[str, Any]:
    if len(data) >= MAX_BYTES:
        _refuse("receipt_too_large", f"{MAX_BYTES} bytes or more")
    if not data.isascii() or data.count(b".") != 2:
        _refuse("receipt_encoding", "not a compact JWS")
    header64, payload64, signature64 = data.decode().split(".")
    header, signature = _object(unb64url(header64)), unb64url(signature64)
    if header != {"alg": "ES256", "kid": header.get("kid"), "typ": TYP}:
        _refuse("receipt_header_invalid", f"the header must be alg ES256, kid and typ {TYP}")
    key = _issuer_key(jwks, header["kid"])
    try:
        if len(signature) != 64:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(der, data[: data.rindex(b".")], ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        _refuse("receipt_signature_invalid", "changed, or signed by another key")
    return _object(unb64url(payload64))


def _object(data: bytes) -> dict[str, Any]:
    """The JSON object of exactly these canonical bytes: a name twice, spaces and fractions have no place."""
    try:
        value = json.loads(data.decode())
        same = canonical(value) == data
    except (ValueError, RecursionError):
        _refuse("receipt_unreadable", "not JSON as receipts allow it")
    if not same or not isinstance(value, dict):
        _refuse("receipt_not_canonical", "not a JSON object in its one canonical form")
    return value


def _issuer_key(jwks: Mapping[str, Any], kid: object) -> ec.EllipticCurvePublicKey:
    keys = jwks.get("keys")
    found = [k for k in keys if isinstance(k, dict) and k.get("kid") == kid] if isinstance(keys, list) else []
    if len(found) != 1 or not isinstance(kid, str):
        _refuse("receipt_unknown_issuer_key", "not signed by exactly one of the issuer keys given")
    key = found[0]
    shape = (key.get("kty"), key.get("crv"), key.get("alg", "ES256"), key.get("use", "sig"))
    try:
        if shape != ("EC", "P-256", "ES256", "sig"):
            raise ValueError
        x, y = (int.from_bytes(unb64url(key.get(axis))) for axis in "xy")
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except (ValueError, ReceiptError):
        _refuse("receipt_issuer_key_unusable", "the issuer key must be an EC P-256 key for ES256")


def _entry(payload: dict[str, Any]) -> Entry:
    entry = decode(unb64url(payload["ledger"]["entry"]))
    if entry.kind not in KINDS or entry.party != payload["recipient"]["id"]:
        _refuse("receipt_ledger_mismatch", "the ledger entry is of another kind or party")
    return entry


def _check_opening(payload: dict[str, Any], entry: Entry) -> None:
    """The opening fits the entry's commitment and says what the receipt says in words."""
    opened, salt = unb64url(payload["opening"]["payload"]), unb64url(payload["opening"]["salt"])
    if not hmac.compare_digest(hmac.digest(salt, opened, hashlib.sha256), entry.commitment):
        _refuse("receipt_opening_wrong", "the opening does not fit the ledger entry")
    said = _object(opened)
    body, consent = said["body"], payload["consent"]
    if said["event"] != entry.kind or consent != {
        "id": body["consent"],
        "version": body["version"],
        "text_sha256": body["text_sha256"],
    }:
        _refuse("receipt_ledger_mismatch", "the ledger speaks of another consent")
    if payload["language"] != body["language"] or details(payload) != body["authorization_details"]:
        _refuse("receipt_ledger_mismatch", "the ledger holds other terms")


def details(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The terms of a receipt as `authorization_details`, the form the ledger committed to (RFC 9396)."""
    holders = dict.fromkeys(item["holder"]["id"] for item in payload["items"])
    return [
        {
            "type": "mydata_transfer",
            "holder": holder,
            "purpose": payload["purpose"]["id"],
            **{name: payload[name] for name in ("start", "end", "retention")},
            "items": [
                {
                    "dataset": item["dataset"]["id"],
                    "fields": [field["id"] for field in item["fields"]],
                    **{name: item[name] for name in ("required", "frequency", "history_from")},
                    **{name: item[name] for name in ("history_to", "accounts", "filters") if name in item},
                }
                for item in payload["items"]
                if item["holder"]["id"] == holder
            ],
        }
        for holder in holders
    ]


def _check_proof(ledger: dict[str, Any], vkey: str) -> None:
    checkpoint = open_note(ledger["checkpoint"], vkey)
    path = [unb64url(sibling) for sibling in ledger["inclusion"]]
    position = (ledger["index"], checkpoint.size)
    leaf = leaf_hash(unb64url(ledger["entry"]))
    if type(ledger["index"]) is not int or not verify_inclusion(leaf, position, path, checkpoint.root):
        _refuse("receipt_proof_wrong", "the proof does not lead to the signed checkpoint")
