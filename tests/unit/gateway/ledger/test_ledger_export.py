"""Export and trail: what leaves verifies offline, and says nothing about people it should not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from consent.ledger.verify import verify
from consent.ledger_tables import ENTRY, PAYLOAD, TILE
from consent.subjects import SubjectError, SubjectId, SubjectKeys
from gateway.errors import Problem
from gateway.ledger import export, trail
from tests.unit.gateway.ledger.conftest import Ledger


async def exported(ledger: Ledger, folder: Path) -> Path:
    """Export the published log to `folder`."""
    async with ledger.database.reading() as session:
        await export(session, folder)
    return folder


async def trail_of(ledger: Ledger, subject: SubjectId) -> bytes:
    """The trail of `subject`."""
    async with ledger.database.reading() as session:
        return await trail(session, ledger.keys, subject)


async def test_an_export_verifies_with_its_trail(ledger: Ledger, tmp_path: Path) -> None:
    """A log of several batches, its earlier checkpoint and a citizen's trail all verify from the files."""
    subject = await ledger.citizen()
    await ledger.append(100)
    await ledger.append(2, subject)
    await ledger.log.integrate_now()
    pinned = (await ledger.log.checkpoint()).encode()
    await ledger.append(400)
    await ledger.append(1, subject)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "out")
    opened = await trail_of(ledger, subject)
    report = verify(folder, ledger.log.vkey, pinned, opened)

    assert report.findings == []
    assert (report.size, report.pinned, report.events) == (503, 102, 3)
    assert [e["payload"]["body"] for e in json.loads(opened)["events"]] == [{"i": 0}, {"i": 1}, {"i": 0}]


async def test_only_what_is_published_is_exported(ledger: Ledger, tmp_path: Path) -> None:
    """Entries that wait for a checkpoint are in neither export nor trail."""
    subject = await ledger.citizen()
    await ledger.append(2, subject)
    await ledger.log.integrate_now()
    await ledger.append(2, subject)
    report = verify(
        await exported(ledger, tmp_path / "out"), ledger.log.vkey, None, await trail_of(ledger, subject)
    )

    assert (report.findings, report.size, report.events) == ([], 2, 2)


async def test_damage_in_the_database_shows_in_the_export(ledger: Ledger, tmp_path: Path) -> None:
    """The export repairs nothing: a changed row in the database is found by whoever verifies."""
    await ledger.append(300)
    await ledger.log.integrate_now()
    async with ledger.database.transaction() as session:
        await session.execute(update(TILE).values(data=b"\x00" * 8192))
    tiles = verify(await exported(ledger, tmp_path / "tiles"), ledger.log.vkey)
    async with ledger.database.transaction() as session:
        other = ENTRY.alias()
        swap = ENTRY.update().where(ENTRY.c.position == 7)
        entry = other.select().where(other.c.position == 8).with_only_columns(other.c.entry).scalar_subquery()
        await session.execute(swap.values(entry=entry))
    entries = verify(await exported(ledger, tmp_path / "entries"), ledger.log.vkey)

    assert [f.where for f in tiles.findings] == ["tile/0/000"]
    assert "root_mismatch" in [f.code for f in entries.findings]


async def test_a_full_folder_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """An export is never mixed with what is already there; before a checkpoint there is nothing."""
    with pytest.raises(Problem, match="not_found"):
        await exported(ledger, tmp_path / "out")
    await ledger.append(1)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "out")
    before = sorted(folder.rglob("*"))
    with pytest.raises(Problem, match="ledger_export_not_empty"):
        await exported(ledger, folder)

    assert sorted(folder.rglob("*")) == before


async def test_a_hidden_event_shows_in_the_trail(ledger: Ledger) -> None:
    """If the operator deletes one of a citizen's events from the openings, the trail no longer verifies."""
    subject = await ledger.citizen()
    await ledger.append(3, subject)
    await ledger.log.integrate_now()
    async with ledger.database.transaction() as session:
        await session.execute(PAYLOAD.delete().where(PAYLOAD.c.n == 2))
    report = verify(None, ledger.log.vkey, None, await trail_of(ledger, subject))

    assert [f.code for f in report.findings] == ["trail_chain"]


async def test_a_trail_opens_for_its_citizen_only(ledger: Ledger) -> None:
    """Another KEK, an unknown citizen and an unpublished log give no trail."""
    subject = await ledger.citizen()
    with pytest.raises(Problem, match="not_found"):
        await trail_of(ledger, subject)
    await ledger.append(1, subject)
    await ledger.log.integrate_now()
    with pytest.raises(SubjectError, match="subject_unknown"):
        await trail_of(ledger, SubjectId("s-none"))
    with pytest.raises(SubjectError, match="subject_unreadable"):
        async with ledger.database.reading() as session:
            await trail(session, SubjectKeys(b"x" * 32), subject)


async def test_nothing_about_a_person_is_exported(ledger: Ledger, tmp_path: Path) -> None:
    """Neither the citizen's record id nor a payload word is in the export; the id is not in a trail."""
    subject = await ledger.citizen()
    await ledger.append(2, subject)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "out")
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert subject.encode() not in stored
    assert b'"i"' not in stored
    assert subject.encode() not in await trail_of(ledger, subject)


async def test_after_erasure_nothing_matches_and_everything_verifies(ledger: Ledger, tmp_path: Path) -> None:
    """Erased: proofs still hold, a kept trail still verifies, and no stored key gives the entries' tags."""
    subject, other = await ledger.citizen(), await ledger.citizen()
    await ledger.append(3, subject)
    await ledger.append(1, other)
    await ledger.log.integrate_now()
    kept = await trail_of(ledger, subject)
    tags = [row.tag for row in await _payloads(ledger) if row.subject == subject]
    async with ledger.database.transaction() as session:
        await ledger.journal.forget(session, subject, party="gateway", at=ledger.clock.now)
    await ledger.log.integrate_now()
    folder = await exported(ledger, tmp_path / "out")
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    report = verify(folder, ledger.log.vkey, None, kept)

    assert (report.findings, report.size) == ([], 5)
    assert all(tag in stored for tag in tags)
    assert not {row.tag for row in await _payloads(ledger)} & set(tags)
    with pytest.raises(SubjectError, match="subject_erased"):
        await trail_of(ledger, subject)
    async with ledger.database.reading() as session:
        key = await ledger.keys.key(session, other)
    assert all(key.tag(n) not in tags for n in range(1, 10))


async def _payloads(ledger: Ledger) -> list[Any]:
    async with ledger.database.reading() as session:
        return list((await session.execute(PAYLOAD.select())).all())
