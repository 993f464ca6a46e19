"""The turn of the year: the log goes on under the next name, and its first entry there says from what."""

from __future__ import annotations

from datetime import datetime

from consent.events import Event
from consent.journal import Journal
from consent.ledger.shards import is_later, origin_at
from gateway.database import Database
from gateway.ledger import repository
from gateway.ledger.publisher import Publisher
from gateway.ledger.statements import state


async def turn(
    database: Database, journal: Journal, publisher: Publisher, name: str, now: datetime
) -> str | None:
    """Open the shard of `now`'s year if that of an earlier one is open; its origin if this call did.

    One transaction holds the closing checkpoint, the opening entry and the new name: after a crash at any
    moment the turn happened or it did not. Concurrency: of any number of processes one turns. A clock that
    goes back turns nothing. `publisher.check` MUST have been called before. A log that has no entry yet, and
    one whose name has no year, never turn.
    """
    wanted = origin_at(name, now)
    async with database.reading() as session:
        if not _due(await repository.head(session), wanted):
            return None
    async with database.transaction() as session:
        if not await repository.lock(session):
            return None
        head = await repository.head(session)
        if not _due(head, wanted):
            return None
        body = {"origin": wanted, "previous": publisher.closing(head)}
        at = int(now.timestamp())
        await state(session, journal, Event.LEDGER_SHARD_OPENED, body, at=at, origin=wanted)
    return wanted


def _due(head: repository.Head, wanted: str) -> bool:
    return head.size > 0 and is_later(wanted, head.origin)
