"""A gateway's store with citizens who gave a consent, its log, and the events that are written into it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select

from bench.history.past import CLIENT, NOW, TERMS, Living
from bench.ledger.measure import BenchFailed
from consent import service
from consent.events import Event
from consent.journal import Journal, Said
from consent.ledger_tables import ENTRY, OUTBOX
from consent.subjects import SubjectId, SubjectKeys
from consent.text import ShownText
from gateway.database import Database
from gateway.ledger import Log
from gateway.migrations.tables import metadata
from gateway.oauth.grants import Grant
from gateway.oauth.replay import OneTime
from gateway.oauth.together import Together
from gateway.oauth.unit import Question, StillAlive, Unit

CITIZENS = 64
ORIGIN = "bench.example/ledger/2026"
_PAYLOAD = {"client": CLIENT, "scope": "finance.accounts", "expires_in": 300}
_SHOWN = ShownText("shown", "1", "ko")


@dataclass
class Stage:
    """One process of a gateway, as far as the ledger needs it."""

    database: Database
    journal: Journal
    log: Log
    together: Together
    grants: Sequence[Grant]

    @classmethod
    async def open(cls, url: str, folder: Path) -> Stage:
        """Make the tables and the citizens in an empty store."""
        database = Database(url)
        living = Living(database)
        await living.begin()
        for number in range(1, CITIZENS):
            await _another(living, number)
        await database.close()
        return await cls.join(url, folder)

    @classmethod
    async def join(cls, url: str, folder: Path) -> Stage:
        """Another process over the same store; `folder` has the last signed checkpoint."""
        database, journal = Database(url), Journal(SubjectKeys(bytes(32)), f"bench-{os.getpid()}")
        log = Log(database, Ed25519PrivateKey.from_private_bytes(bytes(32)), ORIGIN, folder / "last-signed")
        together = Together(database, journal)
        async with database.reading() as session:
            ids = (await session.execute(select(metadata.tables["oauth_grant"].c.id))).scalars().all()
        seen = [await together.look(Question(CLIENT, grant_id=one)) for one in ids]
        return cls(database, journal, log, together, [one.grant for one in seen if one.grant])

    async def line(self, _number: int) -> None:
        """Enter an event of nobody, and nothing else."""
        said = Said(Event.TOKEN_ACCESS_ISSUED, None, CLIENT, _PAYLOAD, NOW)
        await self._do(Unit((), line=self.journal.plain(said)))

    async def event(self, number: int) -> None:
        """A token of a citizen's consent: that lives, two values are spent, the entry joins their chain."""
        grant = self.grants[number % len(self.grants)]
        said = Said(Event.TOKEN_ACCESS_ISSUED, SubjectId(grant.subject_id), CLIENT, _PAYLOAD, NOW)
        await self._do(Unit(_values(), StillAlive(grant, NOW), said=said))

    async def unwritten(self, number: int) -> None:
        """The same without its entry: what the store would do if there were no ledger."""
        await self._do(Unit(_values(), StillAlive(self.grants[number % len(self.grants)], NOW)))

    async def given(self, number: int) -> None:
        """A citizen gives a consent, in a transaction of its own, as the page's answer does."""
        subject = SubjectId(self.grants[number % len(self.grants)].subject_id)
        asked = service.Asked(subject, CLIENT, f"r-{os.urandom(12).hex()}", TERMS, _SHOWN)
        async with self.database.transaction() as session:
            await service.give(session, self.journal, asked, TERMS, at=NOW)

    async def entered(self) -> int:
        """How many entries are waiting or in the tree."""
        async with self.database.reading() as session:
            waiting = (await session.execute(select(func.count()).select_from(OUTBOX))).scalar_one()
            return int(waiting) + int(
                (await session.execute(select(func.count()).select_from(ENTRY))).scalar_one()
            )

    async def _do(self, unit: Unit) -> None:
        if (refused := await self.together.do(unit)) is not None:
            raise BenchFailed(refused)


def _values() -> tuple[OneTime, ...]:
    """An assertion and a proof, both used for the first time."""
    return tuple(OneTime(use, os.urandom(32), NOW + 60, "replayed") for use in ("assertion", "dpop"))


async def _another(living: Living, number: int) -> None:
    """One more citizen with a consent and a grant like the first one's."""
    async with living.database.transaction() as session:
        subject = await living.journal.keys.create(session)
        for table, own, names in (
            ("consent", "c", {"id": f"c-{number}", "request_id": f"r-{number}"}),
            ("oauth_grant", "g", {"id": f"g-{number}", "consent_id": f"c-{number}"}),
        ):
            held = metadata.tables[table]
            first = (await session.execute(select(held).where(held.c.id == own))).one()._mapping
            await session.execute(insert(held).values({**first, **names, "subject_id": subject}))
