"""C2SP checkpoint: the log's origin, size and root as a signed note (Ed25519), strict on reading.

    mydata.example/ledger/2026
    1234
    (root, base64)

    — mydata.example/ledger/2026 (4-byte key id and signature, base64)

`open_note` takes exactly one signature line, made by the one key the reader was given. A published checkpoint
may have more (witnesses, ML-DSA-44: consent/ledger/cosignature.py): `open_signed` finds the log's among them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.ledger.errors import LedgerFormatError

ORIGIN = re.compile(r"[A-Za-z0-9._~:/-]{1,200}")

_ED25519 = b"\x01"
_NOTE = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,17})\n([^\n]+)\n\n— ([^\n ]+) ([^\n ]+)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: `root` is 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed part: three lines, each ended."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def vkey(origin: str, key: Ed25519PublicKey) -> str:
    """The log's verification key as text: `origin+hash+base64` (C2SP signed-note)."""
    if not ORIGIN.fullmatch(origin):
        raise LedgerFormatError("a log origin has letters, digits and . _ ~ : / - only")
    raw = key.public_bytes_raw()
    return f"{origin}+{_key_id(origin, raw).hex()}+{base64.b64encode(_ED25519 + raw).decode()}"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note signed by the log's key."""
    if not ORIGIN.fullmatch(checkpoint.origin):
        raise LedgerFormatError("a log origin has letters, digits and . _ ~ : / - only")
    key_id = _key_id(checkpoint.origin, key.public_key().public_bytes_raw())
    signature = base64.b64encode(key_id + key.sign(checkpoint.text.encode())).decode()
    return f"{checkpoint.text}\n— {checkpoint.origin} {signature}\n"


def open_note(note: str, key_text: str) -> Checkpoint:
    """Read a checkpoint signed by `key_text`'s key and by nobody else; raises LedgerFormatError."""
    name, key_id, key = _read_vkey(key_text)
    match = _NOTE.fullmatch(note)
    if match is None:
        raise LedgerFormatError("not a checkpoint with exactly one signature line")
    origin, size, root_text, signer, signature_text = match.groups()
    checkpoint = Checkpoint(origin, int(size), _unbase64(root_text, 32))
    signed = _unbase64(signature_text, 4 + 64)
    if origin != name or signer != name or signed[:4] != key_id:
        raise LedgerFormatError("the checkpoint is not of this log or not signed by its key")
    try:
        key.verify(signed[4:], checkpoint.text.encode())
    except InvalidSignature as error:
        raise LedgerFormatError("the checkpoint's signature is wrong") from error
    return checkpoint


def open_signed(note: str, key_text: str) -> Checkpoint:
    """Read a checkpoint that `key_text`'s key signed, whoever else did; raises LedgerFormatError."""
    text, middle, lines = note.partition("\n\n")
    name, key_id, _ = _read_vkey(key_text)
    for line in lines.splitlines(keepends=True):
        start = f"— {name} "
        if line.startswith(start) and _begins(line[len(start) :], key_id):
            return open_note(f"{text}{middle}{line}", key_text)
    raise LedgerFormatError("the checkpoint is not signed by this key")


def _begins(text: str, key_id: bytes) -> bool:
    try:
        return base64.b64decode(text)[:4] == key_id
    except ValueError:
        return False


def _read_vkey(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    name, _, rest = text.partition("+")
    hash_text, _, key_text = rest.partition("+")
    data = _unbase64(key_text, 1 + 32)
    if not ORIGIN.fullmatch(name) or data[:1] != _ED25519 or hash_text != _key_id(name, data[1:]).hex():
        raise LedgerFormatError("not an Ed25519 verification key origin+hash+base64")
    return name, bytes.fromhex(hash_text), Ed25519PublicKey.from_public_bytes(data[1:])


def _key_id(name: str, raw: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]


def _unbase64(text: str, length: int) -> bytes:
    """Strict standard base64 of exactly `length` bytes: canonical, padded."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise LedgerFormatError("not base64") from error
    if len(data) != length or base64.b64encode(data).decode() != text:
        raise LedgerFormatError("not canonical base64 of the right length")
    return data
