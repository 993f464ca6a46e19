"""C2SP tlog-cosignature: what a witness says of a checkpoint, and the log's own post-quantum signature.

`cosignature/v1` (Ed25519, 0x04) signs a time and the checkpoint's text; `subtree/v1` (ML-DSA-44, 0x06) also
binds the signer's name. A cosignature says: at this time this was the largest tree of this log the signer had
seen, and it continued every one seen before.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from consent.ledger.checkpoint import ORIGIN, Checkpoint
from consent.ledger.errors import LedgerFormatError

_ED25519, _ML_DSA_44 = b"\x04", b"\x06"

PublicKey = Ed25519PublicKey | MLDSA44PublicKey
PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


def cosigner_vkey(name: str, key: PublicKey) -> str:
    """The text by which others check `name`'s cosignatures: `name+hash+base64`."""
    _named(name)
    data = _kind(key) + key.public_bytes_raw()
    return f"{name}+{_key_id(name, data).hex()}+{base64.b64encode(data).decode()}"


def cosign(checkpoint: Checkpoint, name: str, key: PrivateKey, at: int) -> str:
    """One signature line (ended) by `name` over `checkpoint` at `at` (epoch seconds)."""
    _named(name)
    public, stamp = key.public_key(), at.to_bytes(8, "big")
    if isinstance(key, MLDSA44PrivateKey):
        message = _subtree(checkpoint, name, stamp)
    else:
        message = f"cosignature/v1\ntime {at}\n{checkpoint.text}".encode()
    data = _key_id(name, _kind(public) + public.public_bytes_raw()) + stamp + key.sign(message)
    return f"— {name} {base64.b64encode(data).decode()}\n"


def _subtree(checkpoint: Checkpoint, name: str, stamp: bytes) -> bytes:
    signer, origin = name.encode(), checkpoint.origin.encode()
    names = b"".join([bytes([len(signer)]), signer, stamp, bytes([len(origin)]), origin])
    return b"subtree/v1\n\x00" + names + bytes(8) + checkpoint.size.to_bytes(8, "big") + checkpoint.root


def _kind(key: PublicKey) -> bytes:
    return _ML_DSA_44 if isinstance(key, MLDSA44PublicKey) else _ED25519


def _key_id(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]


def _named(name: str) -> None:
    if not ORIGIN.fullmatch(name):
        raise LedgerFormatError("a cosigner's name has letters, digits and . _ ~ : / - only")
