"""The self-check lines that bind our own tokens to companies; docs/law.md says why the rest do not."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

from tests.oauth_company import asked_details
from tests.oauth_stage import Stage

DAY = 86_400


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWS, unverified."""
    header, claims = (json.loads(base64.urlsafe_b64decode(f"{part}==")) for part in token.split(".")[:2])
    return header, claims


async def test_fsi_own_1_1_access_tokens_are_jws(stage: Stage) -> None:
    """A JWS of type at+jwt with issuer, audience, number, end and the grant (RFC 9068)."""
    header, claims = claims_of((await stage.tokens())["access_token"])
    assert header["typ"] == "at+jwt"
    assert {"iss", "aud", "jti", "exp", "client_id"} <= set(claims)


async def test_fsi_own_1_3_access_tokens_live_minutes(stage: Stage) -> None:
    """Far below ninety days."""
    tokens = await stage.tokens()
    assert tokens["expires_in"] <= 900


async def test_fsi_own_1_6_no_token_outlives_the_consent(stage: Stage) -> None:
    """Neither access nor refresh token opens anything from the second the consent is over."""
    short = asked_details(stage.today, days=0)
    answered = await stage.token(await stage.code(authorization_details=json.dumps(short)))
    tokens = answered.json()
    assert (await stage.call(tokens["access_token"])).status_code == 200
    assert stage.consent is not None
    stage.clock.forward(stage.consent.terms.end_at - stage.now)
    assert (await stage.call(tokens["access_token"])).status_code == 401
    refused = await stage.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_fsi_own_2_2_each_token_has_a_number_of_its_own(stage: Stage) -> None:
    """Two tokens of one grant never share a jti."""
    tokens = await stage.tokens()
    again = (await stage.refresh(tokens["refresh_token"])).json()
    numbers = {claims_of(body["access_token"])[1]["jti"] for body in (tokens, again)}
    assert len(numbers) == 2


async def test_fsi_own_2_3_an_address_that_is_not_registered_is_refused(stage: Stage) -> None:
    """Neither another redirect address nor another client is served."""
    refused = await stage.push(redirect_uri="https://evil.example/callback")
    assert refused.status_code == 400
    code = await stage.code()
    wrong = await stage.token(code, redirect_uri="https://evil.example/callback")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")


async def test_fsi_own_2_4_codes_are_short(stage: Stage) -> None:
    """A code older than a minute, and so one of ten minutes, is dead."""
    code = await stage.code()
    stage.clock.forward(int(timedelta(minutes=1).total_seconds()) + 1)
    refused = await stage.token(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_fsi_own_3_1_the_refresh_token_stays(stage: Stage) -> None:
    """Using a refresh token does not change it (FAPI 2.0: no rotation without cause)."""
    tokens = await stage.tokens()
    again = (await stage.refresh(tokens["refresh_token"])).json()
    assert again.get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
    assert (await stage.refresh(tokens["refresh_token"])).status_code == 200
