"""The log as the rest of the gateway sees it: move it, wait for it, prove from it, refuse when it lags."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import BaseRoute

from consent.clock import Clock, utc_now
from consent.events import Event
from consent.journal import Appended, Journal
from consent.ledger import proof
from consent.ledger.shards import is_sharded
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import cosigned, index, repository
from gateway.ledger.nodes import prove
from gateway.ledger.publisher import Publisher
from gateway.ledger.sequencer import BATCH, Sequencer
from gateway.ledger.shards import turn
from gateway.ledger.witnessing import Witnessing

MAX_ROWS = 50_000
MAX_AGE_SECONDS = 5
TICK_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""Entries that come so soon after each other enter the tree together, unless somebody waits for theirs."""
_POLL_SECONDS = 0.1
_BACKLOG_KEPT_SECONDS = 1

_log = structlog.get_logger("mydata.ledger")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Entries promised but not yet in the tree; `age` of the oldest in seconds."""

    rows: int
    age: int


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A proof that an entry stands at `index` of the log that `checkpoint` (a signed note) describes."""

    index: int
    size: int
    path: list[bytes]
    checkpoint: str


async def _within(seconds: float, event: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False


def _behind(measured: Backlog) -> bool:
    return measured.rows > MAX_ROWS or measured.age > MAX_AGE_SECONDS


class Log:
    """One log in one process. All methods belong to one event loop; other processes may run theirs.

    It proves that nothing the log holds was hidden or changed. An event that was never logged can be found
    only by the copies of citizen, holder and recipient.
    """

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        origin: str,
        last_signed: Path,
        *,
        clock: Clock = utc_now,
        tick: float = TICK_SECONDS,
        batch: int = BATCH,
        second: MLDSA44PrivateKey | None = None,
    ) -> None:
        """Sign as `origin` with `key`, and `second` what is published; `last_signed` is a file outside the
        database and its backups. An `origin` that ends in `/{year}` is a sharded log, which turns with the
        year once it was opened. `witnessing` may be set before `run`, `doors` of readers before `routes`.
        """
        self.witnessing: Witnessing | None = None
        self.doors: list[BaseRoute] = []
        self.database = database
        self.name = origin
        self._journal: Journal | None = None
        self._publisher = Publisher(database, key, origin, last_signed, second, clock=clock)
        self._sequencer = Sequencer(database, batch=batch, origin=lambda: self.origin)
        self._clock = clock
        self._tick = tick
        self._wake, self._waited_for = asyncio.Event(), asyncio.Event()
        self._moved = asyncio.Event()
        self._turn = asyncio.Lock()
        self._measuring = asyncio.Lock()
        self._halted: Problem | None = None
        self._backlog: tuple[float, Backlog] | None = None

    @property
    def origin(self) -> str:
        """What the present shard is called."""
        return self._publisher.origin

    @property
    def vkey(self) -> str:
        """The text every verifier needs: `origin+hash+base64`; the origin is that of the present shard."""
        return self._publisher.vkey

    async def open(self, journal: Journal) -> Appended:
        """Record once that this log was opened with this key; from then on it turns with the year."""
        self._journal = journal
        async with self.database.reading() as session:
            self._publisher.origin = (await repository.head(session)).origin or self.origin
        idem = f"ledger:log:opened/{self.vkey}"
        payload = {"origin": self.origin, "key": self.vkey}
        at = int(self._clock().timestamp())
        async with self.database.transaction() as session:
            return await journal.append(
                session,
                Event.LEDGER_LOG_OPENED,
                subject=None,
                party="gateway",
                payload=payload,
                at=at,
                idem=idem,
            )

    async def run(self) -> None:
        """Integrate, publish and ask witnesses until cancelled; failures are tried again.

        The tree moves soon after a `wake()`, at once when somebody waits, else once a tick. No witness can
        hold it up.
        """
        if self.witnessing is None:
            await self._move()
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._move())
            tasks.create_task(self.witnessing.run())

    async def _move(self) -> None:
        while True:
            try:
                await self.integrate_now()
            except (Problem, OSError, SQLAlchemyError) as error:
                detail = getattr(error, "detail", type(error).__name__)
                _log.error("ledger_not_moving", error=str(error), detail=detail)
            if await _within(self._tick, self._wake):
                await _within(GATHER_SECONDS, self._waited_for)
            self._wake.clear()
            self._waited_for.clear()

    def wake(self) -> None:
        """Say that a transaction with new entries committed. Optional: the next tick finds them anyway."""
        self._wake.set()

    async def integrate_now(self) -> int:
        """Put every waiting entry into the tree, publish a checkpoint over it; the number of entries added.

        Raises Problem `ledger_halted` when the stored tree is not the one last signed (a restored backup):
        then nothing was added or signed. MUST NOT be called inside a transaction.
        """
        async with self._turn:
            try:
                await self._publisher.check()
                added = await self._turn_of_the_year()
                while batch := await self._sequencer.integrate():
                    added += batch
                await self._publisher.publish()
                self._halted = None  # before the index, which is nobody's proof
                await self._index()
            except Problem as problem:
                if problem.code == "ledger_halted":
                    self._halted = problem
                raise
            if self._backlog is not None and _behind(self._backlog[1]):
                self._backlog = None
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        return added

    async def _turn_of_the_year(self) -> int:
        """Open this year's shard if it is time; 1 if this process did, for the entry that says so."""
        if self._journal is None or not is_sharded(self.name):
            return 0
        opened = await turn(self.database, self._journal, self._publisher, self.name, self._clock())
        if opened is None:
            return 0
        _log.info("ledger_shard_opened", origin=opened)
        return 1

    async def _index(self) -> None:
        """Let the index follow; it is nobody's proof, so nothing waits for it."""
        async with self.database.reading() as session:
            behind = (await repository.head(session)).size - await index.indexed(session)
        while behind > 0:
            async with self.database.transaction() as session:
                added = await index.catch_up(session)
            behind = behind - added if added else 0

    async def wait_integrated(self, what: int | str, timeout: float) -> int:  # noqa: ASYNC109 - a deadline
        """The position of an entry once a signed checkpoint covers it; `what` is its outbox id or idem.

        Raises Problem `ledger_timeout` after `timeout` seconds: the entry is promised and will come.
        MUST NOT be called inside a transaction.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            moved = self._moved
            if (found := await self._published(what)) is not None:
                return found
            self._waited_for.set()
            self.wake()
            left = deadline - loop.time()
            if left <= 0:
                raise Problem("ledger_timeout", retry_after=1)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _POLL_SECONDS)):
                    await moved.wait()

    async def checkpoint(self) -> str:
        """The last signed checkpoint; Problem `not_found` before the first."""
        async with self.database.reading() as session:
            stored = await repository.checkpoint(session)
        if stored is None:
            raise Problem("not_found", detail="no checkpoint was signed yet")
        return stored[1]

    async def published(self) -> str:
        """The checkpoint as the world sees it, with every signature; Problem `not_found` before the first."""
        async with self.database.reading() as session:
            now = int(self._clock().timestamp())
            found = await cosigned.shown(session, now, witnessed=self.witnessing is not None)
        if found is None:
            raise Problem("not_found", detail="no checkpoint was signed yet")
        return found[1]

    @property
    def watched(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """What readiness shows without taking anything out of service: `witnesses`, where there are any."""
        return {"witnesses": self.witnessing.quorate} if self.witnessing else {}

    async def inclusion(self, index: int) -> Inclusion:
        """The proof that entry `index` stands in the published log; Problem `not_found` beyond it."""
        note = await self.checkpoint()
        size = self._publisher.opened(note).size
        if not 0 <= index < size:
            raise Problem("not_found", detail="the entry is not in the published log")
        async with self.database.reading() as session:
            path = await prove(session, size, lambda read: proof.inclusion(index, size, read))
        return Inclusion(index, size, path, note)

    async def backlog(self) -> Backlog:
        """How many entries wait for their position, and for how long."""
        async with self.database.reading() as session:
            rows, oldest = await repository.backlog(session)
        age = 0 if oldest is None else max(0, int(self._clock().timestamp()) - oldest)
        return Backlog(rows, age)

    async def refuse_if_behind(self) -> None:
        """Raise Problem `ledger_behind` (or `ledger_halted`) when the log cannot keep up with promises.

        For doors that grant, issue, pull or release. Never for withdraw, revoke, refuse, delete or read.
        """
        if self._halted is not None:
            raise Problem("ledger_halted", detail=self._halted.detail, retry_after=60)
        now = self._clock().timestamp()
        if (measured := self._kept(now)) is None:
            async with self._measuring:  # of many doors that ask at once one measures for all
                if (measured := self._kept(now)) is None:
                    measured = await self.backlog()
                    self._backlog = (now, measured)
        if _behind(measured):
            raise Problem("ledger_behind", detail=f"{measured.rows} rows, {measured.age} s", retry_after=5)

    def _kept(self, now: float) -> Backlog | None:
        kept = self._backlog
        return kept[1] if kept is not None and abs(now - kept[0]) < _BACKLOG_KEPT_SECONDS else None

    async def _published(self, what: int | str) -> int | None:
        async with self.database.reading() as session:
            found = await repository.position(session, what)
            stored = await repository.checkpoint(session)
        return found if found is not None and stored is not None and found < stored[0] else None
