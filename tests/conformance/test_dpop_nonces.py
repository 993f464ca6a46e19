"""RFC 9449 8 and 9: nonces of the server, where the operator wants them, at every door that reads proofs."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.database import Database
from gateway.oauth.dpop import token_hash
from gateway.oauth.dpop_nonce import STRETCH_SECONDS, nonces
from tests.authority import Authority
from tests.conformance.conftest import _served
from tests.conformance.refused import refused
from tests.oauth_stage import Stage
from tests.serving import listening, port_of

NEEDED = (400, "use_dpop_nonce", "dpop_nonce_needed")


@pytest.fixture
async def stage(database: Database, authority: Authority) -> AsyncIterator[Stage]:
    """A server that wants nonces, over https."""
    bound = listening()
    issuer = f"https://127.0.0.1:{port_of(bound)}"
    made = Stage(database, issuer, nonces=nonces("required", secrets.token_bytes(32)))
    async with _served(made, issuer, bound, authority) as served:
        yield served


def now_of(stage: Stage) -> str:
    """The nonce of now."""
    assert stage.nonces is not None
    return stage.nonces.current(stage.now)


async def told(stage: Stage, sent: Any) -> str:
    """The nonce a refusal tells, which changed nothing."""
    nonce: str = (await refused(stage, sent, *NEEDED)).headers["dpop-nonce"]
    assert nonce == now_of(stage)
    return nonce


@pytest.mark.parametrize("given", [None, "made up", 7, ["a"]])
async def test_without_one_the_token_endpoint_tells_it(stage: Stage, given: Any) -> None:
    """400 use_dpop_nonce with the nonce; the code is as good as before, and the next try succeeds."""
    code = await stage.code()
    nonce = await told(stage, stage.token(code, stage.proof("POST", "/token", nonce=given)))
    answered = await stage.token(code, stage.proof("POST", "/token", nonce=nonce))
    assert answered.status_code == 200, answered.text


async def test_at_the_pushed_request(stage: Stage) -> None:
    """A proof at PAR needs it too; without a proof there is nothing to put it in."""
    nonce = await told(stage, stage.push(stage.proof("POST", "/par")))
    assert (await stage.push(stage.proof("POST", "/par", nonce=nonce))).status_code == 201
    assert (await stage.push()).status_code == 201


async def test_at_the_data_doors(stage: Stage) -> None:
    """401 with the challenge, the nonce and where the metadata is; a proof with it opens the door."""
    code = await stage.code()
    tokens = (await stage.token(code, stage.proof("POST", "/token", nonce=now_of(stage)))).json()
    response = await stage.call(tokens["access_token"])
    assert response.status_code == 401
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('DPoP error="use_dpop_nonce", algs=')
    assert f'resource_metadata="{stage.issuer}/.well-known/oauth-protected-resource"' in challenge
    nonce = response.headers["dpop-nonce"]
    assert (await stage.call(tokens["access_token"], nonce=nonce)).status_code == 200


async def test_one_that_has_passed(stage: Stage) -> None:
    """The nonce of a moment ago is still taken, one of two stretches ago is not, whichever door."""
    old, code = now_of(stage), await stage.code()
    stage.clock.forward(STRETCH_SECONDS // 3)
    first = await stage.token(code, stage.proof("POST", "/token", nonce=old))
    assert first.status_code == 200, first.text
    stage.clock.forward(2 * STRETCH_SECONDS)
    proof = stage.proof("POST", "/token", nonce=old)
    await told(stage, stage.refresh(first.json()["refresh_token"], proof))
    assert (await stage.call(first.json()["access_token"], nonce=old)).status_code == 401


async def test_nothing_else_is_skipped_for_it(stage: Stage) -> None:
    """A proof with the right nonce is still checked, and still good only once."""
    code, nonce = await stage.code(), now_of(stage)
    for bad in ({"htm": "GET"}, {"htu": "https://other.example/token"}, {"iat": stage.now - 300}):
        proof = stage.proof("POST", "/token", **{"nonce": nonce, **bad})
        await refused(stage, stage.token(code, proof), 400, "invalid_dpop_proof", "dpop_invalid")
    proof = stage.proof("POST", "/token", nonce=nonce)
    tokens = (await stage.token(code, proof)).json()
    sent = stage.refresh(tokens["refresh_token"], proof)
    await refused(stage, sent, 400, "invalid_dpop_proof", "dpop_replayed")
    ath = token_hash(tokens["access_token"])
    again = stage.proof("GET", "/data", ath=ath, nonce=nonce)
    headers = {"Authorization": f"DPoP {tokens['access_token']}", "DPoP": again}
    answers: list[httpx.Response] = [await stage.http.get("/data", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
