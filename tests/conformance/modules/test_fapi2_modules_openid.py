"""The official modules that exist with OpenID Connect only: scopes and claims."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.conformance.official import granted, identified, official
from tests.conformance.varied import NONCE, VariedStage
from tests.oauth_keys import b64

STANDARD = {"locale", "name", "given_name", "family_name", "email", "phone_number", "birthdate"}
"""Claims of Core 5.1 the module would ask for if the metadata offered them."""


async def userinfo(stage: VariedStage, token: str) -> dict[str, Any]:
    """What the userinfo endpoint of the metadata tells."""
    address = (await stage.http.get("/.well-known/openid-configuration")).json()["userinfo_endpoint"]
    ath = b64(hashlib.sha256(token.encode()).digest())
    proof = stage.proof("GET", "/userinfo", ath=ath)
    response = await stage.http.get(address, headers={"Authorization": f"DPoP {token}", "DPoP": proof})
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


@official("ensure-other-scope-order-succeeds")
async def test_scopes_in_another_order(stage: VariedStage, module: str) -> None:
    """Whichever comes first, the same is granted, and an id_token comes with it (RFC 6749 3.3)."""
    one = await granted(stage, scope="openid profile")
    other = await granted(stage, scope="profile openid")
    assert set(one["scope"].split()) == set(other["scope"].split()) == {"openid", "profile"}


@official("test-claims-parameter-identity-claims")
async def test_identity_claims(stage: VariedStage, module: str) -> None:
    """Every standard claim of claims_supported comes back in both places, unknown ones are ignored."""
    told = (await stage.http.get("/.well-known/openid-configuration")).json()
    assert told["claims_parameter_supported"] is True
    offered = STANDARD & set(told["claims_supported"])
    assert offered
    unknown = {"urn:unknown:one": None, "unknown_two": {"essential": True}, "unknown_three": {"value": "v"}}
    stage.ticked = frozenset(offered)
    for form in (None, {"essential": True}, {"value": "random"}):
        wanted = {**dict.fromkeys(offered, form), **unknown}
        claims = json.dumps({"id_token": wanted, "userinfo": wanted})
        body = await granted(stage, claims=claims)
        inside, outside = await identified(stage, body, NONCE), await userinfo(stage, body["access_token"])
        assert inside["sub"] == outside["sub"]
        for name in offered:
            assert {inside.get(name), outside.get(name)} - {None} == {"ko"}, name
        assert not unknown.keys() & (inside.keys() | outside.keys())
