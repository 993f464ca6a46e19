"""An id_token counts only if everything about it is right (OpenID Connect Core 3.1.3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.keyring import SigningKey
from gateway.oauth.jws import PublicKey
from gateway.web.id_token import Expected, public_keys, verified_person
from gateway.web.identity import IdentityError, Person
from tests.oauth_keys import rs

NOW = 1_795_000_000
KEY = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
OTHER = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
CLAIMS = {
    "iss": "https://id.test",
    "aud": "gateway",
    "sub": "person",
    "age": 30,
    "nonce": "n",
    "iat": NOW,
    "exp": NOW + 300,
}


async def key_of(kid: str) -> PublicKey | None:
    """The provider's keys."""
    return public_keys({"keys": [KEY.jwk()]}).get(kid)


async def checked(token: str) -> Person:
    """The person a token names."""
    return await verified_person(token, "access", Expected("https://id.test", "gateway", "n", NOW), key_of)


def token(key: SigningKey = KEY, typ: str = "JWT", **changes: Any) -> str:
    """A token with claims replaced; None drops one."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return key.sign(claims, typ)


async def test_a_right_token_names_the_person() -> None:
    """Issuer, subject and age come out; the access token is not shown."""
    person = await checked(token())
    assert (person.issuer, person.subject, person.age) == ("https://id.test", "person", 30)
    assert "access" not in repr(person).replace("access=", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.test"},
        {"iss": "https://id.test/"},
        {"aud": "another"},
        {"aud": ["gateway", "another"]},
        {"aud": []},
        {"azp": "another"},
        {"nonce": "m"},
        {"nonce": None},
        {"nonce": 1},
        {"exp": NOW - 31},
        {"exp": None},
        {"exp": str(NOW + 300)},
        {"exp": True},
        {"iat": NOW + 31},
        {"iat": NOW - 601},
        {"iat": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 256},
        {"age": None},
        {"age": "30"},
        {"age": True},
        {"age": -1},
    ],
)
async def test_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    """Each wrong, missing or mistyped claim refuses the whole sign-in."""
    with pytest.raises(IdentityError) as refused:
        await checked(token(**changes))
    assert refused.value.code == "sign_in_failed"


async def test_a_wrong_signature_is_refused() -> None:
    """Another key, another kind of token, another algorithm, a changed byte, no signature."""
    good = token()
    head, body, signature = good.split(".")
    foreign = SigningKey(OTHER.private, KEY.kid)
    rsa = rs()
    odd = [
        token(OTHER),
        token(foreign),
        token(typ="at+jwt"),
        rsa.jws({"kid": KEY.kid, "typ": "JWT"}, CLAIMS),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}x.{signature}",
        f"{head}.{body}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'Q'}",
        "",
        "...",
    ]
    for wrong in odd:
        with pytest.raises(IdentityError):
            await checked(wrong)


def test_odd_keys_are_passed_over() -> None:
    """Keys of other kinds, for other uses or without a name do not stop the usable one."""
    odd: list[Any] = [
        {"kty": "oct", "k": "AA"},
        {**OTHER.jwk(), "use": "enc"},
        {**OTHER.jwk(), "kid": 1},
        "x",
    ]
    assert set(public_keys({"keys": [*odd, KEY.jwk()]})) == {KEY.kid}
    assert public_keys({}) == {}


async def since(at: int, **changes: Any) -> Person:
    """The person of a token when a sign-in at or after `at` was asked for."""
    expected = Expected("https://id.test", "gateway", "n", NOW, at)
    return await verified_person(token(**changes), "access", expected, key_of)


async def test_the_sign_in_is_told_as_the_provider_told_it() -> None:
    """auth_time, acr and amr where they are there, nothing where they are not."""
    how = (await checked(token(auth_time=NOW - 9, acr="urn:a", amr=["otp", 7]))).how
    assert (how.auth_time, how.acr, how.amr) == (NOW - 9, "urn:a", ("otp",))
    how = (await checked(token(acr="urn:\x00", amr=["\x00", "pin"]))).how
    assert (how.acr, how.amr) == (None, ("pin",))
    how = (await checked(token(acr=5, amr="otp"))).how
    assert (how.auth_time, how.acr, how.amr) == (None, None, ())


@pytest.mark.parametrize("at", [None, NOW - 131, NOW + 31, "now", -1, True])
async def test_an_old_sign_in_is_not_taken_for_a_new_one(at: Any) -> None:
    """Core 3.1.3.7-13: with max_age sent, auth_time must be there and recent enough."""
    with pytest.raises(IdentityError):
        await since(NOW - 100, auth_time=at)


async def test_clocks_may_differ_by_half_a_minute() -> None:
    """A sign-in the provider dates a little early was after the request by our clock, and is kept as such."""
    assert (await since(NOW - 100, auth_time=NOW - 120)).how.auth_time == NOW - 100
    assert (await since(NOW - 100, auth_time=NOW - 50)).how.auth_time == NOW - 50
    assert (await since(NOW, auth_time=NOW + 20)).how.auth_time == NOW
