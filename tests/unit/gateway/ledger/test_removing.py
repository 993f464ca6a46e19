"""Entries removed under retention: only what nobody opens, only with the log saying so, proofs untouched."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from consent.ledger.verify import Trust, source_of, verify
from consent.ledger_tables import ENTRY, INDEX
from gateway.errors import Problem
from gateway.ledger import export, trail
from gateway.ledger.census import take
from gateway.ledger.index import differences
from gateway.ledger.mirror import mirror
from gateway.ledger.removing import remove
from tests.unit.gateway.ledger.conftest import AT, Ledger

WHY = "PIPA 21: the duty of the year 2023 ended"


async def exported(ledger: Ledger, folder: Path) -> Path:
    """Export the published log."""
    async with ledger.database.reading() as session:
        await export(session, folder)
    return folder


async def forgotten(ledger: Ledger) -> None:
    """600 entries; a citizen had some of the first, and is forgotten."""
    gone = await ledger.citizen()
    await ledger.append(10, gone)
    await ledger.append(590)
    await ledger.log.integrate_now()
    async with ledger.database.transaction() as session:
        await ledger.journal.forget(session, gone, party="gateway", at=AT)
    await ledger.log.integrate_now()


async def test_a_gap_the_log_names_is_accepted(ledger: Ledger, tmp_path: Path) -> None:
    """Two bundles go: everything else verifies, continues the copy of before, and the gap is named."""
    await forgotten(ledger)
    before = (await ledger.log.checkpoint()).encode()
    stays = await ledger.citizen()
    await ledger.append(2, stays)
    await ledger.log.integrate_now()
    removed = await remove(ledger.database, ledger.journal, 512, reason=WHY, at=AT)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "out")
    async with ledger.database.reading() as session:
        kept = await trail(session, ledger.keys, stays)
        wrong, _ = await differences(session, 0)
        left = (await session.execute(select(ENTRY.c.position).order_by(ENTRY.c.position))).scalars().first()
    report = verify(folder, ledger.log.vkey, before, kept)

    assert removed == (0, 512, 10)
    assert (left, wrong) == (512, [])
    assert not (folder / "tile/entries/000").exists()
    assert (report.findings, report.gaps) == ([], [(0, 512)])
    assert "entries 0 to 511 were removed, as the log says" in report.as_text()
    assert report.as_json()["gaps"] == [{"first": 0, "end": 512}]


async def test_the_sum_still_adds_up_over_a_gap(ledger: Ledger, tmp_path: Path) -> None:
    """A census after the removal counts what the log says was removed, and the verifier adds the same."""
    await forgotten(ledger)
    stays = await ledger.citizen()
    await ledger.append(3, stays)
    await ledger.log.integrate_now()
    await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)
    await ledger.log.integrate_now()
    taken = await take(ledger.database, ledger.journal, at=AT)
    await ledger.log.integrate_now()
    async with ledger.database.reading() as session:
        kept = await trail(session, ledger.keys, stays)
    report = verify(await exported(ledger, tmp_path / "out"), ledger.log.vkey, None, kept)

    assert taken.census.root[1] == 14
    assert (report.findings, report.checks()["sum"]) == ([], "held")


@pytest.mark.parametrize("bundle", ["000", "001"])
async def test_a_gap_nobody_names_is_found(ledger: Ledger, tmp_path: Path, bundle: str) -> None:
    """A missing bundle that no entry names, without any removal or beside a named one, has its own code."""
    await forgotten(ledger)
    folder = await exported(ledger, tmp_path / "plain")
    (folder / f"tile/entries/{bundle}").unlink()
    plain = verify(folder, ledger.log.vkey)
    await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "named")
    (folder / "tile/entries/001").unlink()
    named = verify(folder, ledger.log.vkey)

    assert [(f.code, f.where) for f in plain.findings] == [("gap_unnamed", f"tile/entries/{bundle}")]
    assert [(f.code, f.where) for f in named.findings] == [("gap_unnamed", "tile/entries/001")]
    assert plain.exit_code == 27


async def test_rows_deleted_without_the_log_saying_so_are_found(ledger: Ledger, tmp_path: Path) -> None:
    """Entries deleted in the database behind the gateway's back make an export that does not verify."""
    await forgotten(ledger)
    async with ledger.database.transaction() as session:
        await session.execute(delete(ENTRY).where(ENTRY.c.position < 256))
    report = verify(await exported(ledger, tmp_path / "out"), ledger.log.vkey)

    assert [f.code for f in report.findings] == ["gap_unnamed"]


async def test_hashes_of_removed_entries_must_stay(ledger: Ledger, tmp_path: Path) -> None:
    """A gap excuses entries, not their hashes: without them nothing could be proved."""
    await forgotten(ledger)
    await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "out")
    (folder / "tile/0/000").unlink()
    assert [f.code for f in verify(folder, ledger.log.vkey).findings] == ["file_missing"]

    folder = await exported(ledger, tmp_path / "bit")
    data = bytearray((folder / "tile/0/000").read_bytes())
    data[40] ^= 1
    (folder / "tile/0/000").write_bytes(data)
    assert "root_mismatch" in [f.code for f in verify(folder, ledger.log.vkey).findings]


async def test_what_a_citizen_still_opens_is_not_removed(ledger: Ledger) -> None:
    """A range with one living citizen's event stays whole; nothing is entered, nothing deleted."""
    await ledger.append(3, await ledger.citizen())
    await ledger.append(400)
    await ledger.log.integrate_now()
    with pytest.raises(Problem, match="ledger_entries_needed"):
        await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)

    assert (await ledger.log.backlog()).rows == 0
    async with ledger.database.reading() as session:
        assert len((await session.execute(select(INDEX.c.position))).all()) == 403
        assert len((await session.execute(select(ENTRY.c.position))).all()) == 403


@pytest.mark.parametrize(("end", "reason"), [(0, WHY), (100, WHY), (768, WHY), (256, ""), (256, "x" * 201)])
async def test_only_whole_published_bundles_go(ledger: Ledger, end: int, reason: str) -> None:
    """A part of a bundle, what is not published, and a removal without a reason are refused."""
    await forgotten(ledger)
    with pytest.raises(Problem, match="invalid_request"):
        await remove(ledger.database, ledger.journal, end, reason=reason, at=AT)


async def test_removals_follow_each_other(ledger: Ledger, tmp_path: Path) -> None:
    """The second removal begins where the first ended; the same one twice is refused."""
    await forgotten(ledger)
    await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)
    with pytest.raises(Problem, match="invalid_request"):
        await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)
    assert await remove(ledger.database, ledger.journal, 512, reason=WHY, at=AT) == (256, 512, 0)
    await ledger.log.integrate_now()
    report = verify(await exported(ledger, tmp_path / "out"), ledger.log.vkey)

    assert (report.findings, report.gaps) == ([], [(0, 256), (256, 512)])


async def test_a_mirror_keeps_what_it_has(ledger: Ledger, tmp_path: Path) -> None:
    """A mirror that copied before the removal keeps its entries; a new one has the gap, and says so."""
    await forgotten(ledger)
    trust = Trust.of([ledger.log.vkey])
    first = source_of(str(await exported(ledger, tmp_path / "first")))
    assert mirror(tmp_path / "old", first, trust, entries=True).findings == []
    await remove(ledger.database, ledger.journal, 256, reason=WHY, at=AT)
    await ledger.log.integrate_now()
    second = source_of(str(await exported(ledger, tmp_path / "second")))
    old = mirror(tmp_path / "old", second, trust, entries=True)
    new = mirror(tmp_path / "new", second, trust, entries=True)

    assert (old.findings, old.gaps) == ([], [])
    assert (new.findings, new.gaps) == ([], [(0, 256)])
