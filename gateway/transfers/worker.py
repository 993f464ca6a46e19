"""The worker: leases a transfer, pulls, releases, lets the bundle be fetched once that is in the tree.

The row is the truth. A worker that dies loses its lease and another one takes over from the row's state;
every ledger entry has an idempotency key, so doing a step again adds nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository as consents
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectError, SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.transfers import job as jobs
from gateway.transfers import repository
from gateway.transfers.endings import journal_end
from gateway.transfers.job import Job
from gateway.transfers.pull import Puller
from gateway.transfers.release import Releasing
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow
from gateway.transfers.told import tell_failed

LEASE_SECONDS = 20
"""How long a transfer of a worker that died waits for another; a living one renews its lease in time."""
WATCH_SECONDS = 1.0
"""How soon a pull stops after its transfer was called off in another process."""
RENEW_BEATS = 5
LONGEST_WAIT_SECONDS = 300
TICK_SECONDS = 1.0
SIDE_BY_SIDE = 4
ATTEMPTS = 5

_log = structlog.get_logger("mydata.transfers")


@dataclass(slots=True)
class Worker:
    """Carries transfers to their end. One a process; any number of processes may run theirs."""

    database: Database
    journal: Journal
    log: Log
    puller: Puller
    releasing: Releasing
    clock: Clock
    _carried: dict[str, bool] = field(default_factory=dict)
    """The transfers carried here, each with whether it was called off meanwhile."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Say that a transfer was accepted. Optional: the next tick finds it anyway."""
        self._wake.set()

    async def end_with(
        self, session: AsyncSession, consent_id: str, now: int, why: str = "consent_withdrawn"
    ) -> None:
        """In the transaction that ends a consent: its transfers end, its sealed bundles are deleted.

        A pull of this process stops at its next page, one of another within `WATCH_SECONDS` of the commit.
        """
        self.call_off(await repository.cancel_of_consent(session, consent_id, now, why))

    def call_off(self, transfer_ids: Iterable[str]) -> None:
        """Stop the pulls of transfers that ended, as far as they are carried here."""
        for transfer_id in transfer_ids:
            if transfer_id in self._carried:
                self._carried[transfer_id] = True

    async def run(self) -> None:
        """Work until cancelled."""
        free = asyncio.Semaphore(SIDE_BY_SIDE)
        async with asyncio.TaskGroup() as running:
            while True:
                await free.acquire()
                transfer = await self._claim()
                if transfer is None:
                    free.release()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(TICK_SECONDS):
                            await self._wake.wait()
                    self._wake.clear()
                    continue
                task = running.create_task(self.carry(transfer))
                task.add_done_callback(lambda _: free.release())

    async def step(self) -> bool:
        """Carry one transfer; False when there was none. For tests and for running on demand."""
        transfer = await self._claim()
        if transfer is None:
            return False
        await self.carry(transfer)
        return True

    async def _claim(self) -> TransferRow | None:
        """The next transfer; none while the ledger lags, for nothing may be pulled then."""
        try:
            await self.log.refuse_if_behind()
            async with self.database.transaction() as session:
                return await repository.claim(session, self._now(), LEASE_SECONDS)
        except Problem as problem:
            _log.error("transfers_not_moving", problem=problem.code, detail=problem.detail)
            return None

    async def carry(self, transfer: TransferRow) -> None:
        """Bring one leased transfer as far as it goes; whatever fails is tried again, at most five times."""
        self._carried[transfer.id] = False
        try:
            async with self._leased(transfer.id):
                failed = await self._carry(transfer)
        finally:
            del self._carried[transfer.id]
        if failed:
            await self._give_up_if_hopeless(transfer, failed)

    async def _carry(self, transfer: TransferRow) -> str | None:
        try:
            if transfer.state == State.SEALED or await self._pull_and_release(transfer):
                await self._make_ready(transfer.id)
        except Problem as problem:
            _log.warning("transfer_waits", transfer=transfer.id, problem=problem.code)
            return problem.code
        except Exception as error:
            _log.error("transfer_failed", transfer=transfer.id, error=type(error).__name__)
            return "internal"
        return None

    @asynccontextmanager
    async def _leased(self, transfer_id: str) -> AsyncIterator[None]:
        """Renew the lease as long as the block runs, so that it ends soon after a worker that dies."""
        over = asyncio.Event()
        renewing = asyncio.create_task(self._renew(transfer_id, over))
        try:
            yield
        finally:
            over.set()
            await renewing

    async def _renew(self, transfer_id: str, over: asyncio.Event) -> None:
        for beat in itertools.count(1):
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await over.wait()
                return
            with suppress(Problem):
                await self._watch(transfer_id)
                if beat % RENEW_BEATS == 0:
                    async with self.database.transaction() as session:
                        await repository.renew(session, transfer_id, self._now() + LEASE_SECONDS)

    async def _watch(self, transfer_id: str) -> None:
        async with self.database.reading() as session:
            row = await repository.transfer(session, transfer_id)
        if row is None or row.state == State.CANCELLED:
            self.call_off([transfer_id])

    async def _pull_and_release(self, transfer: TransferRow) -> bool:
        job = await self._begin(transfer)
        if job is None:
            return False
        order = job.order(self.puller.holders, self._now())
        pulled = await self.puller.pull(order, lambda: self._carried[transfer.id])
        if self._carried[transfer.id]:  # a withdrawal that was rolled back: the next lease begins anew
            return False
        outbox_id = await self.releasing.release(job, pulled)
        self.log.wake()
        return outbox_id is not None

    async def _begin(self, transfer: TransferRow) -> Job | None:
        """Enter `pulling`: what will be pulled from whom is in the ledger before the first request."""
        now = self._now()
        async with self.database.transaction() as session:
            try:
                job = await jobs.load(session, self.journal, transfer, now)
            except SubjectError as error:
                job = error.code
            if isinstance(job, str):
                if await repository.move(session, transfer, State.CANCELLED, now, reason=job):
                    await journal_end(session, self.journal, transfer, State.CANCELLED, job, now)
                return None
            if not await repository.move(session, transfer, State.PULLING, now):
                return None
            for holder in dict.fromkeys(grant.holder for grant in job.granted):
                datasets = [grant.dataset for grant in job.granted if grant.holder == holder]
                await self.journal.append(
                    session,
                    Event.PULL_HOLDER_INTENDED,
                    subject=SubjectId(job.consent.subject),
                    party=holder,
                    payload={"transfer": transfer.id, "consent": job.consent.id, "datasets": datasets},
                    at=now,
                    idem=f"{Event.PULL_HOLDER_INTENDED.value}/{transfer.id}/{holder}",
                )
        transfer.state = State.PULLING
        self.log.wake()
        return job

    async def _make_ready(self, transfer_id: str) -> None:
        """Wait until the release stands in the published tree, then let the bundle be fetched."""
        idem = f"{Event.BUNDLE_RELEASE_SEALED.value}/{transfer_id}/{transfer_id}"
        await self.log.wait_integrated(idem, 30)
        async with self.database.transaction() as session:
            row = await repository.transfer(session, transfer_id)
            if row is not None:
                await repository.move(session, row, State.READY, self._now(), lease_until=0)

    async def _give_up_if_hopeless(self, transfer: TransferRow, reason: str) -> None:
        now = self._now()
        with suppress(Problem):
            async with self.database.transaction() as session:
                row = await repository.transfer(session, transfer.id)
                if row is None:
                    return
                await consents.load(session, row.consent_id, lock=True)  # first, as by whoever ends it
                if row.attempts >= ATTEMPTS and row.state == State.PULLING:
                    if await repository.move(session, row, State.FAILED, now, reason=reason):
                        await journal_end(session, self.journal, row, State.FAILED, reason, now)
                        await tell_failed(session, row, now)
                else:
                    wait = min(LONGEST_WAIT_SECONDS, 2 ** min(row.attempts, 16))
                    await repository.give_back(session, row.id, now + wait)

    def _now(self) -> int:
        return int(self.clock().timestamp())
