"""How a command changes a client: what it fetches first, then one transaction with its ledger entry."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import utc_now
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.store import opened
from gateway.database import in_transaction as network_refused
from gateway.errors import Problem
from gateway.keys import KeysError
from gateway.keys.opening import open_keys
from gateway.oauth import clients
from gateway.oauth.client_keys_fetch import ClientKeysUnreadable, Fetched, fetcher_for
from gateway.oauth.sectors import check_sector
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """The moment of a change, and who writes it down."""

    journal: Journal
    now: int

    async def tell(
        self, session: AsyncSession, event: Event, client_id: str, payload: dict[str, object]
    ) -> None:
        """Enter `event` about the client, in the transaction of the change."""
        await self.journal.append(session, event, subject=None, party=client_id, payload=payload, at=self.now)


Work = Callable[[AsyncSession, Desk], Awaitable[str]]


async def fetched(settings: Settings, uri: str | None) -> Fetched | None:
    """The key set published at `uri`; None when there is no such address to ask."""
    return None if uri is None else await fetcher_for(settings, network_refused).fetch(uri)


async def sector_checked(settings: Settings, values: Mapping[str, Any]) -> None:
    """Let the sector a client names confirm it; see `gateway.oauth.sectors`."""
    await check_sector(fetcher_for(settings, network_refused), values)


async def in_transaction(settings: Settings, work: Work) -> str:
    """Do `work` in one transaction; what it says."""
    journal = Journal(SubjectKeys(open_keys(settings).subject_kek), socket.gethostname())
    async with opened(settings) as database, database.transaction() as session:
        return await work(session, Desk(journal, int(utc_now().timestamp())))


def make(change: Callable[[], Awaitable[str]]) -> int:
    """Run `change` and print what it says; the exit code. Raises Problem for a refusal."""

    async def run() -> str:
        return await change()

    try:
        print(asyncio.run(run()))
    except (clients.ClientDocumentError, ClientKeysUnreadable) as error:
        raise Problem.of(error) from error
    except KeysError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    return 0
