"""Attacks on the doors of the authorization server by a client, or by somebody who only has an address."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Problem
from gateway.oauth import clients
from tests.conformance.grants import QUERY, REVOKE, changed, company_token, with_token
from tests.oauth_stage import Stage


@pytest.mark.parametrize("kid", [[], {}, ["k0"], 1, True], ids=repr)
async def test_a_kid_that_is_no_text_is_refused_before_any_key_is_looked_for(stage: Stage, kid: Any) -> None:
    """Nobody needs a key to send this: a client with a published set is refused, not failed for."""
    async with stage.database.transaction() as session:
        document = await clients.document_of(session, stage.client_id)
        assert document is not None
        await clients.store(session, {**document, "jwks_uri": "https://keys.example/jwks"}, at=stage.now)

    answered = await stage.push(client_assertion=stage.assertion(header={"kid": kid}))

    assert (answered.status_code, answered.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("door", ["par", "token", "data"])
async def test_a_key_nested_without_end_is_refused_as_a_proof(stage: Stage, door: str) -> None:
    """A member of the proof's key as deep as a parser goes: a bad proof, not a failure."""
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    header = {"jwk": {**stage.dpop.jwk, "more": deep}}
    if door == "data":
        token = (await stage.tokens())["access_token"]
        proof = stage.proof("GET", "/data", header=header)
        answered = await stage.http.get("/data", headers={"Authorization": f"DPoP {token}", "DPoP": proof})
    elif door == "par":
        answered = await stage.push(stage.proof("POST", "/par", header=header))
    else:
        answered = await stage.token(await stage.code(), stage.proof("POST", "/token", header=header))

    assert answered.status_code in (400, 401)
    assert answered.json()["code"] == "dpop_invalid"


@pytest.mark.parametrize("resource", [" ", "  ", "+"])
async def test_a_resource_of_nothing_but_spaces(stage: Stage, resource: str) -> None:
    """It names nothing: refused where one is asked for, never a failure (RFC 8707 2)."""
    company = await stage.post("/token", grant_type="client_credentials", resource=resource)
    pushed = await stage.push(resource=resource)
    refreshed = await stage.refresh((await stage.tokens())["refresh_token"], resource=resource)

    for answered in (company, pushed, refreshed):
        assert (answered.status_code, answered.json()["error"]) == (400, "invalid_target")


async def test_a_token_of_before_a_merge_ends_nothing_of_after_it(stage: Stage) -> None:
    """Whoever finds the dead refresh token and gives it up, or tidies, ends only what is dead."""
    before = await stage.tokens()
    after = await changed(stage, "merge", before["grant_id"], "trans_dtime", "trans_amt")
    stored = await stage.state()

    assert (await stage.post("/revoke", None, token=before["refresh_token"])).status_code == 200

    assert await stage.state() == stored
    assert (await stage.call(after["access_token"])).status_code == 200
    assert (await stage.refresh(after["refresh_token"])).status_code == 200


async def test_a_suspended_client_opens_no_door_of_this_server(stage: Stage) -> None:
    """Whatever it holds (code, tokens of both kinds, a pending and an answered request) opens nothing."""
    pending = await stage.interaction()
    answered = await stage.interaction()
    await stage.settle(answered)
    held = (await stage.token(await stage.code(scope="openid"))).json()
    code = await stage.code()
    own = (await company_token(stage, "company")).json()["access_token"]
    manages = {scope: (await company_token(stage, scope)).json()["access_token"] for scope in (QUERY, REVOKE)}
    async with stage.database.transaction() as session:
        assert await clients.suspend(session, stage.client_id, at=stage.now)

    refused = [
        await stage.push(),
        await stage.token(code),
        await stage.refresh(held["refresh_token"]),
        await company_token(stage, "company"),
        await stage.post("/revoke", None, token=held["refresh_token"]),
        await stage.post("/introspect", None, token=held["access_token"]),
        await stage.call(held["access_token"]),
        await stage.call(held["access_token"], "/userinfo"),
        await stage.call(own, "/company"),
        await with_token(stage, "GET", f"/grants/{held['grant_id']}", manages[QUERY]),
        await with_token(stage, "DELETE", f"/grants/{held['grant_id']}", manages[REVOKE]),
    ]

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(401, "client_suspended")] * 11
    assert (await stage.resume(answered)).json()["code"] == "request_unknown"
    with pytest.raises(Problem, match="request_unknown"):
        await stage.settle(pending)


async def test_a_client_without_the_code_grant_asks_no_citizen(stage: Stage) -> None:
    """What it could never redeem is not pushed, so nobody is asked for it (RFC 6749 4.1.2.1)."""
    await stage.become("own-doors-only", grant_types=["client_credentials"])

    answered = await stage.push()

    assert (answered.status_code, answered.json()["error"]) == (400, "unauthorized_client")
    assert (await company_token(stage, "company")).status_code == 200


@pytest.mark.parametrize("uri", ["\n", "\t", " x", "\\@elsewhere.example/", "\x7f", ":99999/"], ids=repr)
async def test_an_address_browsers_read_otherwise_is_not_registered(stage: Stage, uri: str) -> None:
    """No code or citizen is sent where two readers of the address would not agree to go."""
    with pytest.raises(clients.ClientDocumentError):
        await stage.register("another-client", redirect_uris=[f"https://deundeun.example{uri}"])
    with pytest.raises(clients.ClientDocumentError):
        after = [f"https://deundeun.example{uri}"]
        await stage.register("another-client", post_logout_redirect_uris=after)


async def test_a_wish_for_languages_is_no_place_to_store_things(stage: Stage) -> None:
    """What is kept until the citizen answers is bounded, member by member."""
    answered = await stage.push(ui_locales="ko " * 1000)

    assert (answered.status_code, answered.json()["error"]) == (400, "invalid_request")
