"""The hot doors' way to the store: requests that arrive together are read together and committed together."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from consent.journal import Journal
from gateway.database import Database
from gateway.oauth import hot_postgresql, hot_sqlite
from gateway.oauth.unit import Known, Question, Seen, Unit

REMEMBERED = 4096
"""Clients kept between requests; who falls out is read again."""


class _Looking:
    """Reads; on SQLite without ever waiting for the writer."""

    writes = False

    def on_sqlite(self, connection: sqlite3.Connection, units: Sequence[Question]) -> list[Seen]:
        return [hot_sqlite.look(connection, question) for question in units]

    async def on_postgresql(self, connection: Any, units: Sequence[Question]) -> list[Seen]:
        return await hot_postgresql.look(connection, units)

    def apart(self, _unit: Question) -> Iterable[Hashable]:
        return ()


class _Doing:
    """Spends one-time values and enters what happened. The outcome: the code of a refusal, STALE, or None."""

    writes = True

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def on_sqlite(self, connection: sqlite3.Connection, units: Sequence[Unit]) -> list[str | None]:
        return [hot_sqlite.do(connection, unit, self._journal) for unit in units]

    async def on_postgresql(self, connection: Any, units: Sequence[Unit]) -> list[str | None]:
        return await hot_postgresql.do(connection, units, self._journal)

    def apart(self, unit: Unit) -> Iterable[Hashable]:
        # One statement spends for a whole batch, so a value brought twice must come in two.
        return [(once.purpose, once.key_hash) for once in unit.once]


class Together:
    """Both ways, for one database. Safe for any number of tasks of one event loop."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Enter what happens through `journal`."""
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._looking = database.group(_Looking())
        self._doing = database.group(_Doing(journal))

    async def look(self, question: Question) -> Seen:
        """The rows as they are now. Raises Problem when the store cannot be read."""
        seen = await self._looking.do(question)
        if seen.known is not None:
            self._known[question.client_id] = seen.known
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return seen

    def remembered(self, client_id: str) -> Known | None:
        """A client as an earlier question found it. MUST be handed to `do`, which looks at its row again."""
        return self._known.get(client_id)

    async def do(self, unit: Unit) -> str | None:
        """Carry `unit` out; the code why it was refused (or STALE), else None: then it is durable.

        Of any number of units with the same one-time value exactly one is not refused, in whatever process.
        Raises Problem when the store could not (nothing was changed), SubjectError.
        """
        if not (unit.once or unit.held or unit.line):
            return None
        return await self._doing.do(unit)
