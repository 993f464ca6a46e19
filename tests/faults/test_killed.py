"""`kill -9` at the worst moments: the transfer ends ready once, all records, no entry twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from connectors.sandbox.faults import Fault
from consent.events import Event
from consent.ledger.verify import verify
from gateway.bundles.open import open_bundle
from gateway.demo.company import Company
from gateway.demo.participants import HOLDERS
from gateway.demo.world import mydata
from tests.faults.process import ProcessWorld, open_process_world
from tests.world import SETTLED, Given, until

ONCE = {
    Event.TRANSFER_REQUEST_RECEIVED: 1,
    Event.POLICY_DECISION_MADE: 1,
    Event.PULL_HOLDER_INTENDED: len(HOLDERS),
    Event.PULL_HOLDER_DONE: len(HOLDERS),
    Event.BUNDLE_RELEASE_SEALED: 1,
    Event.CONSENT_GRANT_GIVEN: 1,
}
"""How often each entry stands in the log after one transfer, however often it was begun."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ProcessWorld]:
    """A gateway process among sandbox holders, on SQLite."""
    async with open_process_world(tmp_path) as opened:
        yield opened


async def state(world: ProcessWorld) -> str:
    """The state of the one transfer, as the store has it."""
    (row,) = await world.rows("transfer")
    return str(row["state"])


async def reached(world: ProcessWorld, wanted: str) -> None:
    """Wait until the store says the transfer is in this state."""
    for _ in range(400):
        if await state(world) == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the transfer is {await state(world)}, not {wanted}")


async def lease_runs_out(world: ProcessWorld) -> None:
    """The dead worker's lease ends now instead of in a while."""
    async with world.database.engine.begin() as connection:
        await connection.execute(text("UPDATE transfer SET lease_until = 0"))


async def ended(world: ProcessWorld, company: Company, transfer: dict[str, Any]) -> dict[str, Any]:
    """How the transfer ended, waiting for a minute at most; the gateway may be coming up meanwhile."""
    for _ in range(600):
        try:
            transfer = await company.transfer(transfer["id"])
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if transfer["state"] in SETTLED:
            return transfer
        await asyncio.sleep(0.1)
    raise AssertionError(f"the transfer is still {transfer['state']}")


async def check_once(world: ProcessWorld, given: Given, transfer: dict[str, Any]) -> None:
    """Ready, one bundle that opens with every record, one entry of each kind, a ledger that verifies."""
    assert transfer["state"] == "ready", transfer["reason"]
    assert len(await world.rows("bundle")) == 1
    sent = {one["item"]: one for one in transfer["items"] if one["sent"]}
    assert {one["outcome"] for one in sent.values()} == {"complete"}
    assert len({item.split("/")[0] for item in sent}) == len(HOLDERS)
    sealed = await given.company.download(transfer["bundle"].rsplit("/", 1)[1])
    jwks = (await world.http.get(given.company.metadata["jwks_uri"])).json()
    opened = open_bundle(sealed, given.company.keys.sealing_private(), jwks, issuer=world.origin)
    for item, one in sent.items():
        lines = opened.parts[f"{item.replace('/', '.')}.ndjson"].splitlines()
        assert len(lines) == one["records"], item
    kinds = await world.kinds()
    assert {kind: kinds[kind] for kind in ONCE} == ONCE
    outcomes = [row["item"] for row in await world.rows("transfer_item_outcome")]
    assert len(outcomes) == len(set(outcomes))
    folder = world.folder / "export"
    said = await mydata("ledger", "export", str(folder), "--config", str(world.folder / "gateway.yaml"))
    assert not verify(folder, said.rsplit("--key ", 1)[1].strip()).findings
    assert "Traceback" not in world.said()


async def test_killed_right_after_the_request_was_acknowledged(world: ProcessWorld) -> None:
    """What was answered 202 is carried to its end by the next process, without anybody asking again."""
    given = await world.given()
    transfer = await given.company.ask_transfer("killed-at-once")
    await world.restart()
    await check_once(world, given, await ended(world, given.company, transfer))


async def test_killed_while_holders_are_pulled(world: ProcessWorld) -> None:
    """The pull begins anew once the dead worker's lease has run out; nothing arrives or is entered twice."""
    given = await world.given()
    world.faults["dadam-market"].add(Fault.SLOW, path="/v1", seconds=1.0, times=1)
    transfer = await given.company.ask_transfer("killed-in-the-pull")
    await until(lambda: "/v1/orders" in world.faults["dadam-market"].requests)
    await reached(world, "pulling")
    await world.restart()
    await lease_runs_out(world)
    await check_once(world, given, await ended(world, given.company, transfer))


async def test_killed_between_sealing_and_release(world: ProcessWorld) -> None:
    """Sealed but not yet in the published log: the very bundle that was sealed is released."""
    given = await world.given()
    (file,) = (f for f in (world.folder / "keys").glob("last-signed-*") if f.suffix != ".lock")
    world.faults["dadam-market"].add(Fault.SLOW, path="/v1", seconds=1.0, times=1)
    transfer = await given.company.ask_transfer("killed-when-sealed")
    await until(lambda: "/v1/orders" in world.faults["dadam-market"].requests)
    kept = file.read_bytes()
    file.write_bytes(b"not what was signed\n")
    await reached(world, "sealed")
    (sealed,) = await world.rows("bundle")
    await world.kill()
    file.write_bytes(kept)
    await world.start()
    await lease_runs_out(world)
    transfer = await ended(world, given.company, transfer)
    assert transfer["bundle"].endswith(sealed["id"])
    assert (await world.rows("bundle"))[0]["sealed"] == sealed["sealed"]
    await check_once(world, given, transfer)


async def test_killed_again_and_again(world: ProcessWorld) -> None:
    """Three kills at different moments of one transfer: still one bundle and one entry of each kind."""
    given = await world.given()
    world.faults["hanbit-bank"].add(Fault.SLOW, path="/v1", seconds=0.3)
    transfer = await given.company.ask_transfer("killed-three-times")
    for wait in (0.1, 0.4, 0.8):
        await asyncio.sleep(wait)
        await world.restart()
        await lease_runs_out(world)
    world.faults["hanbit-bank"].clear()
    await check_once(world, given, await ended(world, given.company, transfer))
