"""Codes and tokens that were used, are late, or are somebody else's."""

from __future__ import annotations

import asyncio

import pytest

from gateway.demo.company import Company
from gateway.demo.story import WISHES
from tests.flows.messages import code_form, token
from tests.flows.told import told
from tests.world import GUARDED, SECOND, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def with_code(world: World) -> tuple[Company, dict[str, str]]:
    """A company and the answer that carries its code."""
    company, citizen = await world.company(), await world.citizen()
    done = await citizen.answer(await world.question(company, citizen), "agree", WISHES)
    return company, await citizen.return_to_company(done)


async def test_a_code_is_good_for_a_minute(world: World) -> None:
    """After sixty seconds a code gives nothing."""
    company, answer = await with_code(world)
    await world.forward(61)
    async with world.unchanged(entries=1):
        told(await token(company, **code_form(company, answer)), "code_expired", 400)


async def test_a_code_is_good_for_its_own_client_verifier_and_address(world: World) -> None:
    """Another client, another verifier, another address, a made-up code: refused; the code still works."""
    company, answer = await with_code(world)
    good, other = code_form(company, answer), await world.company(SECOND)
    async with world.unchanged(entries=4):
        told(await token(other, **good), "code_unknown", 400)
        told(await token(company, **{**good, "code": "made-up"}), "code_unknown", 400)
        told(await token(company, **{**good, "code_verifier": "w" * 50}), "pkce_mismatch", 400)
        answered = await token(company, **{**good, "redirect_uri": "https://evil.example/"})
        assert answered.status_code == 400, answered.text
    assert (await token(company, **good)).status_code == 200


async def test_a_replayed_code_ends_what_it_gave(world: World) -> None:
    """RFC 6749 4.1.2: the second use is refused, all tokens of the first end; grant and consent stay."""
    company, answer = await with_code(world)
    company.tokens = (await token(company, **code_form(company, answer))).json()
    assert (await company.ask_transfer("before-replay"))["decision"]["allow"]
    before = await world.contents()

    told(await token(company, **code_form(company, answer)), "code_replayed", 400)

    after = await world.contents()
    kept = [name for name in GUARDED if name not in {"oauth_grant", "transfer", "bundle"}]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    response = await company.call("POST", f"{world.origin}/transfers", headers={"Idempotency-Key": "after-1"})
    told(response, "token_superseded", 401)
    fields = {"grant_type": "refresh_token", "refresh_token": company.tokens["refresh_token"]}
    told(await token(company, **fields), "token_superseded", 400)


async def test_sixteen_uses_of_one_code_at_once(world: World) -> None:
    """Sixteen requests with the same code, each well made: one token at most, one grant."""
    company, answer = await with_code(world)
    fields = code_form(company, answer)
    responses = await asyncio.gather(*(token(company, **fields) for _ in range(16)))
    good = [r for r in responses if r.status_code == 200]
    assert len(good) == 1
    assert {r.json()["code"] for r in responses if r.status_code != 200} <= {
        "code_replayed",
        "token_superseded",
    }


async def test_a_refresh_token_is_its_clients_own(world: World) -> None:
    """Another client or a made-up token gets nothing; the owner does, also with a new key (RFC 9449 5)."""
    given = await world.given()
    other = await world.company(SECOND)
    refresh = {"grant_type": "refresh_token", "refresh_token": given.tokens["refresh_token"]}
    async with world.unchanged(entries=2):
        told(await token(other, **refresh), "refresh_unknown", 400)
        made_up = {**refresh, "refresh_token": "made-up"}
        told(await token(given.company, **made_up), "refresh_unknown", 400)
    assert (await given.company.refresh())["access_token"]
    renewed = await world.company()
    renewed.keys = type(renewed.keys)(signing=renewed.keys.signing, proof=other.keys.proof)
    assert (await token(renewed, **refresh)).status_code == 200
