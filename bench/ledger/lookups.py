"""What is asked of a large log, by the functions its doors call: CPU and clock of one answer."""

from __future__ import annotations

import base64
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from bench.history.past import CLIENT, NOW
from bench.ledger.grown import EACH, Grown
from bench.ledger.measure import BenchFailed
from consent.events import Event
from consent.ledger import proof
from consent.ledger.checkpoint import open_note
from consent.ledger.tiles import Tile
from consent.ledger.tree import leaf_hash
from consent.ledger.verify import verify
from gateway.ledger import census, index, repository, trail
from gateway.ledger.export import export
from gateway.ledger.nodes import prove

LookUp = Callable[[], Awaitable[object]]


def lookups(grown: Grown, choose: random.Random) -> dict[str, LookUp]:
    """Each by its name; one that finds another number of entries than there are raises BenchFailed."""
    database, log = grown.stage.database, grown.stage.log

    async def inclusion() -> object:
        return await log.inclusion(choose.randrange(grown.size))

    async def consistency() -> object:
        old = choose.randrange(1, grown.size)
        async with database.reading() as session:
            return await prove(session, grown.size, lambda read: proof.consistency(old, grown.size, read))

    async def subject() -> object:
        whose = choose.choice(grown.crowd)
        async with database.reading() as session:
            found = await index.search(session, index.Query(), grown.size, whose)
        expect(0 < len(found) <= EACH, "a citizen's entries")
        return found

    async def party() -> object:
        query = index.Query(kind=Event.PULL_HOLDER_DONE.value, party=CLIENT, after=grown.size * 9 // 10)
        return await _searched(query)

    async def window() -> object:
        since = NOW + choose.randrange(max(1, grown.size // 100))
        return await _searched(index.Query(since=since, until=since + 60))

    async def _searched(query: index.Query) -> object:
        async with database.reading() as session:
            found = await index.search(session, query, grown.size)
        expect(bool(found) or grown.size < 1000, "a search")
        return found

    return {
        "an inclusion proof, from the store": inclusion,
        "a consistency proof, from the store": consistency,
        "all entries of one citizen": subject,
        "100 entries of a party and a kind": party,
        "entries of one minute, at most 100": window,
    }


def expect(holds: bool, what: str) -> None:
    """Raise BenchFailed unless the answer is the one there is."""
    if not holds:
        raise BenchFailed(what)


async def costs(found: dict[str, LookUp], times: int) -> dict[str, tuple[float, float]]:
    """CPU microseconds (mean) and clock microseconds (median) of one of each."""
    told = {}
    for name, one in found.items():
        await one()
        clock, cpu = [], time.process_time()
        for _ in range(times):
            begun = time.perf_counter()
            await one()
            clock.append(time.perf_counter() - begun)
        told[name] = ((time.process_time() - cpu) / times * 1e6, median(clock) * 1e6)
    return told


async def checked(grown: Grown, times: int = 1000) -> tuple[float, int]:
    """CPU microseconds of checking one inclusion proof, and how many hashes it has."""
    found = await grown.stage.log.inclusion(grown.size // 3)
    async with grown.stage.database.reading() as session:
        entry = (await repository.bundle(session, Tile(0, found.index // 256)))[found.index % 256]
    head = open_note(found.checkpoint, grown.stage.log.vkey)
    begun = time.process_time()
    for _ in range(times):
        at = (found.index, found.size)
        expect(proof.verify_inclusion(leaf_hash(entry), at, found.path, head.root), "a proof")
    return (time.process_time() - begun) / times * 1e6, len(found.path)


async def rederived(grown: Grown) -> tuple[float, float]:
    """CPU microseconds an entry of `mydata ledger verify`; bytes an entry of an export beyond itself."""
    with tempfile.TemporaryDirectory(dir=grown.folder) as made:
        folder = Path(made)
        async with grown.stage.database.reading() as session:
            await export(session, folder)
        begun = time.process_time()
        report = verify(folder, grown.stage.log.vkey)
        used = time.process_time() - begun
        expect(not report.findings and report.size == grown.size, "verify")
        tiles = sum(file.stat().st_size for file in (folder / "tile").rglob("*") if file.is_file())
        bundles = sum(f.stat().st_size for f in (folder / "tile/entries").rglob("*") if f.is_file())
    own = bundles - 2 * grown.size
    return used / grown.size * 1e6, (tiles - own) / grown.size


async def papers(grown: Grown) -> dict[str, float]:
    """Bytes of a citizen's complete trail: hashes and salts of one event, of the census, and of the file."""
    stage = grown.stage
    await census.take(stage.database, stage.journal, at=NOW)
    grown.size += await stage.log.integrate_now()
    async with stage.database.reading() as session:
        data = await trail(session, stage.journal.keys, grown.own)
        note = await repository.checkpoint(session)
    told = json.loads(data)
    report = verify(None, stage.log.vkey, None, data)
    expect(note is not None and not report.findings, "the trail")
    events = [_proof_bytes(one) for one in told["events"]]
    count = told["census"]
    path = sum(len(base64.b64decode(node)) + 8 for node, _ in count["path"])
    return {
        "events": len(events),
        "proof of one event": median(events),
        "count": path + 32 + 32 + 8,
        "entry that states the census": _proof_bytes(count["event"]),
        "checkpoint": len(told["checkpoint"]),
        "the file, an event": len(data) / len(events),
    }


def _proof_bytes(event: dict[str, list[str]]) -> int:
    """Position, salt and hashes of one event: what is not the event itself."""
    return 8 + 32 + 32 * len(event["proof"])
