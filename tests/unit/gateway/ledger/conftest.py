"""A log over each store, with a citizen to write about."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.events import Event
from consent.journal import Appended, Journal
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database
from gateway.ledger import Log

ORIGIN = "mydata.test/ledger/2026"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AT = 1_790_000_000


@dataclass
class Moment:
    """A clock that stands still until it is moved."""

    now: int = AT

    def __call__(self) -> datetime:
        """The moment it shows."""
        return datetime.fromtimestamp(self.now, UTC)


@dataclass
class Ledger:
    """Everything a test of the log touches."""

    database: Database
    last_signed: Path
    keys: SubjectKeys = field(default_factory=lambda: SubjectKeys(bytes(range(32))))
    clock: Moment = field(default_factory=Moment)

    def __post_init__(self) -> None:
        """Make journal and log over the database."""
        self.journal = Journal(self.keys, "gateway-1")
        self.log = self.another_log()

    def another_log(self, last_signed: Path | None = None, batch: int = 4096) -> Log:
        """A log object as another process, or a restarted one, would make it."""
        path = last_signed or self.last_signed
        return Log(self.database, SIGNER, ORIGIN, path, clock=self.clock, tick=0.05, batch=batch)

    def config(self, folder: Path, keys: Path) -> Path:
        """A settings file naming this database."""
        file = folder / "gateway.yaml"
        named = {"issuer": "https://gateway.test", "database": self.database.url, "keys": str(keys)}
        rest = {"registry": str(folder / "registry.yaml"), "policy_engine": "opa", "ledger_origin": ORIGIN}
        file.write_text(json.dumps({**named, **rest}))
        return file

    async def citizen(self) -> SubjectId:
        """A citizen with a key and no events."""
        async with self.database.transaction() as session:
            return await self.keys.create(session)

    async def append(
        self, count: int = 1, subject: SubjectId | None = None, idem: str | None = None
    ) -> list[Appended]:
        """Append `count` events in one transaction."""
        async with self.database.transaction() as session:
            return [
                await self.journal.append(
                    session,
                    Event.PULL_HOLDER_DONE,
                    subject=subject,
                    party="nuri-telecom",
                    payload={"i": i},
                    at=self.clock.now,
                    idem=idem,
                )
                for i in range(count)
            ]


@pytest.fixture
def ledger(database: Database, tmp_path: Path) -> Ledger:
    """A ledger with nothing in it."""
    return Ledger(database, tmp_path / "last-signed")
