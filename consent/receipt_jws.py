"""The outside of a receipt: strict base64url, one header, one algorithm, pinned keys, canonical JSON."""

from __future__ import annotations

import base64
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

TYP = "mydata-receipt+jwt"
MAX_BYTES = 128_000


class ReceiptError(ConsentError):
    """The receipt, or a key given with it, is refused (`receipt_*`)."""


def refuse(code: str, what: str) -> NoReturn:
    """Refuse with `code`; `what` holds no content of the receipt."""
    raise ReceiptError(code, what=what) from None


def unb64url(text: object) -> bytes:
    """Strict base64url without padding; ReceiptError `receipt_encoding` otherwise."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        refuse("receipt_encoding", "not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        refuse("receipt_encoding", "base64url is not canonical")
    return raw


def opened(data: bytes, jwks: Mapping[str, Any], *, typ: str = TYP, limit: int = MAX_BYTES) -> dict[str, Any]:
    """The canonical JSON object in the compact JWS `data`, once its signature by a key of `jwks` held."""
    if len(data) >= limit:
        refuse("receipt_too_large", f"{limit} bytes or more")
    if not data.isascii() or data.count(b".") != 2:
        refuse("receipt_encoding", "not a compact JWS")
    header64, payload64, signature64 = data.decode().split(".")
    header, signature = json_object(unb64url(header64)), unb64url(signature64)
    if header != {"alg": "ES256", "kid": header.get("kid"), "typ": typ}:
        refuse("receipt_header_invalid", f"the header must be alg ES256, kid and typ {typ}")
    key = _issuer_key(jwks, header["kid"])
    try:
        if len(signature) != 64:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(der, data[: data.rindex(b".")], ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        refuse("receipt_signature_invalid", "changed, or signed by another key")
    return json_object(unb64url(payload64))


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object of exactly these canonical bytes: a name twice, spaces and fractions have no place."""
    try:
        value = json.loads(data.decode())
        same = canonical(value) == data
    except (ValueError, RecursionError):
        refuse("receipt_unreadable", "not JSON as receipts allow it")
    if not same or not isinstance(value, dict):
        refuse("receipt_not_canonical", "not a JSON object in its one canonical form")
    return value


def _issuer_key(jwks: Mapping[str, Any], kid: object) -> ec.EllipticCurvePublicKey:
    keys = jwks.get("keys")
    found = [k for k in keys if isinstance(k, dict) and k.get("kid") == kid] if isinstance(keys, list) else []
    if len(found) != 1 or not isinstance(kid, str):
        refuse("receipt_unknown_issuer_key", "not signed by exactly one of the issuer keys given")
    key = found[0]
    shape = (key.get("kty"), key.get("crv"), key.get("alg", "ES256"), key.get("use", "sig"))
    try:
        if shape != ("EC", "P-256", "ES256", "sig"):
            raise ValueError
        x, y = (int.from_bytes(unb64url(key.get(axis))) for axis in "xy")
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except (ValueError, ReceiptError):
        refuse("receipt_issuer_key_unusable", "the issuer key must be an EC P-256 key for ES256")
