"""The ledger lags or has stopped: nothing is granted, issued, pulled or released; citizens go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.faults import Fault
from gateway.demo.citizen import Citizen
from gateway.demo.company import Company
from gateway.demo.story import WISHES
from tests.flows.messages import code_form, token
from tests.flows.told import shown, told
from tests.world import Given, World, open_world, until


@asynccontextmanager
async def behind(world: World) -> AsyncIterator[None]:
    """Inside, the sequencer is kept from its work, something waits, and six seconds pass."""
    async with world.parts.log._turn:
        company = await world.company()
        await company.push(world.asked())
        world.clock.forward(6)
        yield
    await world.parts.log.integrate_now()


@asynccontextmanager
async def halted(world: World) -> AsyncIterator[None]:
    """Inside, the file of the last signed checkpoint is not what this database continues."""
    (file,) = (f for f in (world.folder / "keys").glob("last-signed-*") if f.suffix != ".lock")
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b"\n", b"\n9", 1))
    await (await world.company()).push(world.asked())
    world.parts.log.wake()
    await until(lambda: world.parts.log._halted is not None)
    yield
    file.write_bytes(kept)
    await world.parts.log.integrate_now()


CASES = pytest.mark.parametrize(
    ("lagging", "code"), [(behind, "ledger_behind"), (halted, "ledger_halted")], ids=["behind", "halted"]
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world of its own on SQLite."""
    async with open_world(tmp_path) as opened:
        yield opened


async def ask(given: Given, key: str) -> httpx.Response:
    """POST /transfers as it is answered."""
    url = f"{given.company.issuer}/transfers"
    return await given.company.call("POST", url, headers={"Idempotency-Key": key}, json={})


async def answered(world: World) -> tuple[Company, Citizen, Any]:
    """A company, and a citizen who agreed and stands before the way back."""
    company, citizen = await world.company(), await world.citizen()
    return company, citizen, await citizen.answer(await world.question(company, citizen), "agree", WISHES)


@CASES
async def test_nothing_is_granted_issued_asked_or_handed_out(world: World, lagging: Any, code: str) -> None:
    """Agreeing, code, token, refresh, transfer, download: 503, nothing changed; all go on later."""
    given = await world.given()
    transfer = await world.settled(given.company, await given.company.ask_transfer("before-the-lag"))
    company, citizen, done = await answered(world)
    answer = await citizen.return_to_company(done)
    _, waiting, unfinished = await answered(world)
    page = await world.question(given.company, given.citizen)
    refresh = {"grant_type": "refresh_token", "refresh_token": given.tokens["refresh_token"]}
    async with lagging(world), world.unchanged():
        shown(await given.citizen.answer(page, "agree", WISHES), code, 503)
        back = next(link for link in unfinished.links if "/authorize/resume/" in link)
        shown(await waiting.browser.open(back), code, 503)
        told(await token(company, **code_form(company, answer)), code, 503)
        told(await token(given.company, **refresh), code, 503)
        told(await ask(given, "during-the-lag"), code, 503)
        sealed = await given.company.call("GET", transfer["bundle"])
        assert int(sealed.headers["retry-after"]) > 0
        told(sealed, code, 503)
    assert (await given.citizen.answer(page, "agree", WISHES)).status == 200
    assert "code" in await waiting.return_to_company(unfinished)
    assert (await token(company, **code_form(company, answer))).status_code == 200
    assert (await given.company.refresh())["access_token"]
    assert (await ask(given, "during-the-lag")).status_code in {202, 403}
    assert await given.company.download(transfer["bundle"].rsplit("/", 1)[1])


@CASES
async def test_withdrawing_refusing_revoking_and_reading_go_on(world: World, lagging: Any, code: str) -> None:
    """The citizen refuses, looks and withdraws; the company revokes and is refused for its real reason."""
    given, second = await world.given(), await world.given()
    page = await world.question(given.company, given.citizen)
    async with lagging(world):
        assert (await given.citizen.answer(page, "refuse", WISHES)).status == 200
        assert (await given.citizen.look(given.consent_id)).status == 200
        told(
            await token(given.company, grant_type="refresh_token", refresh_token="none"),
            "refresh_unknown",
            400,
        )
        url = f"{world.origin}/revoke"
        fields = {
            "token": second.tokens["refresh_token"],
            "client_id": second.company.client_id,
            **second.company._assertion(),
        }
        assert (await world.http.post(url, data=fields)).status_code == 200
        assert (await given.citizen.withdraw(given.consent_id)).status == 200
        told(await ask(given, "dead-all-the-same"), "consent_withdrawn", 401)
    states = {row["id"]: row["state"] for row in await world.rows("consent")}
    assert states[given.consent_id] == "withdrawing"
    assert "refused" in states.values()


async def test_what_was_pulled_waits_for_its_entry(world: World) -> None:
    """The log halts while holders are pulled: sealed, not handed out; ready once the log moves again."""
    given = await world.given()
    world.faults["hanbit-bank"].add(Fault.SLOW, path="/oauth", seconds=0.5)
    transfer = await given.company.ask_transfer("halts-meanwhile")
    await until(lambda: "/oauth/2.0/token" in world.faults["hanbit-bank"].requests)
    async with halted(world):
        for _ in range(60):
            (row,) = await world.rows("transfer")
            if row["state"] == "sealed":
                break
            await asyncio.sleep(0.05)
        assert row["state"] == "sealed"
        assert (await given.company.transfer(transfer["id"]))["bundle"] is None
        (bundle,) = await world.rows("bundle")
        told(await given.company.call("GET", f"{world.origin}/bundles/{bundle['id']}"), "ledger_halted", 503)
    assert (await world.settled(given.company, transfer))["state"] == "ready"
