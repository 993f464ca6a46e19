"""Seals a bundle: encrypts the parts to the recipient's keys, then signs the manifest that lists them.

The format is described where it is verified: gateway.bundles.open. Each part is encrypted under a key of its
own, derived from a content key made for this bundle only and wrapped for each recipient key (HPKE).

Not compressed and not padded: sizes and record counts stand in the manifest, which is signed but readable by
whoever holds the file. The plaintext is bound by a keyed MAC, not a hash, so that nobody without the key
can test a guess against the manifest.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.bundles import open as mdb
from gateway.bundles.errors import ManifestError
from gateway.bundles.manifest import Draft, document

FRAME_BYTES = 64 * 1024

Sign = Callable[[dict[str, Any], str], str]
"""Gives the compact ES256 JWS of claims, in the order given, under an explicit `typ` (RFC 8725 3.11)."""
Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a bundle, in clear. `name` is a safe file name (`mdb.PART_NAME`)."""

    name: str
    media_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed bundle: the whole file, the signed manifest, and `sha256:` of the manifest's JWS."""

    data: bytes = field(repr=False)
    manifest: dict[str, Any]
    manifest_hash: str


def seal(
    draft: Draft,
    parts: Sequence[Part],
    recipient_keys: Sequence[Mapping[str, Any]],
    sign: Sign,
    random: Random = os.urandom,
) -> Sealed:
    """Seal `parts` under `draft` for every key of `recipient_keys` (public OKP X25519 JWKs with a kid).

    `random` gives cryptographically strong bytes. Raises ManifestError, also when a key cannot be used, a
    part is not named by exactly one source, or the signed manifest reaches 128 000 bytes.
    """
    manifest = document(draft)
    _canonical(manifest)
    _check_parts(draft, parts)
    cek = random(32)
    context = mdb.context("cek", manifest)
    wraps = [_wrap(jwk, cek, context) for jwk in recipient_keys]
    if not wraps or len({wrap["kid"] for wrap in wraps}) != len(wraps):
        raise ManifestError("manifest_recipient_key_unusable")
    listed, bodies = [], []
    for part in parts:
        entry, body = _encrypt(part, cek, manifest, random(7))
        listed.append(entry)
        bodies.append(body)
    crypto = {"aead": mdb.AEAD, "compression": "none", "padding": "none", "wraps": wraps}
    manifest = _sorted({**manifest, "crypto": crypto, "parts": listed})
    jws = _signed(manifest, sign)
    data = b"".join((mdb.MAGIC, len(jws).to_bytes(4, "big"), jws, *bodies))
    return Sealed(data, manifest, "sha256:" + hashlib.sha256(jws).hexdigest())


def _signed(manifest: dict[str, Any], sign: Sign) -> bytes:
    """The JWS over exactly the canonical bytes of `manifest`, whatever serialiser the signer uses."""
    payload = _canonical(manifest)
    jws = sign(manifest, mdb.TYP).encode("ascii")
    if jws.split(b".")[1] != mdb.b64url(payload).encode():
        raise ManifestError("manifest_not_canonical")
    if len(jws) >= mdb.MANIFEST_MAX:
        raise ManifestError("manifest_too_large", bytes=len(jws), limit=mdb.MANIFEST_MAX)
    return jws


def _canonical(manifest: dict[str, Any]) -> bytes:
    try:
        return mdb.canonical(manifest)
    except ValueError as error:
        raise ManifestError("manifest_value_invalid") from error


def _check_parts(draft: Draft, parts: Sequence[Part]) -> None:
    named = sorted(source.part for source in draft.sources if source.part is not None)
    if sorted(part.name for part in parts) != named or len(set(named)) != len(named):
        raise ManifestError("manifest_parts_unmatched")
    for part in parts:
        if not mdb.PART_NAME.fullmatch(part.name) or part.name == "manifest.json":
            raise ManifestError("manifest_part_name_unsafe", part=part.name)


def _wrap(jwk: Mapping[str, Any], cek: bytes, context: bytes) -> dict[str, str]:
    try:
        raw = mdb.unb64url(jwk.get("x"), "manifest_recipient_key_unusable")
        if (jwk.get("kty"), jwk.get("crv"), jwk.get("use", "enc")) != ("OKP", "X25519", "enc"):
            raise ValueError
        kid = jwk.get("kid")
        if not isinstance(kid, str) or not kid:
            raise ValueError
        sealed = mdb.HPKE_SUITE.encrypt(cek, X25519PublicKey.from_public_bytes(raw), context)
    except (mdb.BundleRejected, ValueError) as error:
        raise ManifestError("manifest_recipient_key_unusable") from error
    return {"kid": kid, "suite": mdb.SUITE, "sealed": mdb.b64url(sealed)}


def _encrypt(
    part: Part, cek: bytes, manifest: Mapping[str, Any], prefix: bytes
) -> tuple[dict[str, Any], bytes]:
    """The manifest entry of `part`, and its frames."""
    encrypt_key, mac_key = mdb.part_keys(cek, part.name)
    aead, aad = AESGCM(encrypt_key), mdb.context("frame", manifest, part.name)
    count = mdb.frames(len(part.body), FRAME_BYTES)
    plain = memoryview(part.body)
    body = b"".join(
        aead.encrypt(
            mdb.nonce(prefix, index, index == count - 1),
            plain[index * FRAME_BYTES : (index + 1) * FRAME_BYTES],
            aad,
        )
        for index in range(count)
    )
    entry = {
        "name": part.name,
        "media_type": part.media_type,
        "plain_size": len(part.body),
        "cipher_size": len(body),
        "frame_size": FRAME_BYTES,
        "plain_hmac": mdb.b64url(hmac.digest(mac_key, part.body, "sha256")),
        "cipher_sha256": mdb.b64url(hashlib.sha256(body).digest()),
        "nonce_prefix": mdb.b64url(prefix),
    }
    return entry, body


def _sorted(value: Any) -> Any:
    """The same JSON with members in canonical order, for signers that keep the order given."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value
