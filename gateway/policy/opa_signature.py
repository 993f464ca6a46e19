"""The approver's signature over every file of a policy, as a stock OPA verifies it: `.signatures.json`.

A JWT (EdDSA) that names each file with its SHA-256. OPA hashes `data.json` and `.manifest` by their content,
in canonical JSON, and every other file by its bytes. An OPA started with the approver's public key as
verification key takes no policy they did not approve, wherever it got the bytes; the gateway has no such key.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = ".signatures.json"
STRUCTURED = frozenset({"data.json", ".manifest"})


def signed(members: Mapping[str, bytes], key: Ed25519PrivateKey, signer: str) -> str:
    """The compact JWS of `signer` over the files of a bundle, the manifest included."""
    files = [
        {"name": name, "hash": hashlib.sha256(_hashed(name, data)).hexdigest(), "algorithm": "SHA-256"}
        for name, data in sorted(members.items())
    ]
    header = _part({"alg": "EdDSA", "kid": signer, "typ": "JWT"})
    said = f"{header}.{_part({'files': files, 'keyid': signer})}"
    return f"{said}.{_base64url(key.sign(said.encode()))}"


def document(jws: str) -> bytes:
    """The file of a bundle that carries the signature."""
    return json.dumps({"signatures": [jws]}).encode()


def _hashed(name: str, data: bytes) -> bytes:
    return _canonical(json.loads(data)) if name.rsplit("/", 1)[-1] in STRUCTURED else data


def _canonical(value: object) -> bytes:
    """As OPA writes JSON before hashing: sorted keys, no spaces, the two line separators escaped."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def _part(value: object) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
