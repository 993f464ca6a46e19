"""Grant Management for OAuth 2.0: authorization request, its errors, token response, life of tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from gateway.oauth.grants import GRANTS
from tests.conformance.grants import changed
from tests.conformance.refused import refused
from tests.oauth_keys import es256
from tests.oauth_stage import Stage, asked_details
from tests.request_objects import push, signed

UNKNOWN = "A" * 43


async def generation(stage: Stage, grant_id: str) -> int:
    """How often the tokens of a grant were all ended."""
    async with stage.database.reading() as session:
        query = select(GRANTS.c.generation).where(GRANTS.c.id == grant_id)
        return int((await session.execute(query)).scalar_one())


async def test_token_response_names_the_grant(stage: Stage) -> None:
    """With `create` the grant_id comes with the pushed request and, the same, with the tokens."""
    pushed = await stage.push(grant_management_action="create")
    visited = await stage.visit(pushed.json()["request_uri"])
    interaction = visited.headers["location"].rpartition("/")[2]
    stage.consent = await stage.settle(interaction)
    tokens = (await stage.token(stage.told(await stage.resume(interaction))["code"])).json()
    assert tokens["grant_id"] == pushed.json()["grant_id"]
    assert len(tokens["grant_id"]) >= 43


async def test_without_an_action_a_fresh_grant_is_made(stage: Stage) -> None:
    """grant_management_action is not required: two requests give two grants."""
    assert "grant_id" not in (await stage.push()).json()
    first, second = await stage.tokens(), await stage.tokens()
    assert first["grant_id"] != second["grant_id"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"grant_management_action": "update", "grant_id": UNKNOWN}, "must be one of create merge replace"),
        ({"grant_management_action": "query"}, "must be one of create merge replace"),
        ({"grant_management_action": "merge"}, "merge needs a grant_id"),
        ({"grant_management_action": "replace"}, "replace needs a grant_id"),
        ({"grant_management_action": "create", "grant_id": UNKNOWN}, "merge and replace only"),
        ({"grant_id": UNKNOWN}, "merge and replace only"),
    ],
    ids=["update", "query", "merge-alone", "replace-alone", "create-with-id", "id-without-action"],
)
async def test_authorization_error_invalid_request(stage: Stage, sent: dict[str, str], said: str) -> None:
    """An action that is not supported, a grant_id too few or too many."""
    response = await refused(stage, stage.push(**sent), 400, "invalid_request", "invalid_request")
    assert said in response.json()["error_description"]


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_authorization_error_invalid_grant_id(stage: Stage, action: str) -> None:
    """Unknown, another client's, revoked, withdrawn: the same answer, so that nothing is learnt."""
    tokens = await stage.tokens()
    of_this = {"grant_management_action": action, "grant_id": tokens["grant_id"]}
    assert (await stage.push(**of_this)).status_code == 201
    unknown = stage.push(**{**of_this, "grant_id": UNKNOWN})
    said = [(await refused(stage, unknown, 400, "invalid_grant_id", "grant_id_invalid")).json()]
    before = await stage.become("another-client", es256())
    other = await refused(stage, stage.push(**of_this), 400, "invalid_grant_id", "grant_id_invalid")
    said.append(other.json())
    stage.identity = before
    await stage.withdraw()
    gone = await refused(stage, stage.push(**of_this), 400, "invalid_grant_id", "grant_id_invalid")
    said.append(gone.json())
    assert said[0] == said[1] == said[2]


async def test_a_revoked_grant_is_not_merged_into(stage: Stage) -> None:
    """What its client gave up cannot be gone on with."""
    tokens = await stage.tokens()
    assert (await stage.post("/revoke", token=tokens["refresh_token"])).status_code == 200
    sent = stage.push(grant_management_action="merge", grant_id=tokens["grant_id"])
    await refused(stage, sent, 400, "invalid_grant_id", "grant_id_invalid")


async def test_both_parameters_inside_a_request_object(stage: Stage) -> None:
    """Signed as the rest; what stands beside the object is not used (RFC 9126 3)."""
    tokens = await stage.tokens()
    inside = signed(stage, grant_management_action="merge", grant_id=tokens["grant_id"])
    pushed = await push(stage, inside, grant_id=UNKNOWN)
    assert pushed.status_code == 201, pushed.text
    assert pushed.json()["grant_id"] == tokens["grant_id"]
    wrong = signed(stage, grant_management_action="merge", grant_id=UNKNOWN)
    await refused(stage, push(stage, wrong), 400, "invalid_grant_id", "grant_id_invalid")


async def test_merge_takes_one_purpose(stage: Stage) -> None:
    """A consent has one purpose; the error names the member."""
    tokens = await stage.tokens()
    other = asked_details(stage.today)
    other[0]["purpose"] = "insurance-review"
    sent: dict[str, Any] = {"grant_management_action": "merge", "grant_id": tokens["grant_id"]}
    response = await stage.push(**sent, authorization_details=json.dumps(other))
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_authorization_details"
    assert response.json()["params"]["where"] == "[0].purpose"


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_merge_and_replace_invalidate_refresh_tokens(stage: Stage, action: str) -> None:
    """The grant keeps its id; refresh and access tokens of the version before are dead, the new ones live."""
    old = await stage.tokens()
    new = await changed(stage, action, old["grant_id"], "trans_dtime", "trans_amt", "trans_memo")
    assert new["grant_id"] == old["grant_id"]
    assert new["authorization_details"][0]["items"][0]["fields"][-1] == "trans_memo"
    await refused(stage, stage.call(old["access_token"]), 401, None, "token_superseded")
    dead = stage.refresh(old["refresh_token"])
    await refused(stage, dead, 400, "invalid_grant", "token_superseded")
    assert (await stage.call(new["access_token"])).json() == {"grant": old["grant_id"], "version": 2}
    assert (await stage.refresh(new["refresh_token"])).status_code == 200
    told = (await stage.post("/introspect", token=old["refresh_token"])).json()
    assert told == {"active": False}


async def test_a_code_of_before_is_dead_after_a_merge(stage: Stage) -> None:
    """A code nobody used yet does not outlive the answer that came after it."""
    code = await stage.code()
    async with stage.database.reading() as session:
        grant_id = str((await session.execute(select(GRANTS.c.id))).scalar_one())
    await changed(stage, "merge", grant_id, "trans_dtime")
    await refused(stage, stage.token(code), 400, "invalid_grant", "token_superseded")


async def test_a_citizens_narrowing_keeps_the_refresh_token(stage: Stage) -> None:
    """Design 3.4: access tokens die, the unrotated refresh token gives the narrowed details."""
    tokens = await stage.tokens()
    narrowed = await stage.narrow()
    await refused(stage, stage.call(tokens["access_token"]), 401, None, "consent_changed")
    fresh = (await stage.refresh(tokens["refresh_token"])).json()
    assert fresh["authorization_details"] == narrowed
    assert (await stage.call(fresh["access_token"])).status_code == 200
    assert await generation(stage, tokens["grant_id"]) == 1


async def test_a_refusal_of_a_merge_changes_nothing(stage: Stage) -> None:
    """The citizen says no: the client is told so, and what was agreed before goes on."""
    tokens = await stage.tokens()
    ask = {"grant_management_action": "merge", "grant_id": tokens["grant_id"]}
    interaction = await stage.interaction(**ask)
    await stage.settle(interaction, allowed=False)
    assert stage.told(await stage.resume(interaction))["error"] == "access_denied"
    assert (await stage.call(tokens["access_token"])).status_code == 200
    assert (await stage.refresh(tokens["refresh_token"])).status_code == 200
