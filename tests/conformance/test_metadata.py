"""RFC 8414, OpenID discovery, RFC 9728, RFC 7662, RFC 7009: what is published and told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.refused import refused
from tests.oauth_keys import es256
from tests.oauth_stage import Stage

ALLOWED = {"ES256", "PS256", "EdDSA", "Ed25519"}


async def test_discovery_end_point_verification(stage: Stage) -> None:
    """Both documents are equal and say what FAPI 2.0 demands."""
    get = stage.http.get
    document = (await get("/.well-known/oauth-authorization-server")).json()
    assert document == (await get("/.well-known/openid-configuration")).json()
    assert document["issuer"] == stage.issuer
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["require_pushed_authorization_requests"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert document["authorization_details_types_supported"] == ["mydata_transfer"]
    algorithms = [name for name in document if name.endswith("_alg_values_supported")]
    assert len(algorithms) == 9
    assert all(set(document[name]) <= ALLOWED for name in algorithms)


async def test_every_endpoint_named_answers(stage: Stage) -> None:
    """No address in the metadata is dead; the page to sign out at is looked at in tests/flows."""
    document = (await stage.http.get("/.well-known/oauth-authorization-server")).json()
    for name, url in document.items():
        if name == "end_session_endpoint":
            continue
        if name.endswith("_endpoint") or name == "jwks_uri":
            address = f"{url}/unknown" if name == "grant_management_endpoint" else url
            assert (await stage.http.get(address)).status_code != 404, name


async def test_protected_resource_metadata(stage: Stage) -> None:
    """RFC 9728: the data doors name their authorization server and want bound tokens."""
    document = (await stage.http.get("/.well-known/oauth-protected-resource")).json()
    assert document["authorization_servers"] == [stage.issuer]
    assert document["dpop_bound_access_tokens_required"] is True


async def test_jwks_is_cacheable_and_public(stage: Stage) -> None:
    """Only public members; an ETag saves the second transfer."""
    first = await stage.http.get("/.well-known/jwks.json")
    assert all("d" not in key for key in first.json()["keys"])
    again = await stage.http.get("/.well-known/jwks.json", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_introspection_follows_the_live_consent(stage: Stage) -> None:
    """RFC 7662: active with its claims, and inactive the moment the consent is withdrawn."""
    tokens = await stage.tokens()
    for name in ("access_token", "refresh_token"):
        told = await _told(stage, tokens[name])
        assert told["active"] is True
        assert told["grant_id"] == tokens["grant_id"]
        assert told["authorization_details"] == tokens["authorization_details"]
    await stage.withdraw()
    for name in ("access_token", "refresh_token"):
        assert await _told(stage, tokens[name]) == {"active": False}


async def test_introspection_tells_only_the_owner(stage: Stage) -> None:
    """Another client's token looks like an unknown one; without authentication nothing is told."""
    tokens = await stage.tokens()
    sent = stage.http.post("/introspect", data={"token": tokens["access_token"]})
    await refused(stage, sent, 401, "invalid_client", "client_assertion_missing")
    stage.client_id, stage.key = "second-company", es256()
    await stage.register()
    for token in (tokens["access_token"], tokens["refresh_token"], "guess"):
        assert await _told(stage, token) == {"active": False}


async def test_revoking_the_refresh_token_ends_the_grant_not_the_consent(stage: Stage) -> None:
    """RFC 7009: 200, every token of the grant dead, the consent as it was."""
    tokens = await stage.tokens()
    assert (await stage.post("/revoke", None, token=tokens["refresh_token"])).status_code == 200
    assert (await stage.call(tokens["access_token"])).json()["code"] == "grant_revoked"
    assert (await stage.refresh(tokens["refresh_token"])).json()["code"] == "grant_revoked"
    assert (await stage.state())["consent"] == 1
    assert (await stage.post("/revoke", None, token=tokens["refresh_token"])).status_code == 200


async def test_revoking_an_access_token_ends_only_it(stage: Stage) -> None:
    """The refresh token goes on."""
    tokens = await stage.tokens()
    assert (await stage.post("/revoke", None, token=tokens["access_token"])).status_code == 200
    assert (await stage.call(tokens["access_token"])).status_code == 401
    assert await _told(stage, tokens["access_token"]) == {"active": False}
    assert (await stage.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
async def test_revoking_anothers_token_does_nothing(stage: Stage, name: str) -> None:
    """200 as for any token, and the token lives on."""
    tokens, first = await stage.tokens(), (stage.client_id, stage.key)
    stage.client_id, stage.key = "second-company", es256()
    await stage.register()
    assert (await stage.post("/revoke", None, token=tokens[name])).status_code == 200
    stage.client_id, stage.key = first
    assert (await stage.call(tokens["access_token"])).status_code == 200


async def _told(stage: Stage, token: str) -> dict[str, Any]:
    answered = await stage.post("/introspect", None, token=token)
    assert answered.status_code == 200, answered.text
    body: dict[str, Any] = answered.json()
    return body
