"""The strict JWS reader against two other libraries, and against forged and malformed input."""

from __future__ import annotations

import contextlib
import json
import warnings

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as jose
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.oauth.jws import JwsError, decode, import_jwk, parse, verify
from tests.oauth_keys import b64, ed25519, es256, rs

RSA = rs()
KEYS = {"ES256": es256(), "EdDSA": ed25519(), "PS256": RSA}


@pytest.mark.parametrize("alg", KEYS)
def test_what_others_accept_is_accepted(alg: str) -> None:
    """A token verifies here exactly as in PyJWT and joserfc."""
    key = KEYS[alg]
    token = key.jws({}, {"sub": "a"})
    public, _ = import_jwk(key.jwk)
    assert verify(parse(token), public)
    assert jwt.decode(token, jwt.PyJWK({**key.jwk, "alg": alg}).key, [alg]) == {"sub": "a"}
    kinds = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc warns of the older name EdDSA
        jose.deserialize_compact(token, kinds[key.jwk["kty"]].import_key(key.jwk), algorithms=[alg])


@pytest.mark.parametrize("alg", KEYS)
def test_thumbprints_equal_joserfc(alg: str) -> None:
    """RFC 7638 as another library computes it."""
    kinds = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
    jwk = KEYS[alg].jwk
    assert import_jwk({**jwk, "kid": "x", "use": "sig"})[1] == kinds[jwk["kty"]].import_key(jwk).thumbprint()


@pytest.mark.parametrize("alg", KEYS)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 5))
def test_any_changed_character_is_detected(alg: str, place: int, bit: int) -> None:
    """Changing one character anywhere breaks form or signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    key = KEYS[alg]
    token = key.jws({}, {"sub": "a"})
    at = place % len(token)
    if token[at] == ".":
        return
    other = alphabet[alphabet.index(token[at]) ^ (1 << bit)]
    public, _ = import_jwk(key.jwk)
    with contextlib.suppress(JwsError):
        assert not verify(parse(token[:at] + other + token[at + 1 :]), public)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is a Jws or a JwsError, nothing else."""
    with contextlib.suppress(JwsError):
        parse(text)


@given(st.binary(max_size=64))
def test_one_spelling_for_one_value(data: bytes) -> None:
    """Base64url decodes what it encodes, and no padded or loose form of it."""
    text = b64(data)
    assert decode(text) == data
    for loose in (text + "=", text + "\n", " " + text):
        with pytest.raises(JwsError):
            decode(loose)


def test_trailing_bits_are_refused() -> None:
    """`AB` and `AA` would decode to the same byte; only one is canonical."""
    assert decode("AA") == b"\x00"
    with pytest.raises(JwsError, match="canonical"):
        decode("AB")


@pytest.mark.parametrize(
    ("jwk", "why"),
    [
        ({**es256().jwk, "d": "AAAA"}, "private"),
        ({"kty": "oct", "k": "AAAA"}, "private"),
        ({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}, "P-256"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "malformed"),
        ({"kty": "EC", "crv": "P-256", "x": b64(b"\x01" * 32), "y": b64(b"\x01" * 32)}, "malformed"),
        ({"kty": "OKP", "crv": "X25519", "x": b64(b"\x01" * 32)}, "P-256"),
        ({"kty": "RSA", "n": b64(b"\xff" * 128), "e": "AQAB"}, "2048"),
        ({"kty": "RSA", "n": RSA.jwk["n"], "e": "AQ"}, "malformed"),
        ("text", "object"),
        ({}, "P-256"),
    ],
)
def test_unusable_keys(jwk: object, why: str) -> None:
    """Private, symmetric, weak and malformed keys are refused with a reason."""
    with pytest.raises(JwsError, match=why):
        import_jwk(jwk)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "....", "e30.e30.!", "e30.MQ.AA", "bnVsbA.e30.AA"])
def test_malformed_tokens(token: str) -> None:
    """Anything but three canonical parts with objects."""
    with pytest.raises(JwsError):
        parse(token)


def test_a_token_too_long() -> None:
    """A size limit comes before any work."""
    with pytest.raises(JwsError, match="long"):
        parse("a" * 20_000)


def test_an_algorithm_must_fit_its_key() -> None:
    """The alg header never chooses how a key is used."""
    public, _ = import_jwk(KEYS["ES256"].jwk)
    for alg in ("EdDSA", "PS256", "HS256", "none", "RS256"):
        assert not verify(parse(KEYS["ES256"].jws({"alg": alg}, {"sub": "a"})), public)
    assert json.loads(decode(KEYS["ES256"].jws({}, {}).split(".")[0]))["alg"] == "ES256"
