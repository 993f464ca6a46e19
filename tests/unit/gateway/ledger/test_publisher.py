"""The publisher: signs what continues, refuses everything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from consent.ledger.checkpoint import Checkpoint, open_note, sign
from consent.ledger_tables import CHECKPOINT, ENTRY, HEAD, TILE
from gateway.errors import Problem
from gateway.ledger import repository
from gateway.ledger.last_signed import LastSigned
from tests.unit.gateway.ledger.conftest import ORIGIN, SIGNER, Ledger


async def go_back(ledger: Ledger, head: repository.Head, checkpoint: tuple[int, str] | None) -> None:
    """Restore the database as an old backup would: the log's tables as they were then."""
    async with ledger.database.transaction() as session:
        await session.execute(delete(ENTRY).where(ENTRY.c.position >= head.size))
        await session.execute(delete(TILE).where((TILE.c.number + 1) * 256 > head.size))
        await session.execute(update(HEAD).values(size=head.size, root=head.root, edge=head.edge))
        if checkpoint is None:
            await session.execute(delete(CHECKPOINT))
        else:
            await session.execute(update(CHECKPOINT).values(size=checkpoint[0], note=checkpoint[1]))


async def state(ledger: Ledger) -> tuple[repository.Head, tuple[int, str] | None]:
    """What a backup would hold."""
    async with ledger.database.reading() as session:
        return await repository.head(session), await repository.checkpoint(session)


async def test_a_checkpoint_covers_every_entry(ledger: Ledger) -> None:
    """After integration the signed checkpoint has the log's size and root, in database and file."""
    await ledger.append(300)
    assert await ledger.log.integrate_now() == 300
    note = await ledger.log.checkpoint()
    head, _ = await state(ledger)

    assert open_note(note, ledger.log.vkey) == Checkpoint(ORIGIN, 300, head.root)
    assert ledger.last_signed.read_text() == note


@pytest.mark.parametrize("more", [0, 5, 50])
async def test_a_restored_backup_is_not_signed(ledger: Ledger, more: int) -> None:
    """After an old backup came back nothing is signed or added, with fewer, as many or more new entries."""
    await ledger.append(10)
    await ledger.log.integrate_now()
    backup = await state(ledger)
    await ledger.append(5)
    await ledger.log.integrate_now()
    signed = ledger.last_signed.read_text()
    await go_back(ledger, *backup)
    if more:
        await ledger.append(more)
    restarted = ledger.another_log()

    with pytest.raises(Problem) as refused:
        await restarted.integrate_now()
    assert refused.value.code == "ledger_halted"
    with pytest.raises(Problem, match="ledger_halted"):
        await restarted.refuse_if_behind()
    assert await state(ledger) == backup
    assert (await restarted.backlog()).rows == more
    assert ledger.last_signed.read_text() == signed


@pytest.mark.parametrize("more", [5, 400])
async def test_a_rewritten_history_is_not_signed(ledger: Ledger, more: int) -> None:
    """A restored tree that already grew again, differently, is refused at the old size or above it."""
    await ledger.append(10)
    await ledger.log.integrate_now()
    backup = await state(ledger)
    await ledger.append(5)
    await ledger.log.integrate_now()
    signed = ledger.last_signed.read_text()
    await go_back(ledger, *backup)
    await ledger.append(more)
    fresh = ledger.last_signed.with_name("another")
    fresh.write_text(str(backup[1] and backup[1][1]))
    await ledger.another_log(fresh).integrate_now()

    with pytest.raises(Problem, match="ledger_halted"):
        await ledger.another_log().integrate_now()
    assert ledger.last_signed.read_text() == signed


async def test_a_missing_file_stops_the_log(ledger: Ledger) -> None:
    """Once something was signed, the file must be there; putting the published checkpoint back heals it."""
    await ledger.append(3)
    await ledger.log.integrate_now()
    note = await ledger.log.checkpoint()
    ledger.last_signed.unlink()
    with pytest.raises(Problem, match="ledger_halted"):
        await ledger.log.integrate_now()

    ledger.last_signed.write_text(note)
    await ledger.append(1)
    assert await ledger.log.integrate_now() == 1
    await ledger.log.refuse_if_behind()


async def test_a_damaged_file_stops_the_log(ledger: Ledger) -> None:
    """A file that is no checkpoint of this key is not overwritten but refused."""
    await ledger.append(3)
    await ledger.log.integrate_now()
    for content in (b"", b"\xff\xfe", b"mydata.test/ledger/2026\n3\n"):
        ledger.last_signed.write_bytes(content)
        with pytest.raises(Problem, match="ledger_halted"):
            await ledger.log.integrate_now()
        assert ledger.last_signed.read_bytes() == content


async def test_a_lost_database_is_not_signed(ledger: Ledger) -> None:
    """An empty database behind a file that knows entries is a loss, not a new log."""
    ledger.last_signed.write_text(sign(Checkpoint(ORIGIN, 7, b"r" * 32), SIGNER))
    await ledger.append(1)

    with pytest.raises(Problem, match="ledger_halted"):
        await ledger.log.integrate_now()


async def test_a_crash_between_file_and_row_heals(ledger: Ledger) -> None:
    """If the process died after the file was written, the next run publishes the same checkpoint."""
    await ledger.append(2)
    await ledger.log.integrate_now()
    before = await state(ledger)
    await ledger.append(2)
    await ledger.log.integrate_now()
    note = await ledger.log.checkpoint()
    async with ledger.database.transaction() as session:
        await session.execute(update(CHECKPOINT).values(size=2, note=before[1][1] if before[1] else ""))
    await ledger.another_log().integrate_now()

    assert await ledger.log.checkpoint() == note


async def test_the_row_only_grows(ledger: Ledger) -> None:
    """Compare-and-set: a smaller or equal checkpoint never replaces the stored one."""
    await ledger.append(4)
    await ledger.log.integrate_now()
    note = await ledger.log.checkpoint()
    async with ledger.database.transaction() as session:
        assert not await repository.advance_checkpoint(session, 3, "smaller")
        assert not await repository.advance_checkpoint(session, 4, "another")
        assert await repository.advance_checkpoint(session, 5, "larger")
        assert await repository.checkpoint(session) == (5, "larger")
        await session.execute(update(CHECKPOINT).values(size=4, note=note))


async def test_another_note_of_the_published_size_is_refused(ledger: Ledger) -> None:
    """A stored checkpoint of this size with other bytes means another signer: stop."""
    await ledger.append(4)
    await ledger.log.integrate_now()
    async with ledger.database.transaction() as session:
        await session.execute(update(CHECKPOINT).values(note="another"))

    with pytest.raises(Problem, match="ledger_halted"):
        await ledger.log.integrate_now()


def test_the_file_changes_only_from_what_was_expected(tmp_path: Path) -> None:
    """Two processes cannot overwrite each other's checkpoint unseen."""
    file = LastSigned(tmp_path / "last-signed")

    assert file.read() is None
    assert file.replace(None, "one")
    assert not file.replace(None, "two")
    assert file.replace("one", "two")
    assert file.read() == "two"
    assert not (tmp_path / "last-signed.new").exists()
