"""RFC 9449 8 and 9: nonces of the server, where the operator wants them, at every door that reads proofs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.oauth.dpop import token_hash
from gateway.oauth.dpop_nonce import STRETCH_SECONDS
from tests.conformance.refused import refused
from tests.oauth_stage import Stage

NEEDED = (400, "use_dpop_nonce", "dpop_nonce_needed")


def now_of(demanding: Stage) -> str:
    """The nonce of now."""
    assert demanding.nonces is not None
    return demanding.nonces.current(demanding.now)


async def told(demanding: Stage, sent: Any) -> str:
    """The nonce a refusal tells, which changed nothing."""
    nonce: str = (await refused(demanding, sent, *NEEDED)).headers["dpop-nonce"]
    assert nonce == now_of(demanding)
    return nonce


@pytest.mark.parametrize("given", [None, "made up", 7, ["a"]])
async def test_without_one_the_token_endpoint_tells_it(demanding: Stage, given: Any) -> None:
    """400 use_dpop_nonce with the nonce; the code is as good as before, and the next try succeeds."""
    code = await demanding.code()
    nonce = await told(demanding, demanding.token(code, demanding.proof("POST", "/token", nonce=given)))
    answered = await demanding.token(code, demanding.proof("POST", "/token", nonce=nonce))
    assert answered.status_code == 200, answered.text


async def test_at_the_pushed_request(demanding: Stage) -> None:
    """A proof at PAR needs it too; without a proof there is nothing to put it in."""
    nonce = await told(demanding, demanding.push(demanding.proof("POST", "/par")))
    assert (await demanding.push(demanding.proof("POST", "/par", nonce=nonce))).status_code == 201
    assert (await demanding.push()).status_code == 201


async def test_at_the_data_doors(demanding: Stage) -> None:
    """401 with the challenge, the nonce and where the metadata is; a proof with it opens the door."""
    code = await demanding.code()
    tokens = (await demanding.token(code, demanding.proof("POST", "/token", nonce=now_of(demanding)))).json()
    response = await demanding.call(tokens["access_token"])
    assert response.status_code == 401
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('DPoP error="use_dpop_nonce", algs=')
    assert f'resource_metadata="{demanding.issuer}/.well-known/oauth-protected-resource"' in challenge
    nonce = response.headers["dpop-nonce"]
    assert (await demanding.call(tokens["access_token"], nonce=nonce)).status_code == 200


async def test_one_that_has_passed(demanding: Stage) -> None:
    """The nonce of a moment ago is still taken, one of two stretches ago is not, whichever door."""
    old, code = now_of(demanding), await demanding.code()
    demanding.clock.forward(STRETCH_SECONDS // 3)
    first = await demanding.token(code, demanding.proof("POST", "/token", nonce=old))
    assert first.status_code == 200, first.text
    demanding.clock.forward(2 * STRETCH_SECONDS)
    proof = demanding.proof("POST", "/token", nonce=old)
    await told(demanding, demanding.refresh(first.json()["refresh_token"], proof))
    assert (await demanding.call(first.json()["access_token"], nonce=old)).status_code == 401


async def test_nothing_else_is_skipped_for_it(demanding: Stage) -> None:
    """A proof with the right nonce is still checked, and still good only once."""
    code, nonce = await demanding.code(), now_of(demanding)
    for bad in ({"htm": "GET"}, {"htu": "https://other.example/token"}, {"iat": demanding.now - 300}):
        proof = demanding.proof("POST", "/token", **{"nonce": nonce, **bad})
        await refused(demanding, demanding.token(code, proof), 400, "invalid_dpop_proof", "dpop_invalid")
    proof = demanding.proof("POST", "/token", nonce=nonce)
    tokens = (await demanding.token(code, proof)).json()
    sent = demanding.refresh(tokens["refresh_token"], proof)
    await refused(demanding, sent, 400, "invalid_dpop_proof", "dpop_replayed")
    ath = token_hash(tokens["access_token"])
    again = demanding.proof("GET", "/data", ath=ath, nonce=nonce)
    headers = {"Authorization": f"DPoP {tokens['access_token']}", "DPoP": again}
    answers: list[httpx.Response] = [await demanding.http.get("/data", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
