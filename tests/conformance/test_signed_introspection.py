"""RFC 9701: introspection answers a caller can show to others, signed, for that caller alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.oauth.jws import parse
from tests.conformance.test_signed_responses import opened
from tests.oauth_keys import es256
from tests.oauth_stage import Stage

SIGNED = "application/token-introspection+jwt"


async def ask(stage: Stage, token: str | None, accept: str = SIGNED, **form: Any) -> httpx.Response:
    """Introspect `token`, accepting `accept`."""
    assertion = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": stage.assertion(),
    }
    fields = {"token": token, **assertion, **form}
    data = {name: value for name, value in fields.items() if value is not None}
    return await stage.http.post("/introspect", data=data, headers={"Accept": accept})


async def told(stage: Stage, response: httpx.Response) -> dict[str, Any]:
    """The claims of a signed answer, which has nothing outside `token_introspection` but its frame."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == SIGNED
    assert response.headers["cache-control"] == "no-store"
    assert parse(response.text).header["typ"] == "token-introspection+jwt"
    claims = await opened(stage, response.text)
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert (claims["iss"], claims["aud"], claims["iat"]) == (stage.issuer, stage.client_id, stage.now)
    inside: dict[str, Any] = claims["token_introspection"]
    return inside


async def test_the_signed_answer_is_the_plain_one(stage: Stage) -> None:
    """RFC 9701 5: the same members, and inactive the moment the consent is withdrawn."""
    tokens = await stage.tokens()
    for name in ("access_token", "refresh_token"):
        inside = await told(stage, await ask(stage, tokens[name]))
        assert inside == (await ask(stage, tokens[name], "application/json")).json()
        assert inside["active"] is True
        assert inside["authorization_details"] == tokens["authorization_details"]
    await stage.withdraw()
    for name in ("access_token", "refresh_token"):
        assert await told(stage, await ask(stage, tokens[name])) == {"active": False}


async def test_anothers_token_and_an_unknown_one(stage: Stage) -> None:
    """Another client's token is told like an unknown one, signed for whoever asked."""
    tokens = await stage.tokens()
    stage.client_id, stage.key = "second-company", es256()
    await stage.register()
    for token in (tokens["access_token"], tokens["refresh_token"], "guess"):
        assert await told(stage, await ask(stage, token)) == {"active": False}


@pytest.mark.parametrize(
    "accept",
    [
        SIGNED,
        SIGNED.upper(),
        f"application/json;q=0.5, {SIGNED}",
        f"{SIGNED} ; q=1.0",
        f"*/*, {SIGNED};q=0.9",
    ],
)
async def test_who_asks_for_it_gets_it(stage: Stage, accept: str) -> None:
    """RFC 9110 12.5.1: by name, with weights, in any case."""
    assert await told(stage, await ask(stage, "guess", accept)) == {"active": False}


@pytest.mark.parametrize(
    "accept",
    [
        "*/*", "application/*", "application/json", "", "token-introspection+jwt", "application/jwt",
        f"application/json, {SIGNED};q=0.9", f"{SIGNED};q=0", f"{SIGNED};q=0.000", f"{SIGNED};q=nan",
        f"{SIGNED};q=-1", f"{SIGNED};q=2", f"{SIGNED};q=inf", f"{SIGNED};q=", ";;,,;q=1",
    ],
)  # fmt: skip
async def test_who_does_not_gets_json(stage: Stage, accept: str) -> None:
    """Wildcards, other types, a lower weight and weights that are none."""
    response = await ask(stage, "guess", accept)
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"active": False}


async def test_refusals_stay_json(stage: Stage) -> None:
    """Without a token, and without authentication: an OAuth error, not a JWT."""
    missing = await ask(stage, None)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    nobody = await ask(stage, "guess", client_assertion="guess")
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")


async def test_an_answer_is_no_access_token(stage: Stage) -> None:
    """RFC 9701 8.1: signed by the same key, it opens no door and is itself no live token."""
    tokens = await stage.tokens()
    answered = (await ask(stage, tokens["access_token"])).text
    assert (await stage.call(answered)).status_code == 401
    assert await told(stage, await ask(stage, answered)) == {"active": False}
