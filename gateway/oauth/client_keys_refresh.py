"""Keeping the keys of `jwks_uri` clients current: in the stored registration, where every door finds them.

Doors read the client's row. A set is fetched again when its time is over, or at once when an assertion names
a kid we do not know, but at most once in AGAIN_SECONDS a client, whoever asks how often. When it cannot be
fetched the keys we have go on for STALE_SECONDS; then the client has none, and is refused, until its set can
be read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth import clients
from gateway.oauth.client_document import ClientDocumentError
from gateway.oauth.client_keys_fetch import ClientKeysUnreadable, Fetched, Fetcher
from gateway.oauth.tables import ClientKeysRow

AGAIN_SECONDS = 60
STALE_SECONDS = 86_400
TICK_SECONDS = 10.0
AT_ONCE = 10

_KEYS: Table = ClientKeysRow.__table__  # type: ignore[attr-defined]
_log = structlog.get_logger("mydata.client_keys")


@dataclass(slots=True)
class ClientKeysRefresh:
    """Runs beside the doors. Any number of processes may: the row says who looks."""

    database: Database
    journal: Journal
    fetcher: Fetcher
    clock: Clock
    _tried: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Refresh what is due until cancelled."""
        while True:
            try:
                await self.once()
            except Problem as problem:
                _log.error("client_keys_not_moving", problem=problem.code)
            await asyncio.sleep(TICK_SECONDS)

    async def once(self) -> None:
        """Fetch every set whose time is over."""
        query = select(_KEYS.c.client_id).where(_KEYS.c.next_at <= self._now()).limit(AT_ONCE)
        async with self.database.reading() as session:
            due = (await session.execute(query)).scalars().all()
        for client_id in due:
            await self.refresh(client_id)

    async def unknown_kid(self, client_id: str) -> bool:
        """Look again because a kid is not known; whether keys were fetched. MUST NOT be in a transaction."""
        if self._now() < self._tried.get(client_id, 0) + AGAIN_SECONDS:
            return False
        return await self.refresh(client_id)

    async def refresh(self, client_id: str) -> bool:
        """Fetch the set of one client now, unless somebody just did; whether it was fetched."""
        now = self._now()
        self._tried[client_id] = now
        async with self.database.transaction() as session:
            uri = await _claim(session, client_id, now)
        if uri is None:
            return False
        try:
            fetched = await self.fetcher.fetch(uri)
        except (ClientKeysUnreadable, ClientDocumentError) as error:
            _log.warning("client_keys_not_fetched", client=client_id, problem=str(error))
            await self._without(client_id, uri)
            return False
        async with self.database.transaction() as session:
            await self._keep(session, client_id, uri, fetched)
        return True

    async def _keep(self, session: AsyncSession, client_id: str, uri: str, fetched: Fetched) -> None:
        now = self._now()
        document = await clients.document_of(session, client_id)
        if document is None or document.get("jwks_uri") != uri:
            return  # registered otherwise meanwhile
        times = update(_KEYS).where(_KEYS.c.client_id == client_id)
        await session.execute(times.values(fetched_at=now, next_at=now + fetched.seconds))
        if document.get("jwks") != fetched.jwks:
            await clients.store(session, {**document, "jwks": fetched.jwks}, at=now)
            await tell_keys(session, self.journal, client_id, fetched.jwks, at=now)

    async def _without(self, client_id: str, uri: str) -> None:
        """After STALE_SECONDS without an answer nobody vouches for the keys any more."""
        now = self._now()
        async with self.database.transaction() as session:
            old = (_KEYS.c.client_id == client_id) & (_KEYS.c.fetched_at <= now - STALE_SECONDS)
            stale = (await session.execute(select(_KEYS.c.client_id).where(old))).one_or_none()
            document = await clients.document_of(session, client_id)
            if stale is None or document is None or document.get("jwks_uri") != uri:
                return
            if document["jwks"]["keys"]:
                await clients.store(session, {**document, "jwks": {"keys": []}}, at=now)
                await tell_keys(session, self.journal, client_id, {"keys": []}, at=now)

    def _now(self) -> int:
        return int(self.clock().timestamp())


async def follow(
    session: AsyncSession, document: Mapping[str, Any], fetched: Fetched | None, at: int
) -> None:
    """Begin to keep (or, without `jwks_uri`, no longer keep) the keys of the client in this document."""
    client_id = document["client_id"]
    await session.execute(_KEYS.delete().where(_KEYS.c.client_id == client_id))
    if fetched is not None:
        row = {"client_id": client_id, "fetched_at": at, "tried_at": at, "next_at": at + fetched.seconds}
        await session.execute(insert(_KEYS).values(**row))


async def tell_keys(
    session: AsyncSession, journal: Journal, client_id: str, jwks: Mapping[str, Any], *, at: int
) -> None:
    """Say in the ledger which keys a client has from now on: names only."""
    payload: dict[str, object] = {"kids": [str(key.get("kid", "-")) for key in jwks["keys"]]}
    await journal.append(
        session, Event.CLIENT_KEYS_CHANGED, subject=None, party=client_id, payload=payload, at=at
    )


async def _claim(session: AsyncSession, client_id: str, now: int) -> str | None:
    """The address to fetch from, for the one who may now; the next may after AGAIN_SECONDS."""
    free = (_KEYS.c.client_id == client_id) & (_KEYS.c.tried_at <= now - AGAIN_SECONDS)
    claim = update(_KEYS).where(free).values(tried_at=now, next_at=now + AGAIN_SECONDS)
    if (await session.execute(claim.returning(_KEYS.c.client_id))).one_or_none() is None:
        return None
    document = await clients.document_of(session, client_id)
    return None if document is None else document.get("jwks_uri")
