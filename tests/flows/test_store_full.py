"""The database has no room: every door says so, nothing is half done, and all works once there is room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from connectors.sandbox.faults import Fault
from consent.events import Event
from gateway.demo.story import WISHES
from gateway.errors import Problem
from tests.flows.messages import code_form, push, token
from tests.flows.told import shown, told
from tests.world import Given, World, open_world, until


@asynccontextmanager
async def full(world: World) -> AsyncIterator[None]:
    """Inside, the live writer may not take one more page, and the last pages of the ledger are filled up.

    Time stands still: a ledger that cannot move would otherwise be refused as late.
    """
    await world._holders_told()  # who has to be told now could not say later that it has heard
    await world.parts.log.integrate_now()
    world.clock.freeze()
    async with world.parts.database.engine.begin() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count={pages}"))
    last: list[str | None] = [None]
    for _ in range(500):
        last = [*last, await entered(world)][-5:]
        if last == ["storage_full"] * 5:
            break
    assert last == ["storage_full"] * 5
    yield
    async with world.parts.database.engine.begin() as connection:
        await connection.execute(text("PRAGMA max_page_count=1073741823"))
    world.clock.thaw()
    await world.parts.log.integrate_now()


async def entered(world: World) -> str | None:
    """Enter something small in the ledger; the code of why it could not be."""
    try:
        async with world.parts.database.transaction() as session:
            await world.parts.journal.append(
                session,
                Event.LEDGER_LOG_OPENED,
                subject=None,
                party="filler",
                payload={},
                at=world.clock.seconds,
            )
    except Problem as problem:
        return problem.code
    return None


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world of its own on SQLite."""
    async with open_world(tmp_path) as opened:
        yield opened


async def test_a_pushed_request(world: World) -> None:
    """PAR answers 503 storage_full, keeps nothing; the same push works afterwards."""
    company = await world.company()
    async with full(world), world.unchanged():
        pending = await world.rows("authorization_request")
        told(await push(company, authorization_details=json.dumps(world.asked())), "storage_full", 503)
        told(await push(company, authorization_details="["), "storage_full", 503)
        assert await world.rows("authorization_request") == pending
    assert await company.push(world.asked())


async def test_the_citizens_answer(world: World) -> None:
    """The page says that nothing was stored; the same form works afterwards, and once."""
    company, citizen = await world.company(), await world.citizen()
    page = await world.question(company, citizen)
    async with full(world), world.unchanged():
        for decision in ("agree", "refuse"):
            shown(await citizen.answer(page, decision, WISHES), "storage_full", 503)
    done = await citizen.answer(page, "agree", WISHES)
    assert done.url.endswith("/done")
    assert len(await world.rows("consent")) == 1


async def test_the_code_and_the_token(world: World) -> None:
    """No code is lost and none is made twice: the same code, the same assertion work afterwards."""
    company, citizen = await world.company(), await world.citizen()
    done = await citizen.answer(await world.question(company, citizen), "agree", WISHES)
    answer = await citizen.return_to_company(done)
    fields = {**code_form(company, answer), **company._assertion()}
    proof = company._proof("POST", f"{world.origin}/token")
    async with full(world), world.unchanged():
        told(await token(company, proof, **fields), "storage_full", 503)
    again = await token(company, proof, **fields)
    assert again.status_code == 200, again.text


async def ask(given: Given, key: str) -> httpx.Response:
    """POST /transfers as it is answered."""
    company = given.company
    headers = {"Idempotency-Key": key, "Accept-Language": "ko"}
    return await company.call("POST", f"{company.issuer}/transfers", headers=headers, json={})


async def test_a_transfer(world: World) -> None:
    """Asked while full: 503, no decision, no transfer; asked again under the same key it goes through."""
    given = await world.given()
    async with full(world), world.unchanged():
        decisions = await world.rows("policy_decision")
        told(await ask(given, "while-full-1"), "storage_full", 503)
        assert await world.rows("policy_decision") == decisions
    transfer = await world.settled(given.company, await given.company.ask_transfer("while-full-1"))
    assert transfer["state"] == "ready"


async def test_a_transfer_under_way(world: World) -> None:
    """The store fills up while a holder is pulled: nothing half done, and it ends well, once, with room."""
    given = await world.given()
    world.faults["hanbit-bank"].add(Fault.SLOW, path="/oauth", seconds=60)
    transfer = await given.company.ask_transfer("fills-up-meanwhile")
    await until(lambda: "/oauth/2.0/token" in world.faults["hanbit-bank"].requests)
    async with full(world):
        world.faults["hanbit-bank"].clear()
        await asyncio.sleep(1.5)
        assert await world.rows("bundle") == []
        assert (await world.rows("transfer"))[0]["state"] == "pulling"
    world.calm()
    await world.forward(30)
    assert (await world.settled(given.company, transfer))["state"] == "ready"
    assert len(await world.rows("bundle")) == 1


async def test_reading_goes_on_and_withdrawing_is_honest(world: World) -> None:
    """The citizen still sees everything; a withdrawal that cannot be stored says so and works afterwards."""
    given = await world.given()
    async with full(world), world.unchanged():
        assert (await given.citizen.look(given.consent_id)).status == 200
        shown(await given.citizen.withdraw(given.consent_id), "storage_full", 503)
    assert (await given.citizen.withdraw(given.consent_id)).status == 200
    assert (await world.rows("consent"))[0]["state"] == "withdrawing"
