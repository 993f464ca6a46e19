"""The runtime: drives a connector over one dataset and says honestly how it ended.

    pull events    Record* Checkpoint   Record* Checkpoint   Record*  (holder fails)
    kept           └─── sealed ────┘    └─── sealed ────┘    └ dropped, and a Gap says so

A failing holder never raises here: it gives a Gap, and whatever arrived sealed is kept. Retry, budget,
deadlines, origin pinning and the refusal of a page already read are the `Session`'s.
"""

from __future__ import annotations

import asyncio
import random as _random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from connectors.breaker import Breaker
from connectors.contract import (
    Account,
    Checkpoint,
    Gap,
    Holder,
    ListsAccounts,
    Outcome,
    PullRequest,
    Reason,
    Record,
)
from connectors.errors import HolderError
from connectors.http import NetworkInTransaction
from connectors.progress import Progress
from connectors.session import Machinery, Session, Token


@dataclass(frozen=True, slots=True)
class Pulled:
    """How the pull of one dataset ended. `records` are sealed and unique by key, in order of arrival.

    `total` is how many records the holder announced, if it did; fewer received is always a gap.
    `requests` counts every request, retries included; `received` is bytes of bodies.
    """

    holder: str
    dataset: str
    outcome: Outcome
    records: tuple[Record, ...] = field(repr=False)
    gaps: tuple[Gap, ...]
    pages: int
    requests: int
    received: int
    total: int | None
    started: datetime
    ended: datetime


class Runtime:
    """Pulls from holders. One per process and event loop; any number of pulls may run side by side."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = _random.random,
    ) -> None:
        """Use `client` (from `connectors.http.open_client`) for every request; the rest moves in tests."""
        self._machinery = Machinery(client, clock, monotonic, sleep, random)
        self._breakers: dict[str, Breaker] = {}

    async def collect(
        self,
        holder: Holder,
        request: PullRequest,
        token: Token,
        *,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Pulled:
        """Pull one dataset to its end, its budget, or the first failure.

        `token` gives the holder token for this person and consent. `cancelled` is asked before every
        request and at every checkpoint (a withdrawn consent stops the pull there). Never raises for what
        a holder or a connector does; raises NetworkInTransaction for a fault of ours.
        """
        manifest = holder.manifest
        breaker = self._breakers.setdefault(manifest.id, Breaker(self._machinery.monotonic))
        session = Session(manifest, token, self._machinery, breaker, cancelled=cancelled)
        progress = Progress()
        started = self._machinery.clock()
        try:
            await _drive(holder, request, session, progress, cancelled)
        except HolderError as error:
            progress.gaps.append(self._gap(request.dataset, error))
        except NetworkInTransaction:
            raise
        except Exception as error:  # a connector's own fault must not take the other holders down
            detail = f"the connector failed ({type(error).__name__})"
            progress.gaps.append(Gap(request.dataset, Reason.CONTRACT, detail))
        return Pulled(
            holder=manifest.id,
            dataset=request.dataset,
            outcome=progress.outcome(),
            records=tuple(progress.sealed.values()),
            gaps=tuple(progress.gaps),
            pages=progress.pages,
            requests=session.requests,
            received=session.received,
            total=progress.total,
            started=started,
            ended=self._machinery.clock(),
        )

    async def accounts(self, holder: Holder, request: PullRequest, token: Token) -> list[Account]:
        """The person's accounts at a holder, for `request.dataset`; empty where there are none to choose.

        Raises HolderError with why the list could not be had; a connector's own fault is CONTRACT.
        """
        if not isinstance(holder, ListsAccounts):
            return []
        breaker = self._breakers.setdefault(holder.manifest.id, Breaker(self._machinery.monotonic))
        session = Session(holder.manifest, token, self._machinery, breaker, cancelled=lambda: False)
        try:
            return await holder.accounts(request, session)
        except (HolderError, NetworkInTransaction):
            raise
        except Exception as error:
            raise HolderError(Reason.CONTRACT, f"the connector failed ({type(error).__name__})") from error

    def _gap(self, dataset: str, error: HolderError) -> Gap:
        after = None
        if error.retry_after is not None:
            after = self._machinery.clock() + timedelta(seconds=error.retry_after)
        return Gap(dataset, error.reason, error.detail, after)


async def _drive(
    holder: Holder,
    request: PullRequest,
    session: Session,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    if request.dataset not in {dataset.id for dataset in holder.manifest.datasets}:
        raise HolderError(Reason.UNKNOWN_DATASET, "this holder does not offer the dataset")
    events = holder.pull(request, session)
    try:
        async for event in events:
            progress.take(event)
            if isinstance(event, Checkpoint) and cancelled():
                raise HolderError(Reason.CANCELLED, "the pull was called off")
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
    if progress.unsealed:
        raise HolderError(Reason.CONTRACT, "the connector left records unsealed")
    if progress.total is not None and len(progress.sealed) < progress.total:
        raise HolderError(Reason.CORRUPT, "fewer records came than the holder announced")
