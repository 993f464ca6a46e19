"""Whatever runs at the same moment as a withdrawal: after its commit nothing leaves and nothing is issued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from connectors.sandbox.faults import Fault
from consent import service
from consent.subjects import SubjectId
from gateway.transfers import repository
from gateway.transfers.worker import TICK_SECONDS, Worker
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


async def until(holds: Callable[[], bool]) -> None:
    """Wait until `holds`, at most ten seconds."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")


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


async def test_a_pull_stops_soon_after_a_withdrawal_in_another_process(own_world: World) -> None:
    """Another process withdraws while slow holders are read page by page: no page is asked for any more."""
    world = own_world
    given, bank = await world.given(), world.faults["hanbit-bank"]
    await world._holders_told()
    for faults in world.faults.values():
        faults.add(Fault.SLOW, seconds=2.0)
    begun = len(bank.requests)
    transfer = await given.company.ask_transfer()
    await until(lambda: len(bank.requests) > begun)

    (row,) = await world.rows("consent")
    subject = SubjectId(row["subject_id"])
    async with world.database.transaction() as session:
        now = world.clock.seconds
        await service.withdraw(session, world.parts.journal, given.consent_id, subject=subject, at=now)
        await repository.cancel_of_consent(session, given.consent_id, now, "consent_withdrawn")
    asked = len(bank.requests)
    await asyncio.sleep(6.5)

    assert len(bank.requests) - asked <= 1
    (ended,) = await world.rows("transfer")
    assert (ended["id"], ended["state"], ended["bundle_id"]) == (transfer["id"], "cancelled", None)


async def test_a_withdrawal_that_was_rolled_back_calls_nothing_off_for_good(own_world: World) -> None:
    """A withdrawal that could not be committed never was: the transfer under way arrives whole."""
    world = own_world
    given = await world.given()
    for faults in world.faults.values():
        faults.add(Fault.SLOW, seconds=0.3)
    transfer = await given.company.ask_transfer()
    await until(lambda: bool(world.parts.worker._carried))

    with suppress(RuntimeError):
        async with world.database.transaction() as session:
            await world.parts.worker.end_with(session, given.consent_id, world.clock.seconds)
            raise RuntimeError("the store is gone")
    world.calm()
    world.clock.forward(30)  # past the lease of the attempt that stopped
    ended = await world.settled(given.company, transfer)

    assert ended["state"] == "ready"
    assert all(one["outcome"] == "complete" for one in ended["items"] if one["sent"])
    assert any(one["sent"] for one in ended["items"])


async def test_a_withdrawal_and_a_beginning_pull_never_wait_for_each_other(
    own_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker begins while the withdrawal is half written: that goes through, the pull does not."""
    world, claim = own_world, Worker._claim
    given = await world.given()
    await world._holders_told()
    asked = {len(faults.requests) for faults in world.faults.values()}

    async def nothing(_worker: Worker) -> None:
        return None

    monkeypatch.setattr(Worker, "_claim", nothing)
    await asyncio.sleep(TICK_SECONDS * 1.2)
    transfer = await given.company.ask_transfer()
    (row,) = await world.rows("consent")
    async with world.database.transaction() as session:
        now, subject = world.clock.seconds, SubjectId(row["subject_id"])
        await service.withdraw(session, world.parts.journal, given.consent_id, subject=subject, at=now)
        monkeypatch.setattr(Worker, "_claim", claim)
        await asyncio.sleep(TICK_SECONDS * 1.5)
        await world.parts.worker.end_with(session, given.consent_id, now)
    await asyncio.sleep(TICK_SECONDS)

    (ended,) = await world.rows("transfer")
    assert (ended["id"], ended["state"]) == (transfer["id"], "cancelled")
    assert {len(faults.requests) for faults in world.faults.values()} == asked
    assert "transfer_failed" not in "".join(capsys.readouterr())
