"""Verify and open a sealed bundle (format `mdb/1`) offline.

This file needs the standard library and `cryptography` only, so that a company can copy it. Nothing is
returned before everything was verified; every refusal is a `BundleRejected` with a stable `code`.

    magic(8) | u32 n | manifest: compact JWS, n bytes | part 1 frames | part 2 frames | ... | end of file

The manifest is signed by the gateway (ES256) and lists every part. Parts are AES-256-GCM STREAM frames under
a content key wrapped by HPKE (RFC 9180) for each recipient key. What is bound to what:

    binding  = SHA-256 of the canonical manifest without `crypto` and `parts`
    HPKE info  names the bundle id and the binding     part key   = HKDF(content key, info: part name)
    frame aad  names the bundle id, binding and part   nonce      = prefix(7) | u32 index | last(1)

Canonical JSON here is RFC 8785 without fractions and non-ASCII names.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"\x89mdb/1\r\n"
FORMAT = "mdb/1"
TYP = "mydata-bundle+jwt"
SUITE = "X25519-HKDF-SHA256-AES-256-GCM"
MANIFEST_MAX = 128_000
TAG_BYTES = 16
JsonObject = dict[str, Any]
Bodies = dict[str, memoryview]
HPKE_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
AEAD = "AES-256-GCM-STREAM"
ISSUER_KEY = {"kty": "", "crv": "", "alg": "ES256", "use": "sig"}
PART_MEMBERS: dict[str, type] = {
    **dict.fromkeys(("name", "media_type", "cipher_sha256", "plain_hmac", "nonce_prefix"), str),
    **dict.fromkeys(("plain_size", "cipher_size", "frame_size"), int),
}
PART_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,118}[a-z0-9]")


class BundleRejected(Exception):
    """The bundle, or a key given with it, is refused. `code` is stable; the text holds no personal data."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"{code}: {what}")
        self.code = code
        self.what = what


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that passed every check: its manifest, and its parts in clear by name."""

    manifest: JsonObject
    parts: dict[str, bytes] = field(repr=False)


def open_bundle(
    data: bytes, private_jwk: Mapping[str, Any], issuer_jwks: Mapping[str, Any], *, issuer: str | None = None
) -> Opened:
    """Verify `data` against the pinned `issuer_jwks` and open it with the recipient's X25519 `private_jwk`.

    `issuer`, when given, MUST be the manifest's. Raises BundleRejected; never returns part of a bundle.
    """
    manifest, bodies = _verified(data, issuer_jwks, issuer)
    cek = _unwrap(manifest, private_jwk)
    parts = {part["name"]: _decrypt(manifest, part, cek, bodies[part["name"]]) for part in manifest["parts"]}
    return Opened(manifest, parts)


def verify_bundle(data: bytes, issuer_jwks: Mapping[str, Any], *, issuer: str | None = None) -> JsonObject:
    """Verify everything that needs no private key (signature, structure, ciphertext hashes); the manifest."""
    return _verified(data, issuer_jwks, issuer)[0]


def canonical(value: object) -> bytes:
    """The one byte form of a JSON value here; ValueError if it has none."""
    _check_plain(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def binding(manifest: Mapping[str, Any]) -> bytes:
    """What frames and wrapped keys are bound to: SHA-256 of the manifest without `crypto` and `parts`."""
    core = {name: value for name, value in manifest.items() if name not in ("crypto", "parts")}
    return hashlib.sha256(canonical(core)).digest()


def context(what: str, manifest: Mapping[str, Any], part: str = "") -> bytes:
    """HPKE `info` (what: `cek`) or the additional data of every frame of `part` (what: `frame`)."""
    return "\0".join(("mdb/1", what, manifest["id"], part, binding(manifest).hex())).encode()


def part_keys(cek: bytes, part: str) -> tuple[bytes, bytes]:
    """The (encryption key, plaintext MAC key) of `part`, 32 bytes each; no two parts share a key."""
    okm = HKDF(hashes.SHA256(), 64, None, b"mdb/1 part\0" + part.encode()).derive(cek)
    return okm[:32], okm[32:]


def nonce(prefix: bytes, index: int, last: bool) -> bytes:
    """STREAM nonce: a frame cannot be moved, dropped or cut off unseen."""
    return prefix + struct.pack(">I?", index, last)


def frames(plain_size: int, frame_size: int) -> int:
    """How many frames a part has; an empty part has one."""
    return max(1, -(-plain_size // frame_size))


def b64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: object, code: str) -> bytes:
    """Strict reverse of b64url: alphabet, length and unused bits are checked."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        _reject(code, "not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url(raw) != text:
        _reject(code, "base64url is not canonical")
    return raw


def strict_json(data: bytes, code: str) -> Any:
    """Parse canonical JSON; duplicate names, fractions, spaces, NaN and bad UTF-8 are refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            _reject(f"{code}_duplicate_name", "an object names a member twice")
        return dict(pairs)

    try:
        value = json.loads(data.decode(), object_pairs_hook=once)
        form = canonical(value)
    except (ValueError, RecursionError):
        _reject(f"{code}_unreadable", "not JSON as this format allows it")
    if form != data:
        _reject(f"{code}_not_canonical", "JSON is not in its one canonical form")
    return value


def _reject(code: str, what: str) -> NoReturn:
    raise BundleRejected(code, what) from None


def _check_plain(value: object) -> None:
    if isinstance(value, dict):
        if not all(isinstance(name, str) and name.isascii() for name in value):
            raise ValueError("names must be ASCII strings")
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            _check_plain(one)
    elif not (value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53)):
        raise ValueError(f"{type(value).__name__} is not allowed here")


def _verified(data: bytes, jwks: Mapping[str, Any], issuer: str | None) -> tuple[JsonObject, Bodies]:
    """The manifest, and the frames of each part, once everything signed agrees."""
    manifest, rest = _manifest(data, jwks)
    _check_content(manifest)
    if issuer is not None and manifest["issuer"] != issuer:
        _reject("bundle_wrong_issuer", "made by another issuer")
    over = len(rest) - sum(part["cipher_size"] for part in manifest["parts"])
    if over < 0:
        _reject("bundle_truncated", f"{-over} bytes are missing at the end")
    if over > 0:
        _reject("bundle_trailing_bytes", f"{over} bytes are not listed in the manifest")
    bodies: Bodies = {}
    for part in manifest["parts"]:
        body, rest = rest[: part["cipher_size"]], rest[part["cipher_size"] :]
        if b64url(hashlib.sha256(body).digest()) != part["cipher_sha256"]:
            _reject("bundle_part_changed", f"part {part['name']} does not have the signed hash")
        bodies[part["name"]] = body
    return manifest, bodies


def _manifest(data: bytes, jwks: Mapping[str, Any]) -> tuple[JsonObject, memoryview]:
    head = len(MAGIC) + 4
    if data[: len(MAGIC)] != MAGIC:
        _reject("bundle_not_a_bundle", "does not begin as an mdb/1 file")
    size = int.from_bytes(data[len(MAGIC) : head])
    if size >= MANIFEST_MAX:
        _reject("bundle_manifest_too_large", f"manifest of {size} bytes")
    if len(data) < head + size:
        _reject("bundle_truncated", "ends inside the manifest")
    jws = data[head : head + size]
    if not jws.isascii() or jws.count(b".") != 2:
        _reject("bundle_manifest_encoding", "not a compact JWS")
    header64, payload64, signature64 = jws.decode().split(".")
    header = strict_json(unb64url(header64, "bundle_manifest_encoding"), "bundle_header")
    kid = header.get("kid") if isinstance(header, dict) else None
    if header != {"alg": "ES256", "kid": kid, "typ": TYP}:
        _reject("bundle_header_invalid", f"the header must be alg ES256, kid and typ {TYP}")
    signature = unb64url(signature64, "bundle_manifest_encoding")
    _check_signature(_issuer_key(jwks, kid), jws[: jws.rindex(b".")], signature)
    manifest = strict_json(unb64url(payload64, "bundle_manifest_encoding"), "bundle_manifest")
    if not isinstance(manifest, dict):
        _reject("bundle_manifest_invalid", "the manifest is not an object")
    return manifest, memoryview(data)[head + size :]


def _issuer_key(jwks: Mapping[str, Any], kid: object) -> ec.EllipticCurvePublicKey:
    keys = jwks.get("keys")
    found = [k for k in keys if isinstance(k, dict) and k.get("kid") == kid] if isinstance(keys, list) else []
    if len(found) != 1 or not isinstance(kid, str):
        _reject("bundle_unknown_issuer_key", "not signed by exactly one of the issuer keys given")
    shape = [found[0].get(name, default) for name, default in ISSUER_KEY.items()]
    x, y = (int.from_bytes(unb64url(found[0].get(axis), "bundle_issuer_key_unusable")) for axis in "xy")
    try:
        if shape != ["EC", "P-256", "ES256", "sig"]:
            raise ValueError(shape)
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError:
        _reject("bundle_issuer_key_unusable", "the issuer key must be an EC P-256 key for ES256 signatures")


def _check_signature(key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> None:
    try:
        if len(signature) != 64:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(der, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        _reject("bundle_signature_invalid", "the manifest was changed or signed by another key")


def _check_content(m: JsonObject) -> None:
    """The members this module relies on have the types and values of mdb/1."""
    parts, crypto = m.get("parts"), m.get("crypto")
    if m.get("format") != FORMAT or not isinstance(m.get("id"), str) or not isinstance(m.get("issuer"), str):
        _reject("bundle_manifest_invalid", "format, id or issuer")
    if not isinstance(crypto, dict) or not isinstance(crypto.get("wraps"), list):
        _reject("bundle_manifest_invalid", "crypto")
    if (crypto.get("aead"), crypto.get("compression")) != (AEAD, "none"):
        _reject("bundle_unsupported", "another encryption or compression")
    names: set[str] = set()
    for part in parts if isinstance(parts, list) else [None]:
        if not isinstance(part, dict) or {name: type(part[name]) for name in part} != PART_MEMBERS:
            _reject("bundle_manifest_invalid", "a part has other members than mdb/1 names")
        if not PART_NAME.fullmatch(part["name"]) or part["name"] in names:
            _reject("bundle_manifest_invalid", "a part has an unsafe name, or the name of another")
        names.add(part["name"])
        plain, frame = part["plain_size"], part["frame_size"]
        sane = 1 <= frame <= 1 << 20 and 0 <= plain < 1 << 40 and frames(plain, frame) < 1 << 32
        if not sane or part["cipher_size"] != plain + TAG_BYTES * frames(plain, frame):
            _reject("bundle_manifest_invalid", "the sizes of a part do not agree")
        if len(unb64url(part["nonce_prefix"], "bundle_manifest_invalid")) != 7:
            _reject("bundle_manifest_invalid", "a nonce prefix has 7 bytes")


def _unwrap(manifest: JsonObject, jwk: Mapping[str, Any]) -> bytes:
    private = jwk.get("d", "") if (jwk.get("kty"), jwk.get("crv")) == ("OKP", "X25519") else ""
    raw = unb64url(private, "bundle_key_unusable")
    if len(raw) != 32 or not isinstance(jwk.get("kid"), str):
        _reject("bundle_key_unusable", "the recipient key must be a private OKP X25519 JWK with a kid")
    wraps = [w for w in manifest["crypto"]["wraps"] if isinstance(w, dict) and w.get("kid") == jwk["kid"]]
    if len(wraps) != 1:
        _reject("bundle_wrong_recipient", "not encrypted to the key given")
    if wraps[0].get("suite") != SUITE:
        _reject("bundle_unsupported", "another HPKE suite")
    sealed = unb64url(wraps[0].get("sealed"), "bundle_manifest_invalid")
    try:
        return HPKE_SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(raw), context("cek", manifest))
    except (InvalidTag, ValueError):
        _reject("bundle_wrong_recipient", "the key given does not open the content key")


def _decrypt(manifest: JsonObject, part: JsonObject, cek: bytes, body: memoryview) -> bytes:
    name, size = part["name"], part["frame_size"] + TAG_BYTES
    encrypt_key, mac_key = part_keys(cek, name)
    aead, aad = AESGCM(encrypt_key), context("frame", manifest, name)
    prefix = unb64url(part["nonce_prefix"], "bundle_manifest_invalid")
    count = frames(part["plain_size"], part["frame_size"])
    plain = []
    for index in range(count):
        once = nonce(prefix, index, index == count - 1)
        try:
            plain.append(aead.decrypt(once, body[index * size : (index + 1) * size], aad))
        except (InvalidTag, ValueError):
            _reject("bundle_frame_invalid", f"frame {index} of part {name} does not decrypt")
    whole = b"".join(plain)
    if not hmac.compare_digest(b64url(hmac.digest(mac_key, whole, "sha256")), part["plain_hmac"]):
        _reject("bundle_part_changed", f"part {name} is not the one signed")
    return whole
