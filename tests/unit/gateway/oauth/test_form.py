"""The form reader: the standard library's reading of everything it accepts, and nothing ambiguous."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.form import parse
from gateway.oauth.refusals import OAuthRefusal

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, NAMES, max_size=20))
def test_reads_what_was_encoded(fields: dict[str, str]) -> None:
    """Encoding and reading give the same fields."""
    assert parse(urlencode(fields).encode()) == fields


@given(st.binary(max_size=300))
def test_accepts_only_what_the_standard_library_reads_alike(body: bytes) -> None:
    """Any bytes are either refused or read as urllib reads them, without doubles."""
    fields = _read(body)
    if fields is None:
        return
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=False)
    assert fields == {name: value for name, value in pairs if value}
    assert len({name for name, _ in pairs}) == len(pairs)


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a&a", b"a=1&%61=2", b"a=1;b=2=&&", b"=1", b"&", b"a=%2"])
def test_ambiguity_is_refused(body: bytes) -> None:
    """Doubles (also in disguise), nameless fields and broken escapes."""
    with pytest.raises(OAuthRefusal):
        parse(body)


def test_a_field_without_value_counts_as_absent() -> None:
    """RFC 6749 3.1."""
    assert parse(b"a=&b=1") == {"b": "1"}


def _read(body: bytes) -> dict[str, str] | None:
    try:
        return parse(body)
    except OAuthRefusal:
        return None
