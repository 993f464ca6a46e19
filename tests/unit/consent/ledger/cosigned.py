"""Witnesses, policies and cosigned checkpoints for tests of the verifier."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from consent.ledger.checkpoint import Checkpoint, open_note
from consent.ledger.cosignature import cosign, cosigner_vkey
from tests.unit.consent.ledger.exports import ORIGIN, VKEY

AT = 1_790_000_000
SECOND = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
SECOND_VKEY = cosigner_vkey(ORIGIN, SECOND.public_key())
SIGNERS: dict[str, Ed25519PrivateKey | MLDSA44PrivateKey] = {
    "bank-a": Ed25519PrivateKey.from_private_bytes(b"a" * 32),
    "bank-b": Ed25519PrivateKey.from_private_bytes(b"b" * 32),
    "agency": MLDSA44PrivateKey.from_seed_bytes(b"c" * 32),
}


def name_of(witness: str) -> str:
    """The name a witness signs under."""
    return f"{witness}.test/witness"


def line(note: str, witness: str, at: int = AT) -> str:
    """The cosignature of `witness` over a log's note."""
    return cosign(open_note(note, VKEY), name_of(witness), SIGNERS[witness], at)


def second(checkpoint: Checkpoint, at: int = AT) -> str:
    """The log's own ML-DSA-44 signature line."""
    return cosign(checkpoint, ORIGIN, SECOND, at)


def policy(quorum: str = "all", *, log: str = VKEY) -> str:
    """The agency and one of two banks (`quorum` is `all` or `any` of the two groups)."""
    lines = [f"log {log}", "# who watches"]
    lines += [
        f"witness {name} {cosigner_vkey(name_of(name), key.public_key())}" for name, key in SIGNERS.items()
    ]
    lines += ["group banks 1 bank-a bank-b", f"group both {quorum} banks agency", "quorum both"]
    return "\n".join(lines) + "\n"
