"""Makes bundles that should be refused: other manifests, other signatures, the same frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.bundles.open import MAGIC, TYP, BundleRejected, b64url, canonical, open_bundle
from tests.unit.gateway.bundles.story import Story

HEAD = len(MAGIC) + 4


def code(of: Story, data: bytes, **changes: Any) -> str:
    """The code with which `data` is refused."""
    with pytest.raises(BundleRejected) as refused:
        open_bundle(
            data,
            changes.get("key", of.private_jwk),
            changes.get("jwks", of.jwks),
            issuer=changes.get("issuer"),
        )
    return refused.value.code


def jws_of(data: bytes) -> bytes:
    """The manifest's JWS."""
    return data[HEAD : HEAD + int.from_bytes(data[len(MAGIC) : HEAD])]


def rebuilt(data: bytes, jws: bytes) -> bytes:
    """The bundle with another manifest JWS in front of the same frames."""
    return MAGIC + len(jws).to_bytes(4, "big") + jws + data[HEAD + len(jws_of(data)) :]


def resigned(of: Story, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The bundle with a changed manifest, signed by the issuer: only content checks can refuse it."""
    manifest = json.loads(json.dumps(of.sealed.manifest))
    change(manifest)
    return rebuilt(of.sealed.data, signed(of, canonical(manifest)))


def signed(of: Story, payload: bytes, header: bytes | None = None) -> bytes:
    """A JWS by the story's issuer over any payload and header bytes."""
    head = header or canonical({"alg": "ES256", "kid": of.signer.kid, "typ": TYP})
    signing_input = f"{b64url(head)}.{b64url(payload)}".encode()
    r, s = decode_dss_signature(of.signer.private.sign(signing_input, ec.ECDSA(hashes.SHA256())))
    return signing_input + b"." + b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big")).encode()


def other_spelling(last: bytes) -> bytes:
    """The same last byte of a 64-byte signature, spelled with unused bits set."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return bytes([alphabet[alphabet.index(last) + 1]])
