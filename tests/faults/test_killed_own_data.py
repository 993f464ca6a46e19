"""`kill -9` while a citizen's own data is fetched; a holder that is down: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connectors.sandbox.faults import Fault
from consent import rights_repository as repository
from consent.exclusions import asked_item
from consent.rights import SelfRequest, State
from consent.subjects import SubjectId
from gateway.transfers.own.ask import OwnAsk
from tests.faults.process import ProcessWorld, open_process_world
from tests.world import World, until

SHOP, BANK = ("dadam-market", "retail.orders"), ("hanbit-bank", "finance.deposit-transactions")
POSTED = {"content-type": "application/x-www-form-urlencoded"}
ONCE = ("asked", "begun", "delivered")


async def row(world: ProcessWorld) -> dict[str, Any]:
    """The one request, as the store has it."""
    (found,) = await world.rows("self_request")
    return found


async def reached(world: ProcessWorld, wanted: str) -> None:
    """Wait until the store says the request is in this state, twenty seconds at most."""
    for _ in range(400):
        if (await row(world))["state"] == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the request is {(await row(world))['state']}, not {wanted}")


async def lease_runs_out(world: ProcessWorld) -> None:
    """The dead carrier's lease ends now instead of in a while."""
    async with world.database.engine.begin() as connection:
        await connection.execute(text("UPDATE self_request SET lease_until = 0"))


async def test_killed_while_own_data_is_pulled(tmp_path: Path) -> None:
    """The next process goes on; every record is there once, every move is entered once."""
    async with open_process_world(tmp_path) as world:
        given = await world.given()
        browser = given.citizen.browser
        page = await browser.open(f"{world.origin}/my/rights")
        world.faults["dadam-market"].add(Fault.SLOW, path="/v1", seconds=1.0, times=1)
        chosen: dict[str, str | list[str] | None] = {"item": ["/".join(SHOP), "/".join(BANK)]}
        done = await browser.submit(page, page.form("item"), chosen)
        await until(lambda: "/v1/orders" in world.faults["dadam-market"].requests)
        await reached(world, "pulling")
        await world.restart()
        await lease_runs_out(world)
        await reached(world, "ready")
        answer = await browser.http.post(f"{done.url}/file", headers=POSTED | {"origin": world.origin})
        assert answer.status_code == 200, answer.text[:300]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            data = json.loads(archive.read("data.json"))
        assert {item["outcome"] for item in data["items"]} == {"complete"}
        for item in data["items"]:
            lines = [json.dumps(record, sort_keys=True) for record in item["records"]]
            assert lines
            assert len(lines) == len(set(lines))
        kinds = await world.kinds()
        assert {name: kinds[f"rights:request:{name}"] for name in ONCE} == dict.fromkeys(ONCE, 1)
        assert "Traceback" not in world.said()


async def live(world: World, id: str) -> SelfRequest:
    """The request as it stands."""
    async with world.database.reading() as session:
        found = await repository.load(session, id)
    assert found is not None
    return found


async def settle(world: World, id: str, wanted: State) -> SelfRequest:
    """Wait until the request is in this state, ten seconds at most."""
    for _ in range(200):
        found = await live(world, id)
        if found.state is wanted:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"the request is {found.state}")


async def test_row_20_one_holder_down_delays_only_itself(own_world: World) -> None:
    """After five minutes the citizen is told why and gets what is there; what comes later is added."""
    world = own_world
    await world.given()
    (consent,) = await world.rows("consent")
    world.faults["hanbit-bank"].add(Fault.DOWN)
    items = [asked_item(world.parts.catalogue, *one) for one in (SHOP, BANK)]
    ask = OwnAsk(SubjectId(consent["subject_id"]), "one-is-down", items, "openid")
    asked = await world.parts.own.asking.ask(ask)
    await settle(world, asked.id, State.PULLING)
    for _ in range(200):
        if len((await live(world, asked.id)).received) == 2:
            break
        await asyncio.sleep(0.05)
    waiting = await live(world, asked.id)
    assert waiting.state is State.PULLING
    assert {one.item: one.outcome for one in waiting.received}["/".join(BANK)] == "pending"
    await world.forward(301)
    delivered = await settle(world, asked.id, State.READY)
    assert delivered.delay_reason == "holder_down"
    assert delivered.delayed_at is not None
    assert delivered.pending == ("/".join(BANK),)
    world.calm()
    await world.forward(301)
    for _ in range(200):
        if not (await live(world, asked.id)).pending:
            break
        await asyncio.sleep(0.05)
    whole = await live(world, asked.id)
    assert {one.outcome for one in whole.received} == {"complete"}
    assert whole.solved_at is not None
    kinds = await world.kinds()
    names = ("asked", "begun", "delayed", "delivered", "added")
    assert {name: kinds[f"rights:request:{name}"] for name in names} == dict.fromkeys(names, 1)
