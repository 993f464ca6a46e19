"""The single place where an entry gets its position in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from consent.ledger.tree import FullTile, RightEdge, leaf_hash
from gateway.database import Database
from gateway.ledger import repository

BATCH = 4096


class Sequencer:
    """Folds committed outbox rows into the tree.

    Concurrency: any number of processes may run one; PostgreSQL's advisory lock (held to the end of the
    transaction) or SQLite's single writer lets one work at a time. Rows are a queue that is emptied, not
    a serial that is followed: a row that commits late with a small id is simply taken later.
    """

    def __init__(
        self, database: Database, *, batch: int = BATCH, origin: Callable[[], str] = lambda: ""
    ) -> None:
        """Take at most `batch` rows a transaction; `origin` names the shard of the first entry ever."""
        self._origin = origin
        self._database = database
        self._batch = batch

    async def integrate(self) -> int:
        """Take one batch: entries, full tiles, right edge, size and root in one transaction.

        Gives the number of entries added: 0 when nothing waits or another sequencer is at work. A crash
        anywhere inside changes nothing; the rows are taken again.
        """
        async with self._database.transaction() as session:
            if not await repository.lock(session):
                return 0
            rows = await repository.waiting(session, self._batch)
            if not rows:
                return 0
            old = await repository.head(session)
            old = replace(old, origin=old.origin or self._origin())
            edge = RightEdge.decode(old.size, old.edge)
            full: list[FullTile] = []
            for row in rows:
                full += edge.append(leaf_hash(row[1]))
            await repository.extend(session, old, edge, rows, full)
        return len(rows)
