"""Grant Management for OAuth 2.0: metadata, API authorization, query, revoke, error responses."""

from __future__ import annotations

import pytest

from consent import repository
from consent.events import Event
from consent.records import State
from tests.conformance.grants import QUERY, REVOKE, at_grant, changed, company_token, told_of, with_token
from tests.conformance.refused import refused
from tests.oauth_keys import es256
from tests.oauth_stage import Stage

UNKNOWN = "A" * 43


async def test_metadata(stage: Stage) -> None:
    """Endpoint, actions, nothing required; the scopes are named."""
    found = (await stage.http.get("/.well-known/oauth-authorization-server")).json()
    assert found["grant_management_endpoint"] == f"{stage.issuer}/grants"
    actions = found["grant_management_actions_supported"]
    assert sorted(actions) == ["create", "merge", "query", "replace", "revoke"]
    assert found["grant_management_action_required"] is False
    assert {QUERY, REVOKE} <= set(found["scopes_supported"])
    at = await stage.http.get("/.well-known/oauth-protected-resource/grants")
    assert at.json()["resource"] == f"{stage.issuer}/grants"


async def test_query_tells_what_is_granted(stage: Stage) -> None:
    """Details as narrowed, times, who changed it last; never a token, never who the citizen is."""
    tokens = await stage.tokens()
    response = await at_grant(stage, "GET", tokens["grant_id"])
    assert response.status_code == 200
    assert "no-store" in response.headers["cache-control"]
    told = response.json()
    assert told["authorization_details"] == tokens["authorization_details"]
    assert told["scopes"] == [{"resource": [stage.issuer]}]
    assert told["created_at"] == told["last_updated_at"] == told["last_updated"] == stage.now
    assert told["updated_by"] == "client"
    assert stage.consent is not None
    assert told["expires_at"] == stage.consent.terms.end_at
    text = response.text
    assert tokens["access_token"] not in text
    assert tokens["refresh_token"] not in text
    assert stage.consent.subject not in text


async def test_query_follows_the_citizen_and_the_client(stage: Stage) -> None:
    """After a narrowing the authorization server changed it, after a replacement the client did."""
    tokens = await stage.tokens()
    stage.clock.forward(5)
    narrowed = await stage.narrow()
    told = (await at_grant(stage, "GET", tokens["grant_id"])).json()
    assert (told["authorization_details"], told["updated_by"]) == (narrowed, "authorization_server")
    assert told["last_updated_at"] == told["created_at"] + 5
    assert stage.consent is not None
    stage.clock.forward(5)
    async with stage.database.reading() as session:
        stage.consent = await repository.load(session, stage.consent.id)
    new = await changed(stage, "replace", tokens["grant_id"], "trans_amt")
    told = (await at_grant(stage, "GET", tokens["grant_id"])).json()
    assert told["authorization_details"] == new["authorization_details"]
    assert (told["updated_by"], told["last_updated_at"]) == ("client", told["created_at"] + 10)


async def test_revoke_ends_everything_once(stage: Stage) -> None:
    """204; every token is dead, the consent is revoked by the party, and saying it again adds nothing."""
    tokens = await stage.tokens()
    assert stage.consent is not None
    response = await at_grant(stage, "DELETE", tokens["grant_id"])
    assert (response.status_code, response.content) == (204, b"")
    await refused(stage, stage.call(tokens["access_token"]), 401, None, "grant_revoked")
    await refused(stage, stage.refresh(tokens["refresh_token"]), 400, "invalid_grant", "grant_revoked")
    async with stage.database.reading() as session:
        consent = await repository.load(session, stage.consent.id)
    assert consent is not None
    assert (consent.state, consent.version) == (State.REVOKED, 2)
    entries = await stage.entries()
    issued = 1  # the token for the second call
    assert (await at_grant(stage, "DELETE", tokens["grant_id"])).status_code == 204
    assert await stage.entries() == entries + issued
    gone = await at_grant(stage, "GET", tokens["grant_id"])
    assert (gone.status_code, gone.json()["code"]) == (404, "grant_revoked")


async def test_revoking_says_who_and_why_in_the_ledger(stage: Stage) -> None:
    """The citizen's own entry names the client and its reason; it is not a withdrawal."""
    tokens = await stage.tokens()
    assert stage.consent is not None
    await at_grant(stage, "DELETE", tokens["grant_id"])
    said = {entry["event"]: entry["body"] for entry in await told_of(stage, stage.consent.subject)}
    body = said[Event.CONSENT_GRANT_REVOKED]
    assert (body["by"], body["why"], body["state"]) == ("recipient", "revoked_by_client", "revoked")
    assert Event.CONSENT_GRANT_WITHDRAWN not in said


async def test_revoking_after_the_citizen_withdrew_leaves_the_withdrawal(stage: Stage) -> None:
    """What the citizen ended stays as they ended it; the answer is the same 204."""
    tokens = await stage.tokens()
    assert stage.consent is not None
    await stage.withdraw()
    gone = await at_grant(stage, "GET", tokens["grant_id"])
    assert (gone.status_code, gone.json()["code"]) == (404, "consent_withdrawn")
    assert (await at_grant(stage, "DELETE", tokens["grant_id"])).status_code == 204
    async with stage.database.reading() as session:
        consent = await repository.load(session, stage.consent.id)
    assert consent is not None
    assert consent.state is State.WITHDRAWING


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_unknown_and_foreign_grants_are_404_alike(stage: Stage, method: str) -> None:
    """Another client's grant is answered exactly as one that never was, and nothing happens to it."""
    tokens = await stage.tokens()
    mine = await stage.become("another-client", es256())
    foreign = await at_grant(stage, method, tokens["grant_id"])
    unknown = await at_grant(stage, method, UNKNOWN)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json() == unknown.json()
    stage.identity = mine
    assert (await stage.call(tokens["access_token"])).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_no_valid_token_is_401(stage: Stage, method: str) -> None:
    """Without a token, with a broken one, with one for another resource: 401, and what is missing."""
    tokens = await stage.tokens()
    path = f"/grants/{tokens['grant_id']}"
    bare = await stage.http.request(method, path)
    assert bare.status_code == 401
    assert bare.headers["www-authenticate"].startswith("DPoP ")
    for token in ("broken", (await company_token(stage, "company")).json()["access_token"]):
        response = await with_token(stage, method, path, token)
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert (await stage.call(tokens["access_token"])).status_code == 200


@pytest.mark.parametrize(("method", "scope"), [("GET", REVOKE), ("DELETE", QUERY)])
async def test_the_other_scope_is_403(stage: Stage, method: str, scope: str) -> None:
    """Querying does not allow revoking, nor the other way round."""
    tokens = await stage.tokens()
    response = await at_grant(stage, method, tokens["grant_id"], scope)
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert (await stage.call(tokens["access_token"])).status_code == 200


async def test_a_citizens_token_opens_no_grant(stage: Stage) -> None:
    """The token made from a grant is for the data; it cannot end its own grant."""
    tokens = await stage.tokens()
    response = await with_token(stage, "DELETE", f"/grants/{tokens['grant_id']}", tokens["access_token"])
    assert response.status_code == 401
    assert (await stage.call(tokens["access_token"])).status_code == 200


async def test_a_proof_is_for_its_method_and_grant(stage: Stage) -> None:
    """A proof made for reading deletes nothing (RFC 9449 4.3)."""
    tokens = await stage.tokens()
    token = (await company_token(stage, f"{QUERY} {REVOKE}")).json()["access_token"]
    path = f"/grants/{tokens['grant_id']}"
    read = await with_token(stage, "GET", path, token)
    assert read.status_code == 200
    headers = dict(read.request.headers)
    replayed = await stage.http.request("DELETE", path, headers=headers)
    assert replayed.status_code == 401
    assert (await stage.call(tokens["access_token"])).status_code == 200


async def test_there_is_no_list_of_grants(stage: Stage) -> None:
    """No bulk access (draft, Grant Management API)."""
    await stage.tokens()
    assert (await stage.http.get("/grants")).status_code == 404
    assert (await stage.http.get("/grants/")).status_code == 404
