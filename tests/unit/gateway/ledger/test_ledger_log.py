"""The log as doors use it: wait, prove, refuse when behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from consent.ledger.checkpoint import open_note
from consent.ledger.proof import verify_inclusion
from gateway.errors import Problem
from gateway.ledger import Log
from gateway.ledger import log as log_module
from tests.unit.gateway.ledger.conftest import Ledger


@asynccontextmanager
async def running(log: Log) -> AsyncIterator[None]:
    """The log's background task, for as long as the block lasts."""
    task = asyncio.create_task(log.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_waiting_gives_the_published_position(ledger: Ledger) -> None:
    """Waiting by outbox id or by idem gives the position that a signed checkpoint covers."""
    async with running(ledger.log):
        first = (await ledger.append(3))[2]
        await ledger.append(1, idem="grant-1")
        found = await asyncio.gather(
            ledger.log.wait_integrated(first.outbox_id, timeout=10),
            ledger.log.wait_integrated("grant-1", timeout=10),
        )
        size = open_note(await ledger.log.checkpoint(), ledger.log.vkey).size

    assert list(found) == [2, 3]
    assert size == 4


async def test_an_entry_another_process_integrates_is_found(ledger: Ledger) -> None:
    """Waiting does not depend on this process's own sequencer."""
    appended = (await ledger.append(1))[0]
    waiting = asyncio.create_task(ledger.log.wait_integrated(appended.outbox_id, timeout=10))
    await asyncio.sleep(0)
    await ledger.another_log().integrate_now()

    assert await waiting == 0


async def test_entries_gather_unless_somebody_waits(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows soon waits for company; who asks for a position is not kept waiting by that."""
    monkeypatch.setattr(log_module, "GATHER_SECONDS", 60)
    async with running(ledger.log):
        first = (await ledger.append(1))[0]
        assert await ledger.log.wait_integrated(first.outbox_id, timeout=10) == 0
        for _ in range(10):  # the asking above may be heard for another round
            last = (await ledger.append(1))[0]
            ledger.log.wake()
            await asyncio.sleep(0.3)  # six ticks
            if (await ledger.log.backlog()).rows:
                break
        assert (await ledger.log.backlog()).rows == 1
        assert await ledger.log.wait_integrated(last.outbox_id, timeout=10) > 0


async def test_waiting_ends(ledger: Ledger) -> None:
    """An entry that is not integrated in time, or never existed, is a time-out with a moment to come back."""
    appended = (await ledger.append(1))[0]
    for what in (appended.outbox_id, 10**9, "no such idem"):
        with pytest.raises(Problem, match="ledger_timeout") as late:
            await ledger.log.wait_integrated(what, timeout=0.05)
        assert late.value.retry_after == 1


async def test_every_published_entry_has_a_proof(ledger: Ledger) -> None:
    """The proof leads from the entry's leaf to the root of the checkpoint that comes with it."""
    appended = await ledger.append(300)
    await ledger.log.integrate_now()
    for index in (0, 1, 255, 256, 299):
        proved = await ledger.log.inclusion(index)
        root = open_note(proved.checkpoint, ledger.log.vkey).root
        assert verify_inclusion(appended[index].leaf, (index, proved.size), proved.path, root)


async def test_there_is_no_proof_of_what_is_not_published(ledger: Ledger) -> None:
    """Before the first checkpoint, beyond its size and below zero there is nothing to prove."""
    with pytest.raises(Problem, match="not_found"):
        await ledger.log.inclusion(0)
    await ledger.append(1)
    await ledger.log.integrate_now()
    for index in (-1, 1):
        with pytest.raises(Problem, match="not_found"):
            await ledger.log.inclusion(index)


async def test_an_old_backlog_refuses(ledger: Ledger) -> None:
    """When the oldest promise is more than five seconds old new work is refused, until the log caught up."""
    await ledger.append(2)
    await ledger.log.refuse_if_behind()
    ledger.clock.now += log_module.MAX_AGE_SECONDS + 1
    assert await ledger.log.backlog() == log_module.Backlog(2, 6)
    with pytest.raises(Problem, match="ledger_behind") as refused:
        await ledger.log.refuse_if_behind()
    await ledger.log.integrate_now()

    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    await ledger.log.refuse_if_behind()


async def test_a_long_backlog_refuses(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many waiting rows refuse new work, however young they are."""
    monkeypatch.setattr(log_module, "MAX_ROWS", 3)
    await ledger.append(4)

    with pytest.raises(Problem, match="ledger_behind"):
        await ledger.log.refuse_if_behind()


async def test_the_opening_is_recorded_once(ledger: Ledger) -> None:
    """However often the gateway starts, the log says once that it was opened with this key."""
    first = await ledger.log.open(ledger.journal)
    again = await ledger.another_log().open(ledger.journal)
    await ledger.log.integrate_now()

    assert first == again
    assert open_note(await ledger.log.checkpoint(), ledger.log.vkey).size == 1


async def test_the_task_survives_a_refusal(ledger: Ledger) -> None:
    """A log that halted goes on by itself once its cause is repaired."""
    await ledger.append(1)
    await ledger.log.integrate_now()
    note = ledger.last_signed.read_text()
    ledger.last_signed.write_text("damaged")
    async with running(ledger.log):
        later = (await ledger.append(1))[0]
        with pytest.raises(Problem, match="ledger_timeout"):
            await ledger.log.wait_integrated(later.outbox_id, timeout=0.3)
        with pytest.raises(Problem, match="ledger_halted"):
            await ledger.log.refuse_if_behind()
        ledger.last_signed.write_text(note)

        assert await ledger.log.wait_integrated(later.outbox_id, timeout=10) == 1
        await ledger.log.integrate_now()  # the round that published is over, too
    await ledger.log.refuse_if_behind()


async def test_many_processes_keep_one_log(ledger: Ledger) -> None:
    """Three logs at once with a shared file, writers in between: one history, every promise kept."""
    logs = [ledger.log, ledger.another_log(batch=3), ledger.another_log(batch=5)]
    async with running(logs[0]), running(logs[1]), running(logs[2]):
        batches = await asyncio.gather(*(ledger.append(4) for _ in range(8)))
        appended = [a for batch in batches for a in batch]
        positions = await asyncio.gather(
            *(logs[i % 3].wait_integrated(a.outbox_id, timeout=20) for i, a in enumerate(appended))
        )

    assert sorted(positions) == list(range(32))
    assert open_note(await ledger.log.checkpoint(), ledger.log.vkey).size == 32
