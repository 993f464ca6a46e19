"""The database: one engine, one `transaction()`, the only commit in the code base.

Two stores behind one call. SQLite (WAL, synchronous FULL): one write connection on one writer thread
behind a queue, plus read-only connections that never wait for it. PostgreSQL >= 15: one ordinary
transaction a request. No network call may happen inside a transaction: `in_transaction()` lets the
HTTP seams refuse one.

The hot doors go through the same gate in company: `group()` puts units of work that arrive together into one
transaction on the very same connections (gateway/group_commit.py), and its commit stands here, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolResetState
from sqlalchemy.util import greenlet_spawn

from gateway.errors import Problem
from gateway.group_commit import Group, Leased, Outcome, Unit, Work

_open: ContextVar[bool] = ContextVar("mydata_transaction_open", default=False)

_FULL_SQLSTATES = frozenset({"53100", "53200", "53300", "53400"})
_HELD = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL ended this transaction, for it and another one waited for each other, or it waited too long for
what another one holds: it may be tried again."""
_STANDING = 30
"""How many times as long as anybody waits a process may stand still in a transaction; an export reads so."""
_NOT_TEXT = "22021"
"""A NUL in a text, which PostgreSQL cannot even be asked for."""


def in_transaction() -> bool:
    """Whether the current task holds an open write transaction."""
    return _open.get()


class Database:
    """Opens sessions. Safe for any number of tasks of one event loop."""

    def __init__(self, url: str, *, pool_size: int = 8, wait_seconds: float = 10.0) -> None:
        """Connect lazily to `url`: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://...`.

        Nobody waits longer than `wait_seconds` for a connection, or for what somebody else holds.
        """
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        if self.dialect == "sqlite":
            self._writer = _sqlite_engine(url, size=1, wait_seconds=wait_seconds, writes=True)
            self._reader = _sqlite_engine(url, size=4, wait_seconds=wait_seconds, writes=False)
        else:
            self._writer = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=wait_seconds,
                hide_parameters=True,
                connect_args={"server_settings": _patience(wait_seconds)},
            )
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._groups: list[Group[Any, Any]] = []

    @property
    def engine(self) -> AsyncEngine:
        """The engine that may write. For migrations and tests; doors use `transaction()`."""
        return self._writer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a write transaction; commit on leaving, roll back everything on any exception.

        Raises `Problem("storage_full")` when the store has no room and `Problem("storage_unavailable")`
        when it cannot be reached; in both cases nothing was changed.
        """
        if _open.get():
            raise RuntimeError("a transaction is already open in this task")
        token = _open.set(True)
        try:
            async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            raise _problem(error) from error
        except (OSError, TimeoutError, NoConnectionFree) as error:
            raise Problem("storage_unavailable", detail=type(error).__name__) from error
        finally:
            _open.reset(token)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads one consistent snapshot. Never waits for a writer on SQLite."""
        try:
            async with AsyncSession(self._reader, expire_on_commit=False) as session:
                yield session
        except DBAPIError as error:
            raise _problem(error) from error
        except (OSError, TimeoutError, NoConnectionFree) as error:
            raise Problem("storage_unavailable", detail=type(error).__name__) from error

    def group(self, work: Work[Unit, Outcome]) -> Group[Unit, Outcome]:
        """Units of `work` from now on: those that arrive together share a transaction of this database."""
        keep = self.dialect != "sqlite" or not work.writes  # SQLite's one writer is everybody's
        made: Group[Unit, Outcome] = Group(lambda: self._lease(work), work.apart, keep=keep)
        self._groups.append(made)
        return made

    @asynccontextmanager
    async def _lease(self, work: Work[Any, Any]) -> AsyncIterator[Leased]:
        token = _open.set(True)
        try:
            engine = self._writer if work.writes or self.dialect != "sqlite" else self._reader
            connection = await greenlet_spawn(engine.sync_engine.pool.connect)
            kind = _OnSqlite if self.dialect == "sqlite" else _OnPostgresql
            leased = kind(work, connection.driver_connection)
            try:
                yield leased
            finally:
                if not leased.usable():
                    await greenlet_spawn(connection.invalidate)
                await greenlet_spawn(connection.close)
        except DBAPIError as error:
            raise _problem(error) from error
        except (OSError, TimeoutError, NoConnectionFree) as error:
            raise Problem("storage_unavailable", detail=type(error).__name__) from error
        finally:
            _open.reset(token)

    async def close(self) -> None:
        """Close every connection, when the units under way are settled."""
        for group in self._groups:
            await group.settled()
        await self._writer.dispose()
        await self._reader.dispose()


def _patience(wait_seconds: float) -> dict[str, str]:
    """How long PostgreSQL lets a lock be waited for, and a process stand still in a transaction."""
    wait = int(wait_seconds * 1000)
    return {"lock_timeout": str(wait), "idle_in_transaction_session_timeout": str(wait * _STANDING)}


def _sqlite_engine(url: str, *, size: int, wait_seconds: float, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_reset_on_return=None,
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        hide_parameters=True,
        connect_args={"timeout": wait_seconds, "isolation_level": None},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "reset")
    def _reset(connection: Any, _record: object, state: PoolResetState) -> None:
        # Rolling back where nothing was begun would cost a turn of the connection's thread each time.
        if not state.terminate_only and connection.driver_connection.in_transaction:
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


class _OnSqlite:
    """Batches on an aiosqlite connection, in its own thread."""

    def __init__(self, work: Work[Any, Any], driver: Any) -> None:
        self._work = work
        self._driver = driver

    def usable(self) -> bool:
        return True

    async def run(self, units: Sequence[Any]) -> list[Any]:
        try:
            # aiosqlite has no public way to run a function in the connection's thread.
            found: list[Any] = await self._driver._execute(self._in_thread, units)
        except sqlite3.Error as error:
            raise _named(error) or error from error
        return found

    def _in_thread(self, units: Sequence[Any]) -> list[Any]:
        connection: sqlite3.Connection = self._driver._conn
        connection.execute("BEGIN IMMEDIATE" if self._work.writes else "BEGIN")
        try:
            outcomes = self._work.on_sqlite(connection, units)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes


class _OnPostgresql:
    """Batches on an asyncpg connection: what `work` opens itself, or one statement alone."""

    def __init__(self, work: Work[Any, Any], driver: Any) -> None:
        self._work = work
        self._driver = driver

    def usable(self) -> bool:
        return not self._driver.is_closed()

    async def run(self, units: Sequence[Any]) -> list[Any]:
        try:
            return await self._work.on_postgresql(self._driver, units)
        except asyncpg.PostgresError as error:
            # Of several units only one need have waited in vain; each is tried alone, nothing was stored.
            waited = error.sqlstate in _HELD and len(units) == 1
            raise (_held() if waited else _named(error)) or error from error
        except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
            raise Problem("storage_unavailable", detail=type(error).__name__) from error


def _problem(error: DBAPIError) -> Exception:
    """Name what the store could not do; an error of the statement itself stays what it is."""
    named = _named(error.orig)
    if getattr(error.orig, "sqlstate", None) in _HELD:
        return _held()
    if named is None and error.connection_invalidated:
        return Problem("storage_unavailable", detail=str(error.orig))
    return named or error


def _held() -> Problem:
    return Problem("storage_unavailable", detail="another transaction holds what this needs", retry_after=1)


def _named(cause: BaseException | None) -> Problem | None:
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    full = isinstance(cause, sqlite3.OperationalError) and "full" in str(cause)
    if full or state in _FULL_SQLSTATES:
        return Problem("storage_full", detail=type(cause).__name__)
    if state == _NOT_TEXT:
        return Problem("invalid_request", params={"what": "NUL"})
    lost = isinstance(cause, sqlite3.OperationalError | asyncpg.PostgresConnectionError) or _fatal(cause)
    if lost or state in ("57P01", "25P03"):  # ended by the operator, or for standing still
        return Problem("storage_unavailable", detail=str(cause))
    return None


def _fatal(cause: BaseException | None) -> bool:
    """Whether PostgreSQL ended the session: without room it does so under no code of its own (XX000)."""
    told = cause if isinstance(cause, asyncpg.PostgresError) else getattr(cause, "__cause__", None)
    return getattr(told, "severity_en", None) in ("FATAL", "PANIC")
