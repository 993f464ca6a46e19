"""The regulator of the demo: exports the ledger, verifies it offline, finds every step of the story in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from consent import repository
from consent.events import Event
from consent.ledger import proof
from consent.ledger.checkpoint import open_note
from consent.ledger.entry import decode
from consent.ledger.tiles import Tile, bundle_path, bundles, node_reader, unpack
from consent.ledger.tree import leaf_hash
from gateway.database import Database
from gateway.demo.participants import HOLDERS
from gateway.demo.story import Cast, found
from gateway.demo.world import mydata
from gateway.ledger import repository as ledger
from gateway.settings import load_settings
from gateway.transfers.repository import notices_of

EXPECTED: dict[Event, int] = {
    Event.LEDGER_LOG_OPENED: 1,
    Event.CLIENT_REGISTRATION_REGISTERED: 1,
    Event.OAUTH_AUTHORIZATION_PUSHED: 1,
    Event.CITIZEN_SESSION_STARTED: 1,
    Event.HOLDER_LINK_MADE: len(HOLDERS),
    Event.CONSENT_GRANT_GIVEN: 1,
    Event.TOKEN_ACCESS_ISSUED: 1,
    Event.TRANSFER_REQUEST_RECEIVED: 1,
    Event.POLICY_DECISION_MADE: 1,
    Event.PULL_HOLDER_INTENDED: len(HOLDERS),
    Event.PULL_HOLDER_DONE: len(HOLDERS),
    Event.BUNDLE_RELEASE_SEALED: 1,
    Event.BUNDLE_DELIVERY_SENT: 1,
    Event.RECEIPT_GRANT_ISSUED: 1,
    Event.CONSENT_GRANT_WITHDRAWN: 1,
    Event.DELETION_INSTRUCTION_GIVEN: 1,
    Event.DELETION_CERTIFICATE_RECEIVED: 1,
    Event.RECIPIENT_NOTICE_ACKNOWLEDGED: 1,
    Event.CONSENT_WITHDRAWAL_COMPLETED: 1,
    Event.TOKEN_ACCESS_REFUSED: 1,
    Event.HOLDER_NOTICE_ACKNOWLEDGED: len(HOLDERS),
}
"""Every step of the story, and how many entries of it there must be at least."""


async def regulate(cast: Cast) -> None:
    """Export, verify offline, and prove that every step is in the log."""
    cast.story.step("The regulator exports the ledger and verifies it offline")
    folder = cast.world.plan.folder / "ledger"
    told = await _holders_told(cast)
    cast.story.check("every holder acknowledged the withdrawal", told)
    cast.story.check("every promised entry came into the published log", await _settled(cast))
    # The trail first: the log goes on, and an export made later has everything the trail speaks of.
    trail = cast.world.plan.folder / "trail.json"
    subject = await _subject(cast)
    await mydata("ledger", "trail", subject, "--config", str(cast.world.config), "--out", str(trail))
    said = await mydata("ledger", "export", str(folder), "--config", str(cast.world.config))
    key = said.rsplit("--key ", 1)[1].split()[0]
    cast.story.facts["vkey"] = key
    verified = await mydata("ledger", "verify", str(folder), "--key", key, "--trail", str(trail))
    cast.story.check("the export verifies, and so does the citizen's trail", bool(verified))
    cast.story.check(
        "the verifier says what it cannot show", "rewritten" in verified, "no witness, no pinned checkpoint"
    )
    counts = prove_steps(folder, key, cast)
    missing = {
        kind.value: f"{counts.get(kind, 0)}/{n}" for kind, n in EXPECTED.items() if counts.get(kind, 0) < n
    }
    cast.story.check("every step has an entry with an inclusion proof", not missing, str(missing or ""))
    text = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    cast.story.check("no name or number of the citizen is in the ledger", not found(cast, text))
    log = cast.world.gateway.log.read_bytes()
    cast.story.check("no name or number of the citizen is in the gateway's log", log and not found(cast, log))


def prove_steps(folder: Path, key: str, cast: Cast) -> dict[Event, int]:
    """How many entries of each kind the export has, each with an inclusion proof built from its tiles."""
    checkpoint = open_note((folder / "checkpoint").read_text(), key)
    size = checkpoint.size
    read = node_reader(size, _reader(folder))
    counts: dict[Event, int] = {}
    for tile in bundles(size):
        entries = unpack((folder / bundle_path(tile.index, tile.width)).read_bytes())
        for place, entry in enumerate(entries, tile.index * 256):
            path = proof.inclusion(place, size, read)
            if proof.verify_inclusion(leaf_hash(entry), (place, size), path, checkpoint.root):
                kind = Event(decode(entry).kind)
                counts[kind] = counts.get(kind, 0) + 1
    cast.story.facts["ledger"] = {"size": size, "root": checkpoint.root.hex()}
    return counts


def _reader(folder: Path) -> Callable[[Tile], bytes]:
    return lambda tile: (folder / tile.path).read_bytes()


async def _holders_told(cast: Cast) -> bool:
    """Wait until every holder acknowledged the withdrawal; at most ten seconds."""
    database = Database(load_settings(cast.world.config).database)
    try:
        for _ in range(100):
            async with database.reading() as session:
                notices = await notices_of(session, cast.consent_id)
            if notices and all(notice.state == "acknowledged" for notice in notices):
                return True
            await asyncio.sleep(0.1)
    finally:
        await database.close()
    return False


async def _settled(cast: Cast) -> bool:
    """Wait until no entry waits for its place and the checkpoint covers the tree; at most ten seconds."""
    database = Database(load_settings(cast.world.config).database)
    try:
        for _ in range(100):
            async with database.reading() as session:
                waiting, _ = await ledger.backlog(session)
                head, published = await ledger.head(session), await ledger.checkpoint(session)
            if not waiting and published and published[0] == head.size:
                return True
            await asyncio.sleep(0.1)
    finally:
        await database.close()
    return False


async def _subject(cast: Cast) -> str:
    database = Database(load_settings(cast.world.config).database)
    try:
        async with database.reading() as session:
            consent = await repository.load(session, cast.consent_id)
    finally:
        await database.close()
    if consent is None:
        raise RuntimeError("the consent is not in the store")
    return consent.subject
