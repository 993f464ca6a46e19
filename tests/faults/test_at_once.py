"""Many of the same at the same moment: exactly one happens, on both stores."""

from __future__ import annotations

import asyncio

import httpx

from consent.events import Event
from gateway.demo.story import WISHES
from tests.flows.messages import code_form, token
from tests.world import World


async def test_sixteen_identical_token_requests(own_world: World) -> None:
    """The very same request sixteen times at once: one is answered, the others were used before."""
    world = own_world
    company, citizen = await world.company(), await world.citizen()
    done = await citizen.answer(await world.question(company, citizen), "agree", WISHES)
    answer = await citizen.return_to_company(done)
    fields = {**code_form(company, answer), **company._assertion()}
    proof = company._proof("POST", f"{world.origin}/token")

    responses = await asyncio.gather(*(token(company, proof, **fields) for _ in range(16)))

    assert sorted(r.status_code for r in responses)[0] == 200
    refused = [r.json()["code"] for r in responses if r.status_code != 200]
    assert refused == ["client_assertion_replayed"] * 15
    assert len(await world.rows("refresh_token")) == 1
    assert (await world.kinds())[Event.TOKEN_ACCESS_ISSUED] == 1
    company.tokens = next(r for r in responses if r.status_code == 200).json()
    assert (await company.ask_transfer("the-token-works"))["decision"]["allow"]


async def test_identical_transfer_requests(own_world: World) -> None:
    """Eight requests under one key at once: one transfer, one decision, the same answer for all."""
    world = own_world
    given = await world.given()
    url = f"{world.origin}/transfers"

    async def ask() -> httpx.Response:
        headers = {"Idempotency-Key": "all-at-once-1"}
        return await given.company.call("POST", url, headers=headers, json={})

    responses = await asyncio.gather(*(ask() for _ in range(8)))

    assert {r.status_code for r in responses} == {202}
    assert len({r.json()["id"] for r in responses}) == 1
    assert len({r.json()["decision"]["id"] for r in responses}) == 1
    assert len(await world.rows("transfer")) == 1
    assert len(await world.rows("policy_decision")) == 1
    assert (await world.settled(given.company, responses[0].json()))["state"] == "ready"
    kinds = await world.kinds()
    assert (kinds[Event.TRANSFER_REQUEST_RECEIVED], kinds[Event.BUNDLE_RELEASE_SEALED]) == (1, 1)


async def test_different_requests_under_one_key(own_world: World) -> None:
    """Two different requests under one key at once: one is carried out, the other is told so."""
    world = own_world
    given = await world.given()

    async def ask(item: str) -> httpx.Response:
        headers = {"Idempotency-Key": "one-key-for-two"}
        url = f"{world.origin}/transfers"
        return await given.company.call("POST", url, headers=headers, json={"items": [item]})

    responses = await asyncio.gather(
        ask("hanbit-bank/finance.deposit-transactions"), ask("dadam-market/retail.orders")
    )

    assert sorted(r.status_code for r in responses) == [202, 409]
    assert len(await world.rows("transfer")) == 1


async def test_eight_withdrawals_at_once(own_world: World) -> None:
    """The same confirmation eight times at once: withdrawn once, entered once, every holder told once."""
    world = own_world
    given = await world.given()
    browser = given.citizen.browser
    asked = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/withdraw")
    form = asked.form("decision")

    pages = await asyncio.gather(*(browser.submit(asked, form, {"decision": "withdraw"}) for _ in range(8)))

    assert {page.status for page in pages} == {200}
    (consent,) = await world.rows("consent")
    assert (consent["state"], consent["version"]) == ("withdrawing", 2)
    assert (await world.kinds())[Event.CONSENT_GRANT_WITHDRAWN] == 1
    assert len(await world.rows("holder_notice")) == 5
