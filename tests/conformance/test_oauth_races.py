"""Attacks by timing: a request spoils none beside it, and nothing gets past what has just ended."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from consent.errors import MoveError
from tests.conformance.grants import amended, at_grant, company_token
from tests.oauth_stage import Stage


async def test_a_narrowing_beside_everything_leaves_no_wider_token(stage: Stage) -> None:
    """A merge, its way back, refreshes and a code at once with it: no token opens more than is agreed now."""
    for _ in range(4):
        code = await stage.code(grant_management_action="create")
        held = (await stage.token(code)).json()
        again = {"grant_management_action": "merge", "grant_id": held["grant_id"]}
        asked = await stage.interaction(**again)
        before = stage.consent
        assert before is not None
        answers = await asyncio.gather(
            stage.narrow(),
            *(stage.refresh(held["refresh_token"]) for _ in range(3)),
            amended(stage, asked, before.terms),
            *(stage.refresh(held["refresh_token"]) for _ in range(3)),
            return_exceptions=True,
        )
        lost = [one for one in answers if isinstance(one, BaseException)]
        assert [type(one) for one in lost] in ([], [MoveError])
        if not (await stage.resume(asked)).is_error:
            answers.append(await stage.refresh(held["refresh_token"]))
        await _none_wider(stage, [one for one in answers if isinstance(one, httpx.Response)], held)


async def _none_wider(stage: Stage, answers: list[httpx.Response], held: dict[str, Any]) -> None:
    """Every token given is dead, or for exactly what the grant holds now."""
    grant = await at_grant(stage, "GET", held["grant_id"])
    agreed = grant.json()["authorization_details"]
    for answered in answers:
        if answered.status_code != 200:
            assert answered.json()["code"] in ("consent_changed", "token_superseded", "consent_moved_on")
            continue
        given = answered.json()
        opened = (await stage.call(given["access_token"])).status_code == 200
        assert not opened or given["authorization_details"] == agreed


async def test_an_assertion_used_at_one_door_opens_no_other(stage: Stage) -> None:
    """One jti, four doors: refused at every one after the first (RFC 7523 3-7), whatever else is sent."""
    for first in ("/par", "/token", "/revoke", "/introspect"):
        used = stage.assertion()
        assert (await _sent(stage, first, used)).status_code in (200, 201)
        for door in ("/par", "/token", "/revoke", "/introspect"):
            again = await _sent(stage, door, used)
            assert (again.status_code, again.json()["code"]) == (401, "client_assertion_replayed"), door


async def _sent(stage: Stage, door: str, assertion: str) -> httpx.Response:
    if door == "/par":
        return await stage.push(client_assertion=assertion)
    if door == "/token":
        return await company_token(stage, "company", client_assertion=assertion)
    return await stage.post(door, None, token="x" * 43, client_assertion=assertion)


@pytest.mark.parametrize("sub", ["a\x00b", "x" * 4000, "", "\ufffe", "deundeun-budget' --"])
async def test_a_request_the_store_chokes_on_spoils_no_other(stage: Stage, sub: str) -> None:
    """Forty good requests and ten for a client no store can name, at once: only the ten are refused."""
    good = [company_token(stage, "company") for _ in range(40)]
    bad = [
        company_token(stage, "company", client_id=None, client_assertion=stage.assertion(sub=sub, iss=sub))
        for _ in range(10)
    ]
    mixed = [one for four in zip(*[iter(good)] * 4, strict=True) for one in (*four, bad.pop())]

    statuses = [answered.status_code for answered in await asyncio.gather(*mixed)]

    assert statuses == [200, 200, 200, 200, 401] * 10 or statuses == [200, 200, 200, 200, 400] * 10
