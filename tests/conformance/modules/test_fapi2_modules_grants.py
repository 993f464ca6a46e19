"""The official modules about Grant Management, which later releases of the suite have.

The suite asks with the token of the flow (`test_grant_scopes.py`); these ask with a client_credentials token
of the scopes that Grant Management defines, which opens every grant of its client.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.grants import at_grant, changed
from tests.conformance.official import DUMMY, answer, granted, official, official_each, refusal, second_client
from tests.conformance.varied import VariedStage


@official("grant-management-happy-flow")
async def test_created_queried_revoked(stage: VariedStage) -> None:
    """200 with what was granted, 204 without a body, then 404."""
    tokens = await granted(stage)
    told = await at_grant(stage, "GET", tokens["grant_id"])
    assert told.status_code == 200, told.text
    assert told.headers["content-type"] == "application/json"
    assert told.headers["cache-control"] == "no-store"
    assert told.json()["authorization_details"] == tokens["authorization_details"]
    revoked = await at_grant(stage, "DELETE", tokens["grant_id"])
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert (await at_grant(stage, "GET", tokens["grant_id"])).status_code == 404
    assert (await stage.call(tokens["access_token"])).status_code == 401


@official_each("action", {"grant-management-merge": "merge", "grant-management-replace": "replace"})
async def test_changed(stage: VariedStage, action: str) -> None:
    """The grant keeps its id, and a query tells what it allows since."""
    before = await granted(stage)
    after = await changed(stage, action, before["grant_id"], "trans_dtime", "trans_amt", "trans_memo")
    assert after["grant_id"] == before["grant_id"]
    told = await at_grant(stage, "GET", before["grant_id"])
    assert told.status_code == 200, told.text
    assert told.json()["authorization_details"] == after["authorization_details"]
    assert told.json()["authorization_details"] != before["authorization_details"]


@official("grant-management-ensure-invalid-grant-id-fails")
async def test_unknown_grant_id(stage: VariedStage) -> None:
    """Exactly invalid_grant_id, already at PAR."""
    unknown: dict[str, Any] = {"grant_management_action": "merge", "grant_id": "invalid-grant-id-1"}
    refusal(await stage.push(**unknown), {"invalid_grant_id"})


@official("grant-management-ensure-query-nonexistent-grant-fails")
async def test_query_of_nothing(stage: VariedStage) -> None:
    """404."""
    await granted(stage)
    assert (await at_grant(stage, "GET", "no-such-grant")).status_code == 404


@official("grant-management-ensure-query-after-revoke-fails")
async def test_query_after_revoke(stage: VariedStage) -> None:
    """204 without a body, then 404."""
    grant_id = (await granted(stage))["grant_id"]
    revoked = await at_grant(stage, "DELETE", grant_id)
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert (await at_grant(stage, "GET", grant_id)).status_code == 404


@official_each(
    "method",
    {
        "grant-management-ensure-wrong-client-cannot-query-grant": "GET",
        "grant-management-ensure-wrong-client-cannot-revoke-grant": "DELETE",
    },
)
async def test_grant_of_another(stage: VariedStage, method: str) -> None:
    """The second client, with a grant and a token of its own, gets 404; the first one's grant lives on."""
    tokens = await granted(stage)
    first = await second_client(stage)
    code = (await answer(stage, redirect_uri=DUMMY))["code"]
    assert (await stage.token(code, redirect_uri=DUMMY)).status_code == 200
    assert (await at_grant(stage, method, tokens["grant_id"])).status_code == 404
    stage.identity = first
    assert (await at_grant(stage, "GET", tokens["grant_id"])).status_code == 200
    assert (await stage.call(tokens["access_token"])).status_code == 200
