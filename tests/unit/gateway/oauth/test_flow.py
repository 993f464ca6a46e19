"""The one flow: pushed request, consent, code, token, call, refresh, end."""

from __future__ import annotations

import json

import jwt

from tests.oauth_stage import Stage, asked_details, redirected


async def test_from_push_to_data(stage: Stage) -> None:
    """A settled request gives a code, the code a bound token, the token opens the door."""
    tokens = await stage.tokens()
    assert tokens["token_type"] == "DPoP"
    assert tokens["authorization_details"] == asked_details(stage.today)
    assert 0 < tokens["expires_in"] <= 600
    answered = await stage.call(tokens["access_token"])
    assert answered.status_code == 200, answered.text
    assert answered.json() == {"grant": tokens["grant_id"], "version": 1}


async def test_access_token_follows_rfc_9068(stage: Stage) -> None:
    """The token is at+jwt, verifies under the published key, and names grant, consent version and key."""
    token = (await stage.tokens())["access_token"]
    key = jwt.PyJWK((await stage.http.get("/.well-known/jwks.json")).json()["keys"][0])
    claims = jwt.decode(token, key.key, ["ES256"], audience=stage.issuer, issuer=stage.issuer)
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert claims["authorization_details"] == asked_details(stage.today)
    assert claims["consent_version"] == 1
    assert set(claims["cnf"]) == {"jkt"}
    assert stage.consent is not None
    assert stage.consent.id not in json.dumps(claims)
    assert stage.consent.subject not in json.dumps(claims)


async def test_every_step_is_in_the_ledger(stage: Stage) -> None:
    """Push, consent and token each promise one entry in the transaction of the change."""
    await stage.tokens()
    assert await stage.entries() == 3


async def test_a_refusal_by_the_citizen_reaches_the_client(stage: Stage) -> None:
    """access_denied, the state and iss; no code, no grant."""
    interaction = await stage.interaction()
    await stage.settle(interaction, allowed=False)
    answer = redirected(await stage.resume(interaction))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s-1", stage.issuer)
    assert (await stage.state())["oauth_grant"] == 0


async def test_refresh_gives_a_token_and_is_not_rotated(stage: Stage) -> None:
    """The same refresh token works again and no new one is handed out."""
    refresh = (await stage.tokens())["refresh_token"]
    for _ in range(2):
        answered = await stage.refresh(refresh)
        assert answered.status_code == 200, answered.text
        assert "refresh_token" not in answered.json()
        assert (await stage.call(answered.json()["access_token"])).status_code == 200


async def test_company_token_opens_company_doors_only(stage: Stage) -> None:
    """client_credentials carries no citizen: it opens /company and not /data."""
    token = (await stage.post("/token", grant_type="client_credentials")).json()["access_token"]
    assert (await stage.call(token, "/company")).json() == {"client": stage.client_id}
    refused = await stage.call(token)
    assert (refused.status_code, refused.json()["code"]) == (403, "token_wrong_door")


async def test_grant_token_does_not_open_company_doors(stage: Stage) -> None:
    """The other way round neither."""
    tokens = await stage.tokens()
    assert (await stage.call(tokens["access_token"], "/company")).status_code == 403
