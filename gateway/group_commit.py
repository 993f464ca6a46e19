"""Group commit: units of work that arrive together share one transaction, and one fsync.

    group = database.group(work)         once, at start
    outcome = await group.do(unit)       returns when the unit is durable

While one transaction is under way the units that arrive wait for the next; so a quiet gateway answers at once
and a busy one pays for a commit once a batch. A unit keeps every promise of a transaction of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Protocol, TypeVar

Unit = TypeVar("Unit", contravariant=True)
Outcome = TypeVar("Outcome")

MOST = 64
"""Units of one transaction: a bound on what one failure makes run again, and on how long others wait."""


class Work(Protocol[Unit, Outcome]):
    """What is done with a batch of units, inside a transaction that the caller opens and commits.

    Outcomes MUST come in the order of the units, and MUST be the same as if each unit had run alone, in that
    order. It MUST NOT wait for anything but the store. When it raises, all is rolled back and every unit runs
    again in a transaction of its own, so a unit that cannot be done harms no neighbour.
    """

    writes: bool
    """Whether it changes anything: then SQLite runs it on the one writing connection."""

    def on_sqlite(self, connection: sqlite3.Connection, units: Sequence[Unit]) -> list[Outcome]:
        """Do them on SQLite, in the connection's own thread."""

    async def on_postgresql(self, connection: Any, units: Sequence[Unit]) -> list[Outcome]:
        """Do them on PostgreSQL, on an asyncpg connection."""

    def apart(self, unit: Unit) -> Iterable[Hashable]:
        """Names that no two units of one batch may share; the later unit waits for the next batch."""


class Leased(Protocol):
    """A connection taken for one batch or many."""

    async def run(self, units: Sequence[Any]) -> list[Any]:
        """Carry a batch out in one transaction. Raises Problem or a store's error: nothing was changed."""

    def usable(self) -> bool:
        """Whether another batch may be tried on it."""


Lease = Callable[[], AbstractAsyncContextManager[Leased]]


class Group(Generic[Unit, Outcome]):
    """The waiting units of one kind of work. Belongs to one event loop.

    A caller that is cancelled leaves its neighbours alone: its unit is dropped if its batch has not begun,
    and is carried out if it has, as a commit under way would be.
    """

    def __init__(self, lease: Lease, apart: Callable[[Unit], Iterable[Hashable]], *, keep: bool) -> None:
        """Run batches on connections of `lease`; `keep` one between batches, where others have their own."""
        self._lease = lease
        self._apart = apart
        self._keep = keep
        self._idle: asyncio.Future[None] | None = None
        self._closing = False
        self._waiting: deque[tuple[Unit, asyncio.Future[Outcome]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def do(self, unit: Unit) -> Outcome:
        """Carry `unit` out; its outcome, once it is durable. Raises Problem when the store could not."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        self._wake()
        return await future

    async def settled(self) -> None:
        """Return when nothing is under way and no connection is kept."""
        self._closing = True
        while self._runner is not None:
            self._wake()
            await asyncio.wait([self._runner])
        self._closing = False

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def _run(self) -> None:
        taken: list[tuple[Unit, asyncio.Future[Outcome]]] = []
        try:
            while await self._gathered():
                async with self._lease() as leased:
                    batches = 0
                    while (taken := self._take()) or await self._more():
                        await self._carry_out(leased, taken)
                        taken, batches = [], batches + 1
                        # A connection that others wait for is given back in turn, one that broke at once.
                        if not leased.usable() or (batches >= _BATCHES and not self._keep):
                            break
                        await self._gathered()
        except BaseException as error:
            # No connection, or this task ended: nobody may wait for ever.
            failed = error if isinstance(error, Exception) else ConnectionError("the store was closed")
            for _, future in (*taken, *self._waiting):
                if not future.done():
                    future.set_exception(failed)
            self._waiting.clear()
            if not isinstance(error, Exception):
                raise
        finally:
            self._runner = None

    async def _more(self) -> bool:
        """Wait for the next unit with the connection in hand; False when it must be given back."""
        if not self._keep or self._closing:
            return False
        self._idle = asyncio.get_running_loop().create_future()
        await self._idle
        self._idle = None
        await self._gathered()
        return not self._closing or bool(self._waiting)

    async def _gathered(self) -> bool:
        """Whether units wait, once all that can run has run: so that who is about to arrive comes along."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        return bool(self._waiting)

    def _take(self) -> list[tuple[Unit, asyncio.Future[Outcome]]]:
        """The next batch: in order of arrival, without two units that share a name."""
        taken: list[tuple[Unit, asyncio.Future[Outcome]]] = []
        later: list[tuple[Unit, asyncio.Future[Outcome]]] = []
        names: set[Hashable] = set()
        while self._waiting and len(taken) < MOST:
            waiting = self._waiting.popleft()
            if waiting[1].done():
                continue
            own = set(self._apart(waiting[0]))
            (taken if names.isdisjoint(own) else later).append(waiting)
            names |= own
        self._waiting.extendleft(reversed(later))
        return taken

    async def _carry_out(self, leased: Leased, taken: list[tuple[Unit, asyncio.Future[Outcome]]]) -> None:
        if not taken:
            return
        try:
            outcomes = await leased.run([unit for unit, _ in taken])
        except Exception as error:
            # After a lost connection nobody knows whether it was stored: not even alone may it run again.
            if len(taken) > 1 and getattr(error, "code", "") != "storage_unavailable":
                for one in taken:
                    await self._carry_out(leased, [one])
                return
            for _, future in taken:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)


_BATCHES = 8
_TURNS = 2
