"""private_key_jwt as FAPI 2.0 5.3.2.1 and 5.4.1 demand it, at PAR and at the token endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.oauth import clients
from tests.conformance.refused import refused
from tests.oauth_keys import ed25519, es256, rs
from tests.oauth_stage import Stage, document

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One store is enough here: what depends on the store is in test_token, test_authorization, test_metadata."""

BAD = (401, "invalid_client", "client_assertion_invalid")


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        pytest.param({"aud": ["ISSUER"]}, "assertion.aud", id="par-test-array-as-audience-fails"),
        pytest.param(
            {"aud": "ISSUER/par"}, "assertion.aud", id="par-test-par-endpoint-url-as-audience-fails"
        ),
        pytest.param(
            {"aud": "ISSUER/token"}, "assertion.aud", id="par-test-token-endpoint-url-as-audience-fails"
        ),
        pytest.param(
            {"aud": "https://other.test"},
            "assertion.aud",
            id="ensure-client-assertion-with-wrong-aud-fails",
        ),
        pytest.param(
            {"exp": -300},
            "assertion.exp",
            id="ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
        ),
        pytest.param({"exp": None}, "assertion.exp", id="exp-missing"),
        pytest.param({"exp": 86_400}, "assertion.exp", id="exp-a-day-ahead"),
        pytest.param({"sub": None}, "assertion.sub", id="ensure-client-assertion-with-no-sub-fails"),
        pytest.param({"iss": "someone-else"}, "assertion.iss", id="iss-is-another"),
        pytest.param({"jti": None}, "assertion.jti", id="jti-missing"),
        pytest.param(
            {"nbf": 65},
            "assertion.nbf",
            id="par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails",
        ),
        pytest.param({"iat": 65}, "assertion.iat", id="iat-over-60-seconds-in-the-future"),
    ],
)
@pytest.mark.parametrize("endpoint", ["par", "token"])
async def test_bad_claims(stage: Stage, endpoint: str, claims: dict[str, Any], check: str) -> None:
    """Each bad claim is refused, naming its check, at either endpoint."""
    bent = {
        name: stage.now + value if isinstance(value, int) else _of(stage, value)
        for name, value in claims.items()
    }
    form = {"client_assertion": stage.assertion(**bent)}
    sent = stage.push(**form) if endpoint == "par" else stage.token("x" * 43, **form)
    response = await refused(stage, sent, *BAD)
    assert response.json()["params"]["check"] == check


def _of(stage: Stage, value: Any) -> Any:
    if isinstance(value, list):
        return [_of(stage, item) for item in value]
    return value.replace("ISSUER", stage.issuer) if isinstance(value, str) else value


async def test_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    stage: Stage,
) -> None:
    """FAPI 2.0 5.3.2.1-13: up to 10 seconds ahead is no reason to refuse."""
    ahead = stage.assertion(nbf=stage.now + 8, iat=stage.now + 8)
    assert (await stage.push(client_assertion=ahead)).status_code == 201


@pytest.mark.parametrize("make", [es256, ed25519, lambda: ed25519("Ed25519"), rs])
async def test_every_allowed_algorithm_works(stage: Stage, make: Any) -> None:
    """PS256, ES256 and EdDSA, the last under either name."""
    key = make()
    await stage.register("second-company", key)
    stage.client_id, stage.key = "second-company", key
    assert (await stage.push()).status_code == 201


async def test_ensure_signed_client_assertion_with_rs256_fails(stage: Stage) -> None:
    """RS256 is refused even from a registered RSA key."""
    key = rs("RS256")
    made = document("second-company", key)
    made["jwks"]["keys"][0]["alg"] = "PS256"
    await _register(stage, made)
    form = {"client_id": "second-company"}
    claims = {"iss": "second-company", "sub": "second-company"}
    sent = stage.push(client_assertion=stage.assertion(key, **claims), **form)
    assert (await refused(stage, sent, *BAD)).json()["params"]["check"] == "assertion.alg"


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": None}])
async def test_none_and_shared_secret_algorithms_fail(stage: Stage, header: dict[str, Any]) -> None:
    """No unsigned assertion and none under a secret."""
    form = {"client_assertion": stage.assertion(header=header)}
    await refused(stage, stage.push(**form), *BAD)


async def test_a_key_that_is_not_registered_fails(stage: Stage) -> None:
    """Somebody else's signature, under the client's kid or without one."""
    for header in ({"kid": "k0"}, {"typ": "JWT"}, {"kid": "k9"}):
        form = {"client_assertion": stage.assertion(es256(), header)}
        response = await refused(stage, stage.push(**form), *BAD)
        assert response.json()["params"]["check"] == "assertion.signature"


async def test_unknown_client(stage: Stage) -> None:
    """A client nobody registered."""
    stage.client_id = "nobody-here"
    await refused(stage, stage.push(), 401, "invalid_client", "client_unknown")


async def test_suspended_client_stops_at_once(stage: Stage) -> None:
    """PAR, token and a live access token all end with the suspension."""
    tokens = await stage.tokens()
    async with stage.database.transaction() as session:
        assert await clients.suspend(session, stage.client_id, at=stage.now)
    await refused(stage, stage.push(), 401, "invalid_client", "client_suspended")
    sent = stage.refresh(tokens["refresh_token"])
    await refused(stage, sent, 401, "invalid_client", "client_suspended")
    await refused(stage, stage.call(tokens["access_token"]), 401, None, "client_suspended")


async def test_ensure_client_assertion_in_token_endpoint(stage: Stage) -> None:
    """A token request without assertion, and one with a secret instead."""
    code = await stage.code()
    missing = stage.token(code, client_assertion=None, client_assertion_type=None)
    await refused(stage, missing, 401, "invalid_client", "client_assertion_missing")
    await refused(stage, stage.token(code, client_secret="guess"), *BAD)


async def test_replayed_assertion(stage: Stage) -> None:
    """The same assertion a second time is refused, at the same and at another endpoint."""
    used = stage.assertion()
    assert (await stage.push(client_assertion=used)).status_code == 201
    want = (401, "invalid_client", "client_assertion_replayed")
    await refused(stage, stage.push(client_assertion=used), *want)
    await refused(stage, stage.token("x" * 43, client_assertion=used), *want)


async def test_a_refused_request_spends_its_assertion(stage: Stage) -> None:
    """A captured assertion of a refused request is worth nothing."""
    used = stage.assertion()
    sent = stage.push(client_assertion=used, response_type="token")
    await refused(stage, sent, 400, "unsupported_response_type", "unsupported_response_type")
    again = stage.push(client_assertion=used)
    await refused(stage, again, 401, "invalid_client", "client_assertion_replayed")


async def test_ensure_client_id_in_token_endpoint(stage: Stage) -> None:
    """The form's client_id must be who signed."""
    await stage.register("second-company", es256())
    code = await stage.code()
    response = await refused(stage, stage.token(code, client_id="second-company"), *BAD)
    assert response.json()["params"]["check"] == "assertion.client_id"


async def test_refusals_reach_the_ledger_only_after_authentication_and_bounded(stage: Stage) -> None:
    """Design 3.6: none before the client is known, at most ten a minute after."""
    start = await stage.entries()
    for _ in range(3):
        await stage.push(client_assertion=stage.assertion(es256()))
    assert await stage.entries() == start
    for _ in range(12):
        await stage.push(response_type="token")
    assert await stage.entries() == start + 10
    assert stage.server.record.uncounted["client_assertion_invalid"] == 3
    assert stage.server.record.uncounted["unsupported_response_type"] == 2


async def _register(stage: Stage, made: dict[str, Any]) -> None:
    async with stage.database.transaction() as session:
        await clients.add(session, made, at=stage.now)
