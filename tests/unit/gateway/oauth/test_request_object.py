"""The reader of request objects: any text is refused or read, and what is read is exactly what was signed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.clients import parse_client
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.request_object import parameters
from tests.oauth_keys import b64, ed25519, es256
from tests.oauth_stage import document

ISSUER, NOW = "https://gateway.test", 1_900_000_000
KEY = ed25519()
CLIENT = parse_client(document("deundeun-budget", KEY))
FRAME: dict[str, Any] = {
    "iss": CLIENT.id, "client_id": CLIENT.id, "aud": ISSUER, "nbf": NOW, "exp": NOW + 60,
}  # fmt: skip

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
WHOLE = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["state", "nonce", "redirect_uri", "authorization_details", "claims", "max_age", "request_uri", "aud",
     "iss", "exp", "nbf", "iat", "sub", "typ", "client_id", "anything"]
)  # fmt: skip
HEADERS = st.sampled_from(["typ", "kid", "alg", "crit"])


def read(token: str, **beside: str) -> dict[str, str] | str:
    """What is read, or the code of the refusal; anything else is an error of the reader."""
    try:
        return parameters({"request": token, **beside}, CLIENT, issuer=ISSUER, now=NOW)
    except OAuthRefusal as refusal:
        return refusal.code


@given(state=TEXT, nonce=TEXT, details=st.lists(JSON, max_size=3), beside=st.dictionaries(TEXT, TEXT))
def test_what_was_signed_is_read(state: str, nonce: str, details: list[Any], beside: dict[str, str]) -> None:
    """Texts as they are, structures as JSON of the same value; nothing of what stands beside."""
    members = {"state": state, "nonce": nonce, "authorization_details": details}
    read_back = read(KEY.jws({}, {**FRAME, **members}), **{f"x-{name}": beside[name] for name in beside})
    assert isinstance(read_back, dict)
    assert set(read_back) == {"client_id", *members}
    assert (read_back["state"], read_back["nonce"]) == (state, nonce)
    assert json.loads(read_back["authorization_details"]) == details


@given(st.text(max_size=200))
def test_any_text(token: str) -> None:
    """No text breaks the reader, and none is taken."""
    assert read(token) == "request_object_invalid"


@given(st.binary(max_size=80), st.binary(max_size=200))
def test_any_parts(header: bytes, claims: bytes) -> None:
    """The same for well-formed base64url around any bytes, under a good signature."""
    text = f"{b64(header)}.{b64(claims)}"
    assert read(f"{text}.{b64(KEY.sign(text.encode()))}") == "request_object_invalid"


@given(
    st.dictionaries(NAMES, JSON, max_size=4), st.dictionaries(st.sampled_from(["typ", "kid", "alg"]), JSON)
)
def test_any_members_under_a_good_signature(members: dict[str, Any], header: dict[str, Any]) -> None:
    """Whatever a client signs is refused by one code or read as texts without NUL."""
    seen = read(KEY.jws(header, {**FRAME, **members}))
    if isinstance(seen, str):
        assert seen == "request_object_invalid"
        return
    assert seen["client_id"] == CLIENT.id
    assert all(isinstance(text, str) and text and "\x00" not in text for text in seen.values())
    assert not {"request_uri", "request", "iss", "aud", "exp", "nbf", "sub"} & seen.keys()


@given(place=st.integers(0, 10_000), bit=st.integers(0, 5))
def test_any_changed_character_is_detected(place: int, bit: int) -> None:
    """No character of an object can be changed."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = KEY.jws({"kid": "k0"}, {**FRAME, "state": "s"})
    at = place % len(token)
    if token[at] != ".":
        other = alphabet[alphabet.index(token[at]) ^ (1 << bit)]
        assert read(token[:at] + other + token[at + 1 :]) == "request_object_invalid"


@given(nbf=st.integers(NOW - 8000, NOW + 200), life=st.integers(-100, 8000))
def test_the_window(nbf: int, life: int) -> None:
    """Taken while begun (30 s grace), begun at most an hour ago, not ended, an hour long at most."""
    good = NOW - 3600 <= nbf <= NOW + 30 and nbf + life > NOW and life <= 3600
    assert isinstance(read(KEY.jws({}, {**FRAME, "nbf": nbf, "exp": nbf + life})), dict) == good


def test_a_form_is_given_through() -> None:
    """Without an object the form is what is asked, unless the client must sign."""
    assert parameters({"state": "s"}, CLIENT, issuer=ISSUER, now=NOW) == {"state": "s"}
    strict = parse_client({**document("a-signer", KEY), "require_signed_request_object": True})
    with pytest.raises(OAuthRefusal) as refused:
        parameters({"state": "s"}, strict, issuer=ISSUER, now=NOW)
    assert (refused.value.code, refused.value.oauth_error) == ("request_object_required", "invalid_request")


def test_a_key_that_is_not_registered() -> None:
    """Right in everything but its key."""
    assert read(es256().jws({}, FRAME)) == "request_object_invalid"
    assert read(ed25519().jws({"kid": "k0"}, FRAME)) == "request_object_invalid"
