"""`kill -9` while a company ends a consent, hears of its end or certifies a deletion: one move, one entry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from consent.events import Event
from gateway.demo import company_endings
from tests.faults.process import ProcessWorld, open_process_world
from tests.faults.test_killed_oauth import Seen, killed
from tests.flows.test_row_11_withdrawal import withdrawn
from tests.tables import fresh_database
from tests.world import Given

Call = Callable[[], Awaitable[httpx.Response]]
"""The same request, as often as it is sent."""
DOORS = {
    "revocation": Event.CONSENT_GRANT_REVOKED,
    "acknowledgement": Event.RECIPIENT_NOTICE_ACKNOWLEDGED,
    "certificate": Event.DELETION_CERTIFICATE_RECEIVED,
}
"""Each door with the one entry it makes."""


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[ProcessWorld]:
    """A gateway process of its own, on each store."""
    url = await fresh_database(database_url.split("|")[0]) if "|" in database_url else None
    async with open_process_world(tmp_path, url) as opened:
        yield opened


async def revocation(world: ProcessWorld, given: Given) -> Call:
    """The company gives the grant up."""
    own = await company_endings.own_doors(given.company)
    own.tokens = await own._token(grant_type="client_credentials", scope="grant_management_revoke")
    place = f"{world.origin}/grants/{given.tokens['grant_id']}?reason=service_ended"
    return lambda: own.call("DELETE", place)


async def acknowledgement(world: ProcessWorld, given: Given) -> Call:
    """The company says that it has heard of the withdrawal."""
    await _withdrawn(world, given)
    own = await company_endings.own_doors(given.company)
    return lambda: own.call("POST", f"{world.origin}/consents/{given.consent_id}/acknowledgement")


async def certificate(world: ProcessWorld, given: Given) -> Call:
    """The company says, signed, that it has deleted what it was told to."""
    await _withdrawn(world, given)
    own = await company_endings.own_doors(given.company)
    told = await company_endings.deletion_instruction(own, given.consent_id)
    assert told is not None
    signed, kind = company_endings.certificate(own, told), {"Content-Type": "application/jwt"}
    place = f"{world.origin}/consents/{given.consent_id}/deletion-certificate"
    return lambda: own.call("POST", place, headers=kind, content=signed)


async def _withdrawn(world: ProcessWorld, given: Given) -> None:
    """Withdrawn with the instruction to delete; every holder has heard of it and moves nothing later."""
    await withdrawn(world, given, delete="yes")
    for _ in range(600):
        rows = [row for row in await world.rows("holder_notice") if row["consent_id"] == given.consent_id]
        if rows and all(row["state"] == "acknowledged" for row in rows):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the holders did not acknowledge")


async def test_killed_while_a_company_ends(world: ProcessWorld) -> None:
    """Killed at once, or right after the commit: repeating does it once, and says and enters the same."""
    for door in (revocation, acknowledgement, certificate):
        event = DOORS[door.__name__]
        for waits in (False, True):
            given = await world.given()
            call = await door(world, given)
            entered = (await world.kinds())[event]
            await killed(world, call(), _entered(world, event, entered) if waits else None)
            assert (await world.kinds())[event] - entered in ((1,) if waits else (0, 1))
            again, third = await call(), await call()
            assert again.status_code == third.status_code == (204 if door is revocation else 200), again.text
            assert third.content == again.content
            assert (await world.kinds())[event] == entered + 1
            await sound(world)


def _entered(world: ProcessWorld, event: Event, before: int) -> Seen:
    """Whether the entry stands in the store."""

    async def seen() -> bool:
        return (await world.kinds())[event] > before

    return seen


async def sound(world: ProcessWorld) -> None:
    """Versions without a gap, the newest is the consent, and every version has its one entry."""
    versions, consents = await world.rows("consent_version"), await world.rows("consent")
    entered = [row["idem"] for row in await world.rows("ledger_payload")]
    for consent in consents:
        own = sorted(row["version"] for row in versions if row["consent_id"] == consent["id"])
        assert own == list(range(own[0], consent["version"] + 1))
        newest = max((row for row in versions if row["consent_id"] == consent["id"]), key=_version)
        assert newest["state"] == consent["state"]
    for row in versions:
        assert entered.count(f"consent:{row['consent_id']}:{row['version']}") == 1
    assert "Traceback" not in world.said()


def _version(row: dict[str, int]) -> int:
    return row["version"]
