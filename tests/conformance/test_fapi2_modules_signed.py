"""The official modules of the Message Signing plan: signed requests at PAR, good and bad."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.official import granted, official, refusal, second_client
from tests.oauth_keys import b64, rs
from tests.oauth_stage import Stage, redirected
from tests.request_objects import claims, push, signed

OBJECT = {"invalid_request_object"}
"""What every negative module of request objects wants at PAR, exactly."""
MINUTES = 60


async def _goes_through(stage: Stage, **members: Any) -> None:
    """A signed request with these members leads to a token that works."""
    pushed = await push(stage, signed(stage, **members))
    assert pushed.status_code == 201, pushed.text
    interaction = (await stage.visit(pushed.json()["request_uri"])).headers["location"].rpartition("/")[2]
    await stage.settle(interaction)
    told = redirected(await stage.resume(interaction))
    answered = await stage.token(told["code"])
    assert answered.status_code == 200, answered.text
    assert (await stage.call(answered.json()["access_token"])).status_code == 200


@official("ensure-request-object-with-multiple-aud-succeeds")
async def test_several_audiences(stage: Stage, module: str) -> None:
    """FAPI 2.0 Message Signing 5.3.1: aud may be an array that holds the issuer."""
    await _goes_through(stage, aud=["https://other.example", stage.issuer])


@official("ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted")
async def test_nbf_8_seconds_ahead(stage: Stage, module: str) -> None:
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


@pytest.mark.parametrize("members", [pytest.param(bent, id=name) for name, bent in BAD.items()])
async def test_bad_members(stage: Stage, members: dict[str, Any]) -> None:
    """Each is invalid_request_object at PAR; seconds are counted from now."""
    counted = {name: stage.now + value for name, value in members.items() if isinstance(value, int)}
    refusal(await push(stage, signed(stage, **{**members, **counted})), OBJECT)


@official("ensure-signed-request-object-with-RS256-fails")
async def test_rs256(stage: Stage, module: str) -> None:
    """FAPI 2.0 5.4.1: the registered RSA key, good under PS256, is refused under RS256."""
    stage.client_id, stage.key = "rsa-company", rs()
    await stage.register()
    assert (await push(stage, signed(stage))).status_code == 201
    refusal(await push(stage, signed(stage, stage.key.as_rs256())), OBJECT)


@official("ensure-request-object-signature-algorithm-is-not-none")
async def test_alg_none(stage: Stage, module: str) -> None:
    """No signature at all, and the name `none` over a good one."""
    unsigned = stage.key.jws({"alg": "none", "typ": None}, claims(stage)).rpartition(".")[0] + "."
    refusal(await push(stage, unsigned), OBJECT)
    refusal(await push(stage, signed(stage, header={"alg": "none"})), OBJECT)


@official("ensure-request-object-with-invalid-signature-fails")
async def test_broken_signature(stage: Stage, module: str) -> None:
    """A signature over something else, of the right form."""
    text, _, _ = signed(stage).rpartition(".")
    refusal(await push(stage, f"{text}.{b64(stage.key.sign(b'something else'))}"), OBJECT)


@official("ensure-matching-key-in-authorization-request")
async def test_key_of_another_client(stage: Stage, module: str) -> None:
    """A request object of the first client under the second client's key, pushed by the first."""
    first = await second_client(stage)
    key = stage.key
    stage.client_id, stage.key, stage.dpop = first
    refusal(await push(stage, signed(stage, key)), OBJECT)
    assert (await push(stage, signed(stage))).status_code == 201


@official("ensure-unsigned-request-at-par-endpoint-fails")
async def test_unsigned_request(stage: Stage, module: str) -> None:
    """A client that registered require_signed_request_object pushes plain parameters: invalid_request."""
    await granted(stage)
    await stage.register_signing("signing-company")
    refusal(await stage.push(), {"invalid_request"})
    await _goes_through(stage)
