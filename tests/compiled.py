"""SQL is compiled once a test process, though each test opens a database of its own.

An engine compiles a statement the first time it meets it. The gateway has one engine as long as it lives; a
thousand tests have a thousand, and spent an eighth of their time on the same statements.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from gateway import database

_COMPILED: LRUCache[Any, Any] = LRUCache(10_000)
_create = database.create_async_engine


def _created(url: Any, **options: Any) -> AsyncEngine:
    made = _create(url, **options)
    made.sync_engine._compiled_cache = _COMPILED
    return made


def share_compiled() -> None:
    """Let every database of this process use what another one compiled for its kind of store."""
    for kind in (PGDialect_asyncpg, SQLiteDialect_aiosqlite):  # a statement is kept by the dialect it is for
        kind.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign]
        kind.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign]
    database.create_async_engine = _created
