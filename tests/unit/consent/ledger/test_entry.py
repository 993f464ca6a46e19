"""The one encoding of a log entry."""

from __future__ import annotations

import re

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.events import Event
from consent.ledger.entry import MAX_BYTES, Entry, decode, encode
from consent.ledger.errors import LedgerFormatError
from consent.ledger.verify.entry import read_entry

GOOD = Entry(1_790_000_000, "consent:grant:given", "deundeun-budget", b"t" * 32, b"c" * 32)

entries = st.builds(
    Entry,
    at=st.integers(0, (1 << 40) - 1),
    kind=st.sampled_from([event.value for event in Event]),
    party=st.from_regex(re.compile(r"[A-Za-z0-9._~:/-]{1,128}"), fullmatch=True),
    tag=st.none() | st.binary(min_size=32, max_size=32),
    commitment=st.binary(min_size=32, max_size=32),
)


@given(entries)
def test_every_entry_reads_back_and_fits(entry: Entry) -> None:
    """What is encoded is at most 1 kB, decodes to itself, and the independent verifier reads the same."""
    encoded = encode(entry)

    assert len(encoded) <= MAX_BYTES
    assert decode(encoded) == entry
    fields = read_entry(encoded, "here")
    assert (fields[3].decode(), fields.get(5), fields[6]) == (entry.kind, entry.tag, entry.commitment)


def test_the_bytes_are_fixed() -> None:
    """The format is a contract: these very bytes, for ever."""
    expected = (
        "a6010102" + "1a6ab13b80" + "0373" + b"consent:grant:given".hex() + "046f" + b"deundeun-budget".hex()
        + "055820" + "74" * 32 + "065820" + "63" * 32
    )  # fmt: skip

    assert encode(GOOD).hex() == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"at": -1},
        {"at": 1 << 40},
        {"at": True},
        {"kind": "Consent:Grant:Given"},
        {"kind": "consent:grant"},
        {"party": "someone@example.org"},
        {"party": "홍길동"},
        {"party": ""},
        {"tag": b"short"},
        {"commitment": b"short"},
        {"commitment": None},
    ],
)
def test_values_outside_the_grammar_are_refused(changed: dict[str, object]) -> None:
    """An entry has no room for a name, an e-mail address or an open text."""
    values = {"at": 1, "kind": GOOD.kind, "party": GOOD.party, "tag": None, "commitment": b"c" * 32}

    with pytest.raises(LedgerFormatError):
        Entry(**{**values, **changed})  # type: ignore[arg-type]


FIELDS = {1: 1, 2: 5, 3: "a:b:c", 4: "x", 6: b"c" * 32}


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\xa5",
        b"\xff" * 20,
        cbor2.dumps([1, 2]),
        cbor2.dumps({**FIELDS, 1: 2}),
        cbor2.dumps({**FIELDS, 7: 1}),
        cbor2.dumps(dict(reversed(FIELDS.items()))),
        cbor2.dumps({**FIELDS, 2: 5.0}),
        cbor2.dumps({**FIELDS, 3: "a:b"}),
        encode(GOOD) + b"\x00",
        encode(GOOD)[:-1],
        encode(Entry(5, "a:b:c", "x", None, b"c" * 32)).replace(b"\x02\x05", b"\x02\x18\x05"),
        b"\xa5" + b"\x00" * MAX_BYTES,
    ],
)
def test_other_encodings_are_refused(encoded: bytes) -> None:
    """Both readers refuse what is not the one deterministic form of a version 1 entry."""
    with pytest.raises(LedgerFormatError):
        decode(encoded)
    with pytest.raises(Exception, match="entry_malformed"):
        read_entry(encoded, "here")


@given(entries, st.data())
def test_no_changed_byte_reads_as_the_same_entry(entry: Entry, data: st.DataObject) -> None:
    """A changed byte gives another entry or none: no two encodings share a meaning."""
    encoded = bytearray(encode(entry))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = decode(bytes(encoded))
    except LedgerFormatError:
        return

    assert read != entry
    assert encode(read) == bytes(encoded)
