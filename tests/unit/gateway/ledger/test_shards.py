"""The turn of the year: one tree under the next name, atomic, and continued in every reader's eyes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.canonical import canonical
from consent.ledger.checkpoint import Checkpoint, open_note, sign, vkey
from consent.ledger.proof import consistency
from consent.ledger.shards import is_later, key_named, origin_at, same_log
from consent.ledger.submission import Submission
from consent.ledger.verify import Finding, Report, Trust, source_of, verify
from consent.ledger_tables import CHECKPOINT, HEAD
from gateway.errors import Problem
from gateway.ledger import Log, export, repository, trail
from gateway.ledger.census import take
from gateway.ledger.mirror import mirror
from gateway.ledger.nodes import prove
from gateway.ledger.witness import Witness
from tests.unit.gateway.ledger.conftest import SIGNER, Ledger, Moment

NAME = "mydata.test/ledger/{year}"
YEAR = 366 * 86_400
KEYS = {year: vkey(f"mydata.test/ledger/{year}", SIGNER.public_key()) for year in (2025, 2026, 2027, 2028)}


async def sharded(ledger: Ledger) -> Log:
    """The log of `ledger`, from now on one that turns with the year."""
    ledger.log = Log(ledger.database, SIGNER, NAME, ledger.last_signed, clock=ledger.clock)
    await ledger.log.open(ledger.journal)
    return ledger.log


async def exported(ledger: Ledger, folder: Path) -> Path:
    """Export the published log."""
    async with ledger.database.reading() as session:
        await export(session, folder)
    return folder


async def turned(ledger: Ledger) -> tuple[Log, str]:
    """A log of 300 entries in 2026 and 20 more in 2027, and the last checkpoint of 2026."""
    log = await sharded(ledger)
    await ledger.append(299)
    await log.integrate_now()
    closed = await log.checkpoint()
    ledger.clock.now += YEAR
    await ledger.append(19)
    await log.integrate_now()
    return log, closed


async def test_the_year_turns_with_its_name_and_count(ledger: Ledger, tmp_path: Path) -> None:
    """The first entry of 2027 closes 2026; sizes go on; every old and new key text verifies the one tree."""
    log, closed = await turned(ledger)
    folder = await exported(ledger, tmp_path / "out")
    report = verify(folder, KEYS[2027], closed.encode())

    assert (log.origin, log.vkey) == ("mydata.test/ledger/2027", KEYS[2027])
    assert open_note(await log.checkpoint(), KEYS[2027]).size == 320
    assert (report.findings, report.size, report.pinned) == ([], 320, 300)
    assert report.shards == [("mydata.test/ledger/2026", 300)]
    assert report.checks()["statements"] == "held"
    assert "continues mydata.test/ledger/2026, closed with 300 entries" in report.as_text()
    assert verify(folder, KEYS[2026], closed.encode()).findings == []
    shutil.rmtree(folder / "tile/entries")
    hashes = verify(folder, KEYS[2026], entries=False)
    assert (hashes.findings, hashes.checks()["statements"]) == ([], "held")


async def test_several_turns_make_one_chain(ledger: Ledger, tmp_path: Path) -> None:
    """2026, 2027 and 2028 follow each other; turning twice in a year does not happen; no year goes back."""
    log, closed = await turned(ledger)
    assert await log.integrate_now() == 0
    ledger.clock.now -= 2 * YEAR
    await ledger.append(1)
    assert await log.integrate_now() == 1
    assert log.origin == "mydata.test/ledger/2027"
    ledger.clock.now += 3 * YEAR
    assert await log.integrate_now() == 1
    report = verify(await exported(ledger, tmp_path / "out"), KEYS[2026], closed.encode())

    assert report.findings == []
    assert report.shards == [("mydata.test/ledger/2026", 300), ("mydata.test/ledger/2027", 321)]
    assert report.origin == "mydata.test/ledger/2028"


async def test_a_turn_happens_whole_or_not(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store fails inside the turn, nothing of it is left and the next try turns once."""
    log = await sharded(ledger)
    await log.integrate_now()
    ledger.clock.now += YEAR
    extend = repository.extend

    async def failing(*arguments: Any) -> None:
        await extend(*arguments)
        raise OSError("the disk is full")

    monkeypatch.setattr(repository, "extend", failing)
    with pytest.raises(Problem, match="storage_unavailable"):
        await log.integrate_now()
    monkeypatch.undo()
    async with ledger.database.reading() as session:
        assert (await repository.head(session)).origin == "mydata.test/ledger/2026"
        assert await repository.backlog(session) == (0, None)
    assert await log.integrate_now() == 1
    assert await log.integrate_now() == 0


async def test_one_of_two_processes_turns(ledger: Ledger, tmp_path: Path) -> None:
    """Two gateways over one store open one shard; the slower one, still in the old year, follows it."""
    slow = await sharded(ledger)
    await slow.integrate_now()
    fast = Log(ledger.database, SIGNER, NAME, ledger.last_signed, clock=ledger.clock)
    await fast.open(ledger.journal)
    await fast.integrate_now()
    ledger.clock.now += YEAR
    assert await fast.integrate_now() == 1
    ledger.clock.now -= YEAR
    await ledger.append(3)
    assert await slow.integrate_now() == 3

    assert slow.vkey == fast.vkey == KEYS[2027]
    report = verify(await exported(ledger, tmp_path / "out"), KEYS[2027])
    assert (report.findings, len(report.shards)) == ([], 1)


async def test_a_backup_of_last_year_is_not_signed(ledger: Ledger) -> None:
    """A store that is still in 2026 behind a file that knows 2027 halts, even with as many entries."""
    log, closed = await turned(ledger)
    size = open_note(await log.checkpoint(), KEYS[2027]).size
    async with ledger.database.transaction() as session:
        head = await repository.head(session)
        await session.execute(HEAD.update().values(origin="mydata.test/ledger/2026"))
    ledger.clock.now -= YEAR

    with pytest.raises(Problem, match="ledger_halted"):
        await log.integrate_now()
    assert (head.size, closed.partition("\n")[0]) == (size, "mydata.test/ledger/2026")


async def test_a_trail_and_a_census_cross_the_turn(ledger: Ledger, tmp_path: Path) -> None:
    """A citizen's trail of two years is one chain, and complete by a census taken after the turn."""
    log = await sharded(ledger)
    subject = await ledger.citizen()
    await ledger.append(2, subject)
    await log.integrate_now()
    async with ledger.database.reading() as session:
        early = await trail(session, ledger.keys, subject)
    ledger.clock.now += YEAR
    await ledger.append(3, subject)
    await log.integrate_now()
    await take(ledger.database, ledger.journal, at=ledger.clock.now)
    await log.integrate_now()
    async with ledger.database.reading() as session:
        late = await trail(session, ledger.keys, subject)
    folder = await exported(ledger, tmp_path / "out")
    whole = verify(folder, KEYS[2027], None, late)

    assert (whole.findings, whole.events) == ([], 5)
    assert whole.checks()["sum"] == "held"
    assert verify(folder, KEYS[2027], None, early).findings == []
    assert verify(None, KEYS[2026], None, late).findings == []


async def test_our_witness_follows_the_turn_and_no_fork_at_it(ledger: Ledger, tmp_path: Path) -> None:
    """It was told of 2026 only: it asks 2027 to continue that, and refuses a 2026 or a fork afterwards."""
    log, closed = await turned(ledger)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    witness = Witness(tmp_path / "witness", "bank.test/witness", key, [KEYS[2026]])
    note = await log.checkpoint()
    async with ledger.database.reading() as session:
        path = await prove(session, 320, lambda read: consistency(300, 320, read))
    fork = sign(Checkpoint("mydata.test/ledger/2027", 320, b"f" * 32), SIGNER)

    assert witness.add(Submission(0, (), closed).encode()).status == 200
    assert witness.add(Submission(0, (), note).encode()).status == 409
    assert witness.add(Submission(300, (), fork).encode()).status == 422
    assert witness.add(Submission(300, tuple(path), note).encode()).status == 200
    assert witness.add(Submission(320, (), closed).encode()).status in (400, 403)
    assert witness.latest("mydata.test/ledger/2027") == note


async def test_a_mirror_follows_the_turn(ledger: Ledger, tmp_path: Path) -> None:
    """A mirror that began in 2026 with that year's key goes on in 2027, and refuses another history of it."""
    log = await sharded(ledger)
    await ledger.append(299)
    await log.integrate_now()
    trust = Trust.of([KEYS[2026]])
    source = source_of(str(await exported(ledger, tmp_path / "first")))
    assert mirror(tmp_path / "copy", source, trust, entries=True).findings == []
    ledger.clock.now += YEAR
    await log.integrate_now()
    source = source_of(str(await exported(ledger, tmp_path / "second")))
    grown = mirror(tmp_path / "copy", source, trust, entries=True)

    assert (grown.findings, grown.size, grown.pinned) == ([], 301, 300)
    assert (tmp_path / "copy/current/statements").is_file()
    back = mirror(tmp_path / "copy", source_of(str(tmp_path / "first")), trust, entries=True)
    assert [f.code for f in back.findings] == ["pinned_newer"]


def changed(folder: Path, change: Any) -> Report:
    """The report of the export in `folder` after its statements were changed."""
    file = folder / "statements"
    made = json.loads(file.read_bytes())
    change(made["statements"])
    file.write_bytes(canonical(made))
    return verify(folder, KEYS[2027])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda made: made[0]["payload"]["body"].update(origin="mydata.test/ledger/2028"), "statement_wrong"),
        (lambda made: made[0].update(index=299), "statement_wrong"),
        (lambda made: made[0].update(salt="AAAA"), "statement_wrong"),
        (lambda made: made.append(made[0]), "statement_wrong"),
        (lambda made: made.clear(), "statement_wrong"),
        (lambda made: made[0].update(more=1), "statement_wrong"),
        (lambda made: made[0]["payload"].pop("by"), "statement_wrong"),
    ],
)
async def test_wrong_statements_are_found(ledger: Ledger, tmp_path: Path, change: Any, code: str) -> None:
    """Whatever is changed in what the log says of itself has a finding of its own."""
    await turned(ledger)
    report = changed(await exported(ledger, tmp_path / "out"), change)

    assert [f.code for f in report.findings] == [code]
    assert report.exit_code == 28


async def test_a_turn_that_was_not_said_is_found(ledger: Ledger, tmp_path: Path) -> None:
    """The export without its statements, and a 2027 that the log never said, are refused."""
    await turned(ledger)
    folder = await exported(ledger, tmp_path / "out")
    (folder / "statements").unlink()
    assert [f.code for f in verify(folder, KEYS[2027]).findings] == ["statement_wrong"]

    plain = Log(ledger.database, SIGNER, "mydata.test/ledger/2028", tmp_path / "last", clock=ledger.clock)
    async with ledger.database.transaction() as session:
        await session.execute(HEAD.update().values(origin=""))
        await session.execute(CHECKPOINT.delete())
    await ledger.append(1)
    await plain.integrate_now()
    report = verify(await exported(ledger, tmp_path / "named"), KEYS[2026])
    assert [f.code for f in report.findings] == ["shard_wrong"]


async def test_the_key_of_another_log_opens_no_shard(ledger: Ledger, tmp_path: Path) -> None:
    """A key goes by another year's name only for its own log; any other origin is another log."""
    await turned(ledger)
    folder = await exported(ledger, tmp_path / "out")
    other = vkey("other.test/ledger/2027", SIGNER.public_key())
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    report = verify(folder, vkey("mydata.test/ledger/2026", stranger))

    assert [f.code for f in verify(folder, other).findings] == ["checkpoint_signer"]
    assert [f.code for f in report.findings] == ["checkpoint_signer"]
    with pytest.raises(Exception, match="not of this log"):
        key_named(other, "mydata.test/ledger/2027")
    assert key_named(KEYS[2026], "mydata.test/ledger/2027") == KEYS[2027]
    with pytest.raises(Finding):
        Trust.of(["no key"])


def test_names_of_shards() -> None:
    """Only the same base and a later year follow; a name without a year stays as it is."""
    assert is_later("a/ledger/2027", "a/ledger/2026")
    assert not is_later("a/ledger/2026", "a/ledger/2026")
    assert not is_later("b/ledger/2027", "a/ledger/2026")
    assert not is_later("a/ledger", "a/ledger/2026")
    assert same_log("a/ledger", "a/ledger")
    assert same_log("a/ledger/2026", "a/ledger/2027")
    assert origin_at("a/ledger/7", Moment()()) == "a/ledger/7"
    assert origin_at("a/ledger/{year}", Moment()()) == "a/ledger/2026"
