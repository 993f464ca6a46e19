"""Grant Management for OAuth 2.0, API authorization: a token of the flow with the draft's scopes."""

from __future__ import annotations

import pytest

from gateway.oauth.jws import parse
from tests.conformance.grants import QUERY, REVOKE, with_token
from tests.conformance.test_openid import recognised, userinfo
from tests.oauth_stage import Stage

BOTH = f"{QUERY} {REVOKE}"


@pytest.mark.parametrize("scope", [BOTH, f"openid {BOTH}"])
async def test_api_authorization_a_token_of_the_flow_opens_its_own_grant(stage: Stage, scope: str) -> None:
    """200 and 204 for the grant it was made from, with and without openid; then it is dead."""
    told = await recognised(stage, scope=scope)
    path, token = f"/grants/{told['grant_id']}", told["access_token"]
    assert (told["scope"], "id_token" in told) == (scope, "openid" in scope)
    assert f"{stage.issuer}/grants" in parse(token).claims["aud"]
    found = await with_token(stage, "GET", path, token)
    assert {"scope": BOTH, "resource": [f"{stage.issuer}/grants"]} in found.json()["scopes"]
    assert (await userinfo(stage, token)).status_code == (200 if "openid" in scope else 401)
    assert (await with_token(stage, "DELETE", path, token)).status_code == 204
    assert (await with_token(stage, "GET", path, token)).status_code == 401


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_api_authorization_another_grant_of_the_client_is_404(stage: Stage, method: str) -> None:
    """A token of one grant is told nothing of the client's other grants and ends none."""
    other = await stage.tokens()
    token = (await recognised(stage, scope=BOTH))["access_token"]
    answered = await with_token(stage, method, f"/grants/{other['grant_id']}", token)
    assert (answered.status_code, answered.json()["code"]) == (404, "grant_not_found")
    assert (await stage.call(other["access_token"])).status_code == 200


async def test_api_authorization_a_refresh_narrows_the_scopes(stage: Stage) -> None:
    """RFC 6749 6: a token for querying alone revokes nothing."""
    told = await recognised(stage, scope=BOTH)
    less = (await stage.refresh(told["refresh_token"], scope=QUERY)).json()
    path = f"/grants/{told['grant_id']}"
    assert less["scope"] == QUERY
    assert (await with_token(stage, "GET", path, less["access_token"])).status_code == 200
    assert (await with_token(stage, "DELETE", path, less["access_token"])).status_code == 403
