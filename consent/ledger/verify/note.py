"""The log's key and the checkpoints it signed (C2SP signed-note, checkpoint), read strictly."""

from __future__ import annotations

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .report import Finding

_NOTE = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,17})\n([^\n]+)\n\n((?:[^\n]+\n)+)")
_NAME = re.compile(r"[A-Za-z0-9._~:/-]{1,200}")


class Key:
    """The log's verification key: `origin+hash+base64`."""

    def __init__(self, text: str) -> None:
        """Read the key; raises Finding `key_unreadable`."""
        self.name, _, rest = text.partition("+")
        hash_text, _, data_text = rest.partition("+")
        data = unbase64(data_text)
        self.id = hashlib.sha256(self.name.encode(errors="replace") + b"\n" + data).digest()[:4]
        if not _NAME.fullmatch(self.name) or len(data) != 33 or data[0] != 1 or hash_text != self.id.hex():
            raise Finding("key_unreadable", "--key", "not an Ed25519 verification key origin+hash+base64")
        self.public = Ed25519PublicKey.from_public_bytes(data[1:])

    def open(self, note: bytes, where: str) -> tuple[int, bytes]:
        """Size and root of a checkpoint signed by this key and by no other."""
        match = _NOTE.fullmatch(note.decode("utf-8", errors="replace"))
        root = unbase64(match[3]) if match else b""
        if match is None or len(root) != 32:
            raise Finding("checkpoint_malformed", where, "not a checkpoint of origin, size and root")
        lines = match[4][:-1].split("\n")
        signed = unbase64(lines[0].removeprefix(f"— {self.name} "))
        if match[1] != self.name or len(lines) != 1 or len(signed) != 68 or signed[:4] != self.id:
            raise Finding("checkpoint_signer", where, "not signed by the given key alone, or not of this log")
        text = f"{match[1]}\n{match[2]}\n{match[3]}\n"
        canonical = f"{text}\n— {self.name} {base64.b64encode(signed).decode()}\n"
        try:
            self.public.verify(signed[4:], text.encode())
        except InvalidSignature:
            raise Finding("checkpoint_signature", where, "the signature is wrong") from None
        if canonical.encode() != note:
            raise Finding("checkpoint_malformed", where, "not in its one canonical form")
        return int(match[2]), root


def unbase64(text: object) -> bytes:
    """Strict standard base64: canonical and padded; anything else gives no bytes."""
    try:
        data = base64.b64decode(str(text), validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == text else b""
