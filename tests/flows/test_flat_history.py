"""A past of thousands changes nothing for the present: plans go by index, and no more is read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine

from bench.history.lookups import LookUp, lookups
from bench.history.past import BIG, Living
from gateway.database import Database
from gateway.oauth import hot_postgresql, hot_sqlite
from gateway.oauth.replay import OneTime
from gateway.oauth.unit import Question

FEW, MANY = 2_000, 20_000
PRESENT = ("ix_transfer_under_way", "ix_consent_pending")
"""Indexes that hold only what is under way: to read one whole is to read the present."""
DEAR = 10
"""What PostgreSQL is told a page out of order costs: where it has to guess, it then prefers reading a table
whole at this size already, as it would by itself at a hundred thousand."""
Said = list[tuple[str, Any]]
"""Statements with their parameters, as the driver got them."""

HOT = (
    Question("deundeun-budget", refresh=b"rt"),
    Question("deundeun-budget", grant_id="g", given_up=OneTime("revoked", b"jti", 1, "")),
)


@contextmanager
def listening() -> Iterator[Said]:
    """What is read through SQLAlchemy meanwhile."""
    said: Said = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if re.match(r"\s*(SELECT|WITH|UPDATE|DELETE)", statement):
            said.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class Noting:
    """A driver's connection that remembers what it was asked."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.said = driver, []  # type: ignore[var-annotated]

    def execute(self, statement: str, parameters: Any) -> Any:
        """sqlite3's way."""
        self.said.append((statement, parameters))
        return self.driver.execute(statement, parameters)

    async def fetch(self, statement: str, *parameters: Any) -> Any:
        """asyncpg's way."""
        self.said.append((statement, parameters))
        return await self.driver.fetch(statement, *parameters)


@pytest.fixture
async def living(database: Database) -> Living:
    """The present of one citizen, on each store."""
    made = Living(database)
    await made.begin()
    return made


def plain(living: Living) -> dict[str, LookUp]:
    """The look-ups that go through SQLAlchemy; the hot ones speak to the driver."""
    return {
        name: one
        for name, one in lookups(living).items()
        if name not in {"/token, refresh", "/introspect, bearer"}
    }


async def said_by(living: Living) -> dict[str, Said]:
    """Every statement of every look-up."""
    found: dict[str, Said] = {}
    for name, one in plain(living).items():
        with listening() as said:
            await one()
        found[name] = list(said)
    found["hot"] = await _hot(living)
    return found


async def _hot(living: Living) -> Said:
    if living.database.dialect == "sqlite":
        noting = Noting(_file(living))
        seen = [hot_sqlite.look(noting, question) for question in HOT]  # type: ignore[arg-type]
    else:
        async with living.database.engine.connect() as connection:
            noting = Noting((await connection.get_raw_connection()).driver_connection)
            seen = await hot_postgresql.look(noting, HOT)
    assert [one.grant and one.grant.id for one in seen] == ["g", "g"]
    return noting.said


def _file(living: Living) -> sqlite3.Connection:
    return sqlite3.connect(str(make_url(living.database.url).database))


def _steps(file: sqlite3.Connection, statement: str, parameters: Any) -> int:
    """How many hundreds of instructions SQLite takes."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    file.set_progress_handler(count, 100)
    file.execute("BEGIN")
    file.execute(statement, parameters).fetchall()
    file.execute("ROLLBACK")
    file.set_progress_handler(None, 0)
    return counted


def read_on_sqlite(living: Living, said: Said) -> int:
    """Fails where a growing table is scanned; else what is read, in hundreds of instructions."""
    file, total = _file(living), 0
    for statement, parameters in said:
        plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        for line in plan:
            past = re.match(rf"SCAN ({'|'.join(BIG)})\b", line) and not line.endswith(PRESENT)
            assert not past, (line, statement)
        total += _steps(file, statement, parameters)
    file.close()
    return total


async def read_on_postgresql(living: Living, said: Said) -> int:
    """Fails where a growing table is scanned, once it has grown; else how many pages are read."""
    total = 0
    async with living.database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for statement, parameters in said:
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
            transaction = driver.transaction()
            await transaction.start()
            await driver.execute(f"SET LOCAL random_page_cost = {DEAR}")
            answer = await driver.fetchval(explain, *parameters)
            await transaction.rollback()
            root = answer[0]["Plan"]
            for node in _nodes(root):
                scanned = node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
                assert not (scanned and living.past == MANY), (node, statement)
            total += root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return int(total)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


async def read(living: Living) -> dict[str, int]:
    """What each look-up reads now, by its name."""
    sizes = {}
    for name, said in (await said_by(living)).items():
        assert said, name
        if living.database.dialect == "sqlite":
            sizes[name] = read_on_sqlite(living, said)
        else:
            sizes[name] = await read_on_postgresql(living, said)
    return sizes


async def test_look_ups_read_the_same_whatever_the_past(living: Living) -> None:
    """Ten times the past: no growing table is scanned, and nothing reads more than a slightly deeper tree."""
    await living.grow(FEW)
    few = await read(living)
    await living.grow(MANY)
    many = await read(living)

    grown = {name: (few[name], many[name]) for name in few if many[name] > 1.5 * few[name] + 20}
    assert grown == {}
