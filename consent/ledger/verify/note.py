"""Keys and the checkpoints they signed (C2SP signed-note, tlog-checkpoint, tlog-cosignature), read strictly.

Three kinds of key: 0x01 a log's Ed25519, 0x04 a cosigner's Ed25519 (`cosignature/v1`), 0x06 ML-DSA-44
(`subtree/v1`), for a cosigner or for the log's own second, post-quantum signature.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from .report import Finding

LOG, COSIGNER, ML_DSA = 1, 4, 6
MAX_NOTE = 65_536

_NOTE = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,17})\n([^\n]+)\n\n((?:[^\n]+\n)+)")
_NAME = re.compile(r"[A-Za-z0-9._~:/-]{1,200}")
_SHARD = re.compile(r"([A-Za-z0-9._~:/-]{1,195})/[0-9]{4}")
_KINDS = {
    LOG: (32, 64, "an Ed25519"),
    COSIGNER: (32, 72, "an Ed25519 cosigner's"),
    ML_DSA: (1312, 2428, "an ML-DSA-44"),
}
"""Bytes of a key and of its signature with the time in front, and what it is called."""


class Head(NamedTuple):
    """A signed tree head, and who cosigned it when (epoch seconds by cosigner's name and key id)."""

    origin: str
    size: int
    root: bytes
    text: str
    times: dict[tuple[str, bytes], int]


class Key:
    """A verification key as text: `name+hash+base64`."""

    def __init__(self, text: str, kinds: Sequence[int] = (LOG,), where: str = "--key") -> None:
        """Read a key of one of `kinds`; raises Finding `key_unreadable`."""
        self.name, _, rest = text.partition("+")
        hash_text, _, data_text = rest.partition("+")
        data = unbase64(data_text)
        self.kind = data[0] if data else 0
        self.raw = data[1:]
        self.id = hashlib.sha256(self.name.encode(errors="replace") + b"\n" + data).digest()[:4]
        known = self.kind in kinds and len(self.raw) == _KINDS[self.kind][0]
        if not known or not _NAME.fullmatch(self.name) or hash_text != self.id.hex():
            wanted = " or ".join(_KINDS[kind][2] for kind in kinds)
            raise Finding("key_unreadable", where, f"not {wanted} verification key name+hash+base64")

    def check(self, head: Head, signature: bytes) -> int | None:
        """The time this signature claims (0: none); None when it is wrong."""
        stamp, signed = (signature[:8], signature[8:]) if self.kind != LOG else (b"", signature)
        at = int.from_bytes(stamp, "big")
        if len(signature) != _KINDS[self.kind][1] or at >= 1 << 63:
            return None
        try:
            if self.kind == ML_DSA:
                MLDSA44PublicKey.from_public_bytes(self.raw).verify(signed, self._cosigned(head, stamp))
            else:
                prefix = f"cosignature/v1\ntime {at}\n" if self.kind == COSIGNER else ""
                Ed25519PublicKey.from_public_bytes(self.raw).verify(signed, (prefix + head.text).encode())
        except InvalidSignature:
            return None
        return at

    def open(self, note: bytes, where: str) -> tuple[int, bytes]:
        """Size and root of a checkpoint signed by this key and by no other."""
        head = open_note(note, (self,), where)
        return head.size, head.root

    def called(self, name: str) -> Key:
        """The same key under another year's name of its log; itself where `name` is no such name."""
        if name == self.name or _year(name) is None or _year(name) != _year(self.name):
            return self
        data = bytes([self.kind]) + self.raw
        digest = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        return Key(f"{name}+{digest.hex()}+{base64.b64encode(data).decode()}", (self.kind,))

    def _cosigned(self, head: Head, stamp: bytes) -> bytes:
        name, origin = self.name.encode(), head.origin.encode()
        names = b"".join([bytes([len(name)]), name, stamp, bytes([len(origin)]), origin])
        return b"subtree/v1\n\x00" + names + bytes(8) + head.size.to_bytes(8, "big") + head.root


def named(keys: Sequence[Key], name: str) -> tuple[Key, ...]:
    """A log's keys as they are called in the shard `name`, if that is another year of their log."""
    return tuple(key.called(name) for key in keys)


def _year(name: str) -> str | None:
    """What the shards of a log have in common: the name before its year."""
    match = _SHARD.fullmatch(name)
    return match[1] if match else None


def open_note(
    note: bytes, log: Sequence[Key], where: str, witnesses: Sequence[Key] = (), *, whole: bool = True
) -> Head:
    """A checkpoint of the log whose keys are `log`: the first line is the first key's.

    Every other line must be, once, of another key of `log` or of one of `witnesses`: a line nobody can check
    is refused. With `whole` every key of `log` must have signed.
    """
    match = _NOTE.fullmatch(note.decode("utf-8", errors="replace")) if len(note) <= MAX_NOTE else None
    root = unbase64(match[3]) if match else b""
    if match is None or len(root) != 32:
        raise Finding("checkpoint_malformed", where, "not a checkpoint of origin, size and root")
    head = Head(match[1], int(match[2]), root, f"{match[1]}\n{match[2]}\n{match[3]}\n", {})
    known = {(key.name, key.id): key for key in (*log, *witnesses)}
    signed: list[Key] = []
    for number, line in enumerate(match[4][:-1].split("\n")):
        key = _line(line, head, log[0] if number == 0 else None, known, where)
        known.pop((key.name, key.id))
        signed.append(key)
    missing = [key for key in log if whole and key not in signed]
    if match[1] != log[0].name or missing:
        raise Finding("checkpoint_signer", where, "not of this log, or not signed by every key given for it")
    if _written(head, match[4]) != note:
        raise Finding("checkpoint_malformed", where, "not in its one canonical form")
    return head


def _line(line: str, head: Head, first: Key | None, known: dict[tuple[str, bytes], Key], where: str) -> Key:
    """The key that made a signature line, once its signature was checked."""
    name, _, data = line.removeprefix("— ").rpartition(" ")
    signed = unbase64(data)
    key = known.get((name, signed[:4]))
    if key is None or not line.startswith("— ") or (first is not None and key is not first):
        said = (
            "not signed by the given key" if first else f"signed also by {name!r}, of which no key was given"
        )
        raise Finding("checkpoint_signer", where, f"{said} alone, or not of this log" if first else said)
    at = key.check(head, signed[4:])
    if at is None:
        code = "checkpoint_signature" if key.kind == LOG or key.name == head.origin else "cosignature_wrong"
        raise Finding(code, where, f"the signature of {name} is wrong")
    if key.kind != LOG and key.name != head.origin:
        head.times[key.name, key.id] = at
    return key


def _written(head: Head, lines: str) -> bytes:
    return f"{head.text}\n{lines}".encode()


def unbase64(text: object) -> bytes:
    """Strict standard base64: canonical and padded; anything else gives no bytes."""
    try:
        data = base64.b64decode(str(text), validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == text else b""
