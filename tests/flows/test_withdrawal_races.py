"""Whatever runs at the same moment as a withdrawal: after its commit nothing leaves and nothing is issued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consent import service
from consent.subjects import SubjectId
from tests.world import Given, World

STALL_SECONDS = 0.5


@asynccontextmanager
async def withdrawing(world: World, given: Given) -> AsyncIterator[None]:
    """A withdrawal that is written but not committed while the block runs; committed after it."""
    written, go_on = asyncio.Event(), asyncio.Event()

    async def withdraw() -> None:
        (row,) = await world.rows("consent")
        async with world.database.transaction() as session:
            consent = await service.withdraw(
                session,
                world.parts.journal,
                given.consent_id,
                subject=SubjectId(row["subject_id"]),
                at=world.clock.seconds,
            )
            await world.parts.worker.end_with(session, consent.id, world.clock.seconds)
            written.set()
            await go_on.wait()

    task = asyncio.create_task(withdraw())
    await written.wait()
    try:
        yield
    finally:
        go_on.set()
        await task


async def test_a_bundle_asked_for_during_a_withdrawal_stays(own_world: World) -> None:
    """The download began before the withdrawal committed and ends after it: not one byte leaves."""
    world = own_world
    given = await world.given()
    transfer = await world.settled(given.company, await given.company.ask_transfer())
    async with withdrawing(world, given):
        download = asyncio.create_task(given.company.call("GET", transfer["bundle"]))
        await asyncio.sleep(STALL_SECONDS)
    answer = await download

    assert answer.status_code in (400, 401, 404)
    assert b"mdb" not in answer.content[:8]


async def test_no_token_is_made_during_a_withdrawal(own_world: World) -> None:
    """A refresh that began before the withdrawal committed and ends after it gives no token."""
    world = own_world
    given = await world.given()
    async with withdrawing(world, given):
        url = given.company.metadata["token_endpoint"]
        form = {"grant_type": "refresh_token", "refresh_token": given.tokens["refresh_token"]}
        refresh = asyncio.create_task(
            given.company.http.post(
                url,
                data={"client_id": given.company.client_id, **form, **given.company._assertion()},
                headers={"DPoP": given.company._proof("POST", url)},
            )
        )
        await asyncio.sleep(STALL_SECONDS)
    answer = await refresh

    assert (answer.status_code, answer.json().get("code")) == (400, "consent_withdrawn")
