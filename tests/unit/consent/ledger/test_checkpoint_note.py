"""Signed checkpoints: one form, one signer."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.ledger.checkpoint import Checkpoint, open_note, sign, vkey
from consent.ledger.errors import LedgerFormatError
from consent.ledger.verify.note import Key
from consent.ledger.verify.report import Finding

ORIGIN = "mydata.test/ledger/2026"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
VKEY = vkey(ORIGIN, KEY.public_key())
CHECKPOINT = Checkpoint(ORIGIN, 1234, b"r" * 32)
NOTE = sign(CHECKPOINT, KEY)
SIGNATURE = NOTE.split("\n")[-2]


def test_a_checkpoint_reads_back() -> None:
    """Both readers accept what the log signed."""
    assert open_note(NOTE, VKEY) == CHECKPOINT
    assert Key(VKEY).open(NOTE.encode(), "here") == (1234, b"r" * 32)


def test_the_text_is_that_of_the_specification() -> None:
    """Origin, decimal size, base64 root, an empty line, the signature line."""
    lines = NOTE.split("\n")

    assert lines[:4] == [ORIGIN, "1234", base64.b64encode(b"r" * 32).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_the_key_text_matches_the_published_example() -> None:
    """The verification key of the signed-note specification's example has the key id written there."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    raw = base64.b64decode(text.rsplit("+", 1)[1])[1:]

    assert vkey("PeterNeumann", Ed25519PublicKey.from_public_bytes(raw)) == text


@pytest.mark.parametrize(
    "note",
    [
        "",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + SIGNATURE + "\n",
        NOTE + "— witness.example AAAAAAAA\n",
        NOTE.replace("\n1234\n", "\n01234\n"),
        NOTE.replace("\n1234\n", "\n1235\n"),
        NOTE.replace("\n1234\n", "\n+1234\n"),
        NOTE.replace("\n1234\n", "\n١٢٣٤\n"),
        NOTE.replace("\n\n", "\nextension\n\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace(f"— {ORIGIN} ", f"— {ORIGIN}  "),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace(ORIGIN, "another.test/log"),
        sign(CHECKPOINT, OTHER),
        sign(Checkpoint("another.test/log", 1234, b"r" * 32), KEY),
        sign(Checkpoint(ORIGIN, 1234, b"r" * 31), KEY),
        NOTE.replace("=\n\n", "\n\n"),
    ],
)
def test_anything_else_is_refused(note: str) -> None:
    """Other spellings, other signers, more signers and other logs are refused by both readers."""
    with pytest.raises(LedgerFormatError):
        open_note(note, VKEY)
    with pytest.raises(Finding):
        Key(VKEY).open(note.encode(), "here")


def test_no_bit_of_a_checkpoint_may_change() -> None:
    """Every single flipped bit is refused by both readers."""
    data = NOTE.encode()
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Finding):
            Key(VKEY).open(bytes(changed), "here")
        with pytest.raises(LedgerFormatError):
            open_note(bytes(changed).decode("utf-8", errors="replace"), VKEY)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", "a+b+c", VKEY + "=", VKEY[:-2], VKEY.replace("+", "+0", 1), "x" + VKEY, VKEY + "\n"],
)
def test_a_malformed_key_is_refused(text: str) -> None:
    """A key whose id does not match its bytes, or that is not canonical, opens nothing."""
    with pytest.raises(LedgerFormatError):
        open_note(NOTE, text)
    with pytest.raises(Finding):
        Key(text)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "로그"])
def test_an_origin_that_would_break_the_note_is_refused(origin: str) -> None:
    """Neither key text nor checkpoint is made for an origin the format cannot carry."""
    with pytest.raises(LedgerFormatError):
        vkey(origin, KEY.public_key())
    with pytest.raises(LedgerFormatError):
        sign(Checkpoint(origin, 0, b"r" * 32), KEY)
