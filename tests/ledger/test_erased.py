"""After the shred nobody can say whose an entry is, with every identifier and all that is still stored.

`MYDATA_SUBJECTS=100000` makes it as many citizens (a quarter of an hour); the suite takes two hundred.
"""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

import pytest
from sqlalchemy import insert

from consent.events import Event
from consent.ledger.entry import Entry, encode
from consent.ledger.tree import leaf_hash
from consent.ledger.verify import verify
from consent.ledger_tables import OUTBOX, PAYLOAD
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.ledger import export, trail
from gateway.ledger.census import take
from tests.ledger.searcher import Citizen, search
from tests.tables import with_tables
from tests.unit.gateway.ledger.conftest import AT, Ledger

SUBJECTS = int(os.environ.get("MYDATA_SUBJECTS", "200"))
BATCH = 500
KEK = bytes(range(32))
KINDS = (Event.CONSENT_GRANT_GIVEN, Event.PULL_HOLDER_DONE, Event.BUNDLE_RELEASE_SEALED)


def names(chosen: random.Random) -> tuple[str, ...]:
    """A consent, an account, a phone number, a resident number, a name: as they look in life."""
    digits = f"{chosen.randrange(10**12):012}"
    consent, name = f"c-{chosen.randbytes(15).hex()}", f"{chosen.choice('김이박최정')}{digits[:4]}"
    return consent, f"110-{digits[:3]}-{digits[3:9]}", f"010-{digits[4:8]}-{digits[8:]}", f"{digits}1", name


async def lived(ledger: Ledger, chosen: random.Random) -> list[Citizen]:
    """Everybody with three events of their own, each in a second of its own where seconds suffice."""
    citizens: list[Citizen] = []
    for _ in range(0, SUBJECTS, BATCH):
        async with ledger.database.transaction() as session:
            for _ in range(min(BATCH, SUBJECTS - len(citizens))):
                citizens.append(Citizen(await ledger.keys.create(session), names(chosen)))
                for kind in KINDS:
                    body = {"consent": citizens[-1].names[0]}
                    of, at = citizens[-1].subject, AT + chosen.randrange(10**8)
                    await ledger.journal.append(
                        session, kind, subject=of, party="nuri-telecom", payload=body, at=at
                    )
        await ledger.log.integrate_now()
    return citizens


async def forgotten(ledger: Ledger, citizens: list[Citizen], chosen: random.Random) -> None:
    """Everybody is forgotten, in any order; each a last entry in a second of its own."""
    for first in range(0, len(citizens), BATCH):
        async with ledger.database.transaction() as session:
            for citizen in citizens[first : first + BATCH]:
                at = AT + chosen.randrange(10**8)
                await ledger.journal.forget(session, citizen.subject, party="gateway", at=at)
        await ledger.log.integrate_now()


@pytest.mark.timeout(60 + SUBJECTS // 20)
async def test_nobody_can_say_whose_an_entry_was(tmp_path: Path) -> None:
    """Before the shred every entry is found by the keys; after it none, by nothing. All proofs hold."""
    chosen, file = random.Random(20261123), tmp_path / "mydata.db"
    ledger = Ledger(Database(await with_tables(f"sqlite+aiosqlite:///{file}")), tmp_path / "last-signed")
    citizens = await lived(ledger, chosen)
    kept = await trail_of(ledger, citizens[0].subject)
    await take(ledger.database, ledger.journal, at=AT)
    before = search(file, citizens, KEK)
    assert len(before.matched["a key that is still there"]) == 3 * SUBJECTS
    assert len(before.matched["a stored row"]) == 3 * SUBJECTS  # the payloads that open them

    await forgotten(ledger, chosen.sample(citizens, SUBJECTS), chosen)
    async with ledger.database.reading() as session:
        await export(session, tmp_path / "out")
    await ledger.database.close()

    after = search(file, citizens, KEK)
    assert after.entries == 4 * SUBJECTS + 1
    assert {way: len(found) for way, found in after.matched.items()} == dict.fromkeys(before.matched, 0)
    for told in (None, kept):
        assert verify(tmp_path / "out", ledger.log.vkey, None, told).findings == []


async def trail_of(ledger: Ledger, subject: SubjectId) -> bytes:
    """What a citizen kept."""
    async with ledger.database.reading() as session:
        return await trail(session, ledger.keys, subject)


async def test_the_searcher_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Each way of searching finds an entry that was made badly: no other test could tell that it is blind."""
    file = tmp_path / "mydata.db"
    ledger = Ledger(Database(await with_tables(f"sqlite+aiosqlite:///{file}")), tmp_path / "last-signed")
    citizen = Citizen(SubjectId("s-1"), ("110-234-567890",))
    name, digest = citizen.names[0], hashlib.sha256(citizen.names[0].encode()).digest()
    async with ledger.database.transaction() as session:
        for at, party, tag, subject in ((1, name, None, None), (2, "p", digest, None), (3, "p", None, "s-1")):
            made = encode(Entry(at, "consent:grant:given", party, tag, bytes(32)))
            row = (
                await session.execute(insert(OUTBOX).returning(OUTBOX.c.id), {"entry": made, "at": at})
            ).one()
            values = {"outbox_id": row.id, "subject": subject, "leaf": leaf_hash(made), "body": b""}
            await session.execute(insert(PAYLOAD), values)
    await ledger.log.integrate_now()
    await ledger.database.close()
    found = search(file, [citizen], KEK).matched

    assert {way: set(hits) for way, hits in found.items() if hits} == {
        "a name in an entry": {0},
        "a digest of a name": {1},
        "a stored row": {2},
    }
