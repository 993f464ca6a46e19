"""The official modules of the Message Signing plan: signed requests at PAR, good and bad."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.official import answer, official, official_each, refusal, second_client
from tests.conformance.varied import VariedStage
from tests.oauth_keys import b64, rs
from tests.request_objects import claims, push, signed

OBJECT = {"invalid_request_object"}
"""What every negative module of request objects wants at PAR, exactly."""
MINUTES = 60
JWT_ONLY = {"iss", "aud", "nbf", "iat", "exp", "jti"}


async def _goes_through(stage: VariedStage, **members: Any) -> None:
    """A signed request with these members leads to a token that works."""
    told = await answer(stage, **members)
    answered = await stage.token(told["code"])
    assert answered.status_code == 200, answered.text
    assert (await stage.call(answered.json()["access_token"])).status_code == 200


@official("ensure-request-object-with-multiple-aud-succeeds")
async def test_several_audiences(stage: VariedStage) -> None:
    """FAPI 2.0 Message Signing 5.3.1: aud may be an array that holds the issuer."""
    await _goes_through(stage, aud=["https://other.example", stage.issuer])


@official("ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted")
async def test_nbf_8_seconds_ahead(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.1-13: clocks may differ by some seconds."""
    await _goes_through(stage, nbf=stage.now + 8)


BAD: dict[str, dict[str, Any]] = {
    "ensure-request-object-without-exp-fails": {"exp": None},
    "ensure-request-object-without-nbf-fails": {"nbf": None},
    "ensure-expired-request-object-fails": {"exp": -5 * MINUTES, "nbf": -10 * MINUTES},
    "ensure-request-object-with-bad-aud-fails": {"aud": "https://other.example"},
    "ensure-request-object-with-exp-over-60-fails": {"exp": 70 * MINUTES},
    "ensure-request-object-with-nbf-over-60-fails": {"nbf": -70 * MINUTES},
    "par-authorization-request-containing-request_uri": {"request_uri": "urn:example:random"},
}


@official_each("members", BAD)
async def test_bad_members(stage: VariedStage, members: dict[str, Any]) -> None:
    """Each is invalid_request_object at PAR; seconds are counted from now."""
    counted = {name: stage.now + value for name, value in members.items() if isinstance(value, int)}
    refusal(await push(stage, signed(stage, **{**members, **counted})), OBJECT)


@official("ensure-signed-request-object-with-RS256-fails")
async def test_rs256(stage: VariedStage) -> None:
    """FAPI 2.0 5.4.1: the registered RSA key, good under PS256, is refused under RS256."""
    await stage.become("rsa-company", rs())
    assert (await push(stage, signed(stage))).status_code == 201
    refusal(await push(stage, signed(stage, stage.key.as_rs256())), OBJECT)


@official("ensure-request-object-signature-algorithm-is-not-none")
async def test_alg_none(stage: VariedStage) -> None:
    """No signature at all, and the name `none` over a good one."""
    unsigned = stage.key.jws({"alg": "none", "typ": None}, claims(stage)).rpartition(".")[0] + "."
    refusal(await push(stage, unsigned), OBJECT)
    refusal(await push(stage, signed(stage, header={"alg": "none"})), OBJECT)


@official("ensure-request-object-with-invalid-signature-fails")
async def test_broken_signature(stage: VariedStage) -> None:
    """A signature over something else, of the right form."""
    text, _, _ = signed(stage).rpartition(".")
    refusal(await push(stage, f"{text}.{b64(stage.key.sign(b'something else'))}"), OBJECT)


@official("ensure-matching-key-in-authorization-request")
async def test_key_of_another_client(stage: VariedStage) -> None:
    """A request object of the first client under the second client's key, pushed by the first."""
    first = await second_client(stage)
    key = stage.key
    stage.identity = first
    refusal(await push(stage, signed(stage, key)), OBJECT)
    assert (await push(stage, signed(stage))).status_code == 201


@official("ensure-unsigned-request-at-par-endpoint-fails")
async def test_unsigned_request(stage: VariedStage) -> None:
    """A client that registered require_signed_request_object pushes plain parameters: invalid_request."""
    form = {name: value for name, value in claims(stage).items() if name not in JWT_ONLY}
    form["authorization_details"] = json.dumps(form["authorization_details"])
    refusal(await stage.post("/par", None, **form), {"invalid_request"})
    await _goes_through(stage)
