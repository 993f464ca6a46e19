"""The naive ledger: a table in which every row holds the hash of the one before, one transaction a row."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from pathlib import Path

from bench.ledger.measure import BenchFailed

_LAST = "SELECT hash FROM chain ORDER BY id DESC LIMIT 1"


class Naive:
    """Writes as simply as can be, from one thread: 256 writers would only wait for each other.

    It stores in clear what ours commits to and seals, proves nothing about one entry, and can erase nothing.
    """

    name = "naive hash chain"
    share = 1

    def __init__(self, folder: Path) -> None:
        """Begin in `folder`: SQLite, WAL, synchronous FULL, as ours."""
        self._connection = sqlite3.connect(folder / "naive.db", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE chain (id INTEGER PRIMARY KEY, body TEXT, hash BLOB)")

    async def run(self, count: int) -> None:
        """Append `count` rows, each durable before the next."""
        await asyncio.to_thread(self._write, count)

    async def settle(self, count: int) -> None:
        """Nothing is left to do; the chain must fit."""
        before, rows = b"", 0
        for body, found in self._connection.execute("SELECT body, hash FROM chain ORDER BY id"):
            before, rows = hashlib.sha256(before + body.encode()).digest(), rows + 1
            if before != found:
                raise BenchFailed(f"{self.name}: row {rows} does not fit")
        if rows < count:
            raise BenchFailed(f"{self.name}: {rows} rows, {count} were appended")

    async def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _write(self, count: int) -> None:
        execute = self._connection.execute
        for number in range(count):
            event = {"event": "token:access:issued", "party": "deundeun-budget", "at": number}
            body = json.dumps(event, sort_keys=True, separators=(",", ":"))
            execute("BEGIN IMMEDIATE")
            last = execute(_LAST).fetchone()
            linked = hashlib.sha256((last[0] if last else b"") + body.encode()).digest()
            execute("INSERT INTO chain (body, hash) VALUES (?, ?)", (body, linked))
            execute("COMMIT")
