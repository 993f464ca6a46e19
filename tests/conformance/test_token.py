"""FAPI 2.0 5.3.2.1 and 5.3.2.2, RFC 6749 5, RFC 7636: the token endpoint."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.oauth import clients
from tests.conformance.refused import refused
from tests.oauth_keys import es256
from tests.oauth_stage import Stage, asked_details, document


async def test_happy_flow(stage: Stage) -> None:
    """The token response is uncacheable JSON and the token works."""
    response = await stage.token(await stage.code())
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert (await stage.call(response.json()["access_token"])).status_code == 200


async def test_ensure_holder_of_key_required(stage: Stage) -> None:
    """No proof, no token; the code stays usable."""
    code = await stage.code()
    await refused(stage, stage.token(code, None), 400, "invalid_request", "dpop_missing")
    assert (await stage.token(code)).status_code == 200


async def test_ensure_authorization_code_is_bound_to_client(stage: Stage) -> None:
    """Another client's code is an unknown code, and stays the other's."""
    code, first = await stage.code(), (stage.client_id, stage.key)
    stage.client_id, stage.key = "second-company", es256()
    await stage.register()
    await refused(stage, stage.token(code), 400, "invalid_grant", "code_unknown")
    stage.client_id, stage.key = first
    assert (await stage.token(code)).status_code == 200


async def test_attempt_reuse_authorization_code_after_one_second(stage: Stage) -> None:
    """A replayed code is invalid_grant and takes the access it gave with it (RFC 6749 4.1.2)."""
    code = await stage.code()
    tokens = (await stage.token(code)).json()
    stage.clock.forward(1)
    response = await stage.token(code)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert response.json()["code"] == "code_replayed"
    assert (await stage.call(tokens["access_token"])).json()["code"] == "token_superseded"
    assert (await stage.refresh(tokens["refresh_token"])).json()["code"] == "token_superseded"
    assert (await stage.state())["consent"] == 1


async def test_one_code_at_once_gives_one_token(stage: Stage) -> None:
    """Of sixteen requests with one code exactly one is accepted."""
    code = await stage.code()
    answers = await asyncio.gather(*(stage.token(code) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 15]


async def test_identical_requests_at_once_give_one_token(stage: Stage) -> None:
    """Of sixteen identical requests exactly one is accepted, and its token lives."""
    code, assertion, proof = await stage.code(), stage.assertion(), stage.proof("POST", "/token")
    sent = (stage.token(code, proof, client_assertion=assertion) for _ in range(16))
    answers = await asyncio.gather(*sent)
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert (await stage.call(won[0].json()["access_token"])).status_code == 200


async def test_ensure_token_endpoint_fails_with_expired_auth_code(stage: Stage) -> None:
    """FAPI 2.0 5.3.2.1-11: a minute at most."""
    code = await stage.code()
    stage.clock.forward(60)
    await refused(stage, stage.token(code), 400, "invalid_grant", "code_expired")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        pytest.param({"code_verifier": None}, "pkce_mismatch", id="ensure-pkce-code-verifier-required"),
        pytest.param(
            {"code_verifier": "w" * 50}, "pkce_mismatch", id="incorrect-pkce-code-verifier-rejected"
        ),
        pytest.param({"code_verifier": "v"}, "pkce_mismatch", id="pkce-verifier-too-short"),
        pytest.param({"redirect_uri": None}, "invalid_grant", id="redirect-uri-missing"),
        pytest.param({"redirect_uri": "https://evil.example/"}, "invalid_grant", id="redirect-uri-other"),
        pytest.param({"code": "guess"}, "code_unknown", id="code-unknown"),
    ],
)
async def test_refused_exchanges(stage: Stage, form: dict[str, Any], code: str) -> None:
    """Each is invalid_grant, uses nothing up, and the right request still works."""
    given = await stage.code()
    await refused(stage, stage.token(given, **form), 400, "invalid_grant", code)
    assert (await stage.token(given)).status_code == 200


async def test_code_missing(stage: Stage) -> None:
    """A token request without code is an invalid_request."""
    await refused(stage, stage.token("x", code=None), 400, "invalid_request", "invalid_request")


async def test_grant_type_missing(stage: Stage) -> None:
    """A missing parameter is an invalid_request (RFC 6749 5.2)."""
    sent = stage.post("/token", grant_type=None)
    await refused(stage, sent, 400, "invalid_request", "invalid_request")


@pytest.mark.parametrize("grant_type", ["password", "implicit", 'odd "type"é'])
async def test_other_grant_types(stage: Stage, grant_type: str) -> None:
    """FAPI 2.0 5.3.2.1-2: nothing else, and never a 500."""
    sent = stage.post("/token", grant_type=grant_type)
    await refused(stage, sent, 400, "unsupported_grant_type", "unsupported_grant_type")


async def test_a_grant_type_the_client_did_not_register(stage: Stage) -> None:
    """unauthorized_client."""
    stage.client_id, stage.key = "code-only-company", es256()
    made = {**document(stage.client_id, stage.key), "grant_types": ["authorization_code"]}
    async with stage.database.transaction() as session:
        await clients.add(session, made, at=stage.now)
    sent = stage.post("/token", grant_type="client_credentials")
    await refused(stage, sent, 400, "unauthorized_client", "unauthorized_client")
    tokens = await stage.tokens()
    assert "refresh_token" not in tokens


async def test_refresh_token(stage: Stage) -> None:
    """Never rotated, never without proof; with a new key the new token is bound to that key (RFC 9449 5)."""
    refresh = (await stage.tokens())["refresh_token"]
    await refused(stage, stage.refresh(refresh, None), 400, "invalid_request", "dpop_missing")
    for _ in range(2):
        assert (await stage.refresh(refresh)).status_code == 200
    old, stage.dpop = stage.dpop, es256()
    renewed = (await stage.refresh(refresh)).json()["access_token"]
    assert (await stage.call(renewed)).status_code == 200
    await refused(stage, stage.call(renewed, key=old), 401, None, "token_invalid")


async def test_refresh_token_is_bound_to_its_client(stage: Stage) -> None:
    """Another client with the same proof key gets nothing."""
    refresh = (await stage.tokens())["refresh_token"]
    stage.client_id, stage.key = "second-company", es256()
    await stage.register()
    await refused(stage, stage.refresh(refresh), 400, "invalid_grant", "refresh_unknown")
    await refused(stage, stage.refresh("guess"), 400, "invalid_grant", "refresh_unknown")


async def test_refresh_never_widens(stage: Stage) -> None:
    """Other details than those granted are refused; the same ones are fine."""
    tokens = await stage.tokens()
    refresh = tokens["refresh_token"]
    wider = asked_details(stage.today, fields=["trans_dtime", "trans_amt", "trans_memo"])
    sent = stage.refresh(refresh, authorization_details=json.dumps(wider))
    await refused(stage, sent, 400, "invalid_authorization_details", "details_widened")


async def test_withdrawal_kills_every_token_at_once(stage: Stage) -> None:
    """Design 3.4: nothing is written to tokens, yet access and refresh are refused with the reason."""
    tokens = await stage.tokens()
    await stage.withdraw()
    await refused(stage, stage.call(tokens["access_token"]), 401, None, "consent_withdrawn")
    sent = stage.refresh(tokens["refresh_token"])
    await refused(stage, sent, 400, "invalid_grant", "consent_withdrawn")


async def test_withdrawal_between_code_and_token(stage: Stage) -> None:
    """A code of a withdrawn consent gives nothing."""
    code = await stage.code()
    await stage.withdraw()
    await refused(stage, stage.token(code), 400, "invalid_grant", "consent_withdrawn")


async def test_narrowing_kills_access_tokens_and_refresh_gives_the_narrowed_details(
    stage: Stage,
) -> None:
    """Design 3.4: the old access token is dead, the same refresh token yields what is left."""
    tokens = await stage.tokens()
    details = await stage.narrow()
    await refused(stage, stage.call(tokens["access_token"]), 401, None, "consent_changed")
    renewed = (await stage.refresh(tokens["refresh_token"])).json()
    assert renewed["authorization_details"] == details
    assert (await stage.call(renewed["access_token"])).json()["version"] == 2


async def test_tokens_end_with_their_consent(stage: Stage) -> None:
    """Past the consent's end nothing works; near it a token is shorter than usual."""
    tokens = await stage.tokens()
    assert stage.consent is not None
    left = stage.consent.terms.end_at - stage.now
    stage.clock.forward(left - 100)
    renewed = (await stage.refresh(tokens["refresh_token"])).json()
    assert renewed["expires_in"] == 100
    stage.clock.forward(100)
    sent = stage.refresh(tokens["refresh_token"])
    await refused(stage, sent, 400, "invalid_grant", "consent_expired")
    await refused(stage, stage.call(renewed["access_token"]), 401, None, "token_invalid")


async def test_access_tokens_expire(stage: Stage) -> None:
    """Ten minutes at most."""
    tokens = await stage.tokens()
    stage.clock.forward(tokens["expires_in"])
    assert tokens["expires_in"] <= 600
    await refused(stage, stage.call(tokens["access_token"]), 401, None, "token_invalid")


async def test_company_scope(stage: Stage) -> None:
    """client_credentials gives the company scope and no other."""
    sent = stage.post("/token", grant_type="client_credentials", scope="company openid")
    await refused(stage, sent, 400, "invalid_scope", "invalid_scope")
    answered = await stage.post("/token", grant_type="client_credentials", scope="company")
    assert answered.json()["scope"] == "company"
    assert "refresh_token" not in answered.json()
