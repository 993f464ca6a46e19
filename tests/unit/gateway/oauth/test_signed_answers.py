"""Signed answers: every parameter comes back as it was, and no Accept header breaks the door."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from authlib.common.urls import add_params_to_uri
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gateway.keyring import Keyring, SigningKey
from gateway.oauth.introspect import SIGNED, wants_signed
from gateway.oauth.jarm import packed
from gateway.oauth.jws import parse, verify

KEYS = Keyring((SigningKey.of(ec.generate_private_key(ec.SECP256R1())),))
NOW = 1_900_000_000
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60)
REDIRECTS = st.sampled_from(
    ["https://a.example/cb", "https://a.example/cb?x=1&y=2", "https://a.example/cb?code=theirs&state",
     "http://127.0.0.1:9/cb?x=%26%3D", "https://a.example?iss=other&response=theirs"]
)  # fmt: skip


@given(redirect=REDIRECTS, state=TEXT, code=TEXT)
def test_every_parameter_is_inside(redirect: str, state: str, code: str) -> None:
    """Whatever the state is, and whatever stands in the query of the address already."""
    told = {"code": code, "state": state, "iss": "https://gateway.test"}
    location = add_params_to_uri(redirect, list(told.items()))
    sent = packed(location, redirect, signing=KEYS, client_id="deundeun-budget", now=NOW)
    assert sent.partition("?")[0] == redirect.partition("?")[0]
    own = parse_qsl(urlsplit(redirect).query, keep_blank_values=True)
    pairs = parse_qsl(urlsplit(sent).query, keep_blank_values=True)
    assert pairs[:-1] == own
    assert pairs[-1][0] == "response"
    jws = parse(pairs[-1][1], longest=1 << 20)
    assert verify(jws, KEYS.current.public())
    assert jws.claims == {**told, "aud": "deundeun-budget", "exp": NOW + 300}


def test_a_parameter_cannot_name_the_frame() -> None:
    """`aud` and `exp` are ours, even if an answer had parameters of these names."""
    location = "https://a.example/cb?code=c&aud=other&exp=1"
    sent = packed(location, "https://a.example/cb", signing=KEYS, client_id="us", now=NOW)
    claims = parse(parse_qs(urlsplit(sent).query)["response"][0]).claims
    assert (claims["aud"], claims["exp"]) == ("us", NOW + 300)


WISHES = st.sampled_from(
    [
        "application/",
        SIGNED,
        "json",
        "*/*",
        ";q=",
        ";",
        ",",
        "q=",
        "0",
        "1",
        "0.5",
        "1.0",
        "nan",
        " ",
        "=",
        "é",
    ]
)


@given(st.text(max_size=80) | st.lists(WISHES, max_size=12).map("".join))
def test_any_accept_header(accept: str) -> None:
    """No text breaks its reader, and only one that names the signed form asks for it."""
    assert not wants_signed(accept) or f"application/{SIGNED}" in accept.lower()


@pytest.mark.parametrize("weight", ["0.001", "0.5", "1", "1.000", "1."])
def test_every_positive_weight_is_a_wish(weight: str) -> None:
    """RFC 9110 12.4.2."""
    assert wants_signed(f"text/html, application/{SIGNED};q={weight}")
    assert wants_signed(f"application/{SIGNED}; v=1; q={weight}, application/json;q=0.001")
