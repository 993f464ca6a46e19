"""Carries citizens' requests for their own data: leases one, pulls what is still to come, keeps it sealed.

The row is the truth. A carrier that dies loses its lease and another goes on with the items that are missing;
every move has one ledger entry under its own name, so doing a step again adds nothing. What a holder cannot
give now is asked for again for a day; after five minutes the citizen gets what is there (Decree 42-6(1)).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.runtime import Pulled
from consent import repository_members
from consent import rights_repository as repository
from consent import rights_service as service
from consent.calendar import korean_day_of
from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.errors import MoveError
from consent.journal import Journal
from consent.rights import HELD, Move, Received, SelfRequest, State
from consent.subjects import SubjectError, SubjectKey
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.security.links import open_link
from gateway.transfers.own.collected import MAX_BYTES, Collected, Part, judge, project
from gateway.transfers.own.question import KEPT_DAYS, begins
from gateway.transfers.pull import Order, Puller, Wanted, transaction_id

LEASE_SECONDS = 20
RENEW_SECONDS = 5.0
TICK_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300
PATIENCE_SECONDS = 300
"""After this long the citizen gets what is there, and is told why the rest takes longer."""

_log = structlog.get_logger("mydata.own")


@dataclass(slots=True)
class OwnCarrier:
    """One a process; any number of processes may run theirs."""

    database: Database
    journal: Journal
    log: Log
    puller: Puller
    catalogue: Catalogue
    clock: Clock
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Say that a request was made. Optional: the next tick finds it anyway."""
        self._wake.set()

    async def run(self) -> None:
        """Carry until cancelled."""
        while True:
            if not await self.step():
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK_SECONDS):
                        await self._wake.wait()
                self._wake.clear()

    async def step(self) -> bool:
        """Carry one request as far as it goes now; False when there was none, or the ledger lags."""
        try:
            await self.log.refuse_if_behind()
            async with self.database.transaction() as session:
                request = await repository.claim(session, self._now(), LEASE_SECONDS)
        except Problem as problem:
            _log.error("own_data_not_moving", problem=problem.code)
            return False
        if request is None:
            return False
        try:
            async with self._leased(request.id):
                await self._carry(request)
        except (Problem, MoveError) as error:
            _log.warning("own_data_waits", request=request.id, problem=error.code)
            await self._later(request.id)
        except Exception as error:
            _log.error("own_data_failed", request=request.id, error=type(error).__name__)
            await self._later(request.id)
        return True

    async def _carry(self, request: SelfRequest) -> None:
        begun = await self._begin(request)
        if begun is None:
            return
        key, order, request = begun
        called_off = asyncio.Event()
        watching = asyncio.create_task(self._watch(request.id, called_off))
        try:
            pulled = await self.puller.pull(order, called_off.is_set)
        finally:
            watching.cancel()
        if called_off.is_set():
            return
        await self._settle(request, key, pulled)
        self.log.wake()

    async def _begin(self, request: SelfRequest) -> tuple[SubjectKey, Order, SelfRequest] | None:
        """What will be asked of whom is in the ledger before the first request goes out."""
        now = self._now()
        async with self.database.transaction() as session:
            live = await repository.load(session, request.id, lock=True)
            if live is None or not live.pending:
                return None
            try:
                key = await self.journal.keys.key(session, live.subject)
            except SubjectError:
                await service.step(
                    session, self.journal, live, Move.CANCEL, now, {"reason": "subject_erased"}
                )
                return None
            if live.state is State.ASKED:
                live = await service.step(session, self.journal, live, Move.BEGIN, now)
            sealed = await repository_members.links(session, live.subject)
        links = {holder: open_link(key, live.subject, holder, one) for holder, one in sealed.items()}
        return key, self._order(live, links, now), live

    def _order(self, request: SelfRequest, links: Mapping[str, str], now: int) -> Order:
        wanted = []
        for number, item in enumerate(request.items):
            holder = self.puller.holders.get(item.holder)
            if item.name not in request.pending:
                continue
            code = holder.manifest.org_code if holder else ""
            wanted.append(
                Wanted(
                    holder=item.holder,
                    dataset=item.dataset,
                    fields=item.fields,
                    since=begins(self.catalogue, item.dataset, request.asked_at, request.history_from),
                    until=korean_day_of(now),
                    transaction_id=transaction_id(code, request.id, number),
                )
            )
        end = max(request.end_at, now + LEASE_SECONDS)
        return Order(request.id, request.id, 1, end, tuple(wanted), links)

    async def _settle(self, request: SelfRequest, key: SubjectKey, pulled: Mapping[str, Pulled]) -> None:
        now = self._now()
        async with self.database.transaction() as session:
            live = await repository.load(session, request.id, lock=True)
            if live is None or not live.pending or (live.state not in HELD and live.state != State.PULLING):
                return
            before = Collected.open(key, live.id, await repository.sealed_of(session, live.id))
            kept, received = _merged(live, before, pulled, now)
            after = replace(live, received=received)
            await self._move(session, live, after, kept.seal(key, live.id), now)
            wait = min(LONGEST_WAIT_SECONDS, 2 ** min(await repository.attempts_of(session, live.id), 12))
            await repository.hold(session, live.id, now + wait if after.pending else 0)

    async def _move(
        self, session: AsyncSession, live: SelfRequest, after: SelfRequest, sealed: bytes, now: int
    ) -> None:
        """The one move that follows from what came, or none while it is too early for any."""
        done = [one for one in after.received if one.outcome not in ("pending", "refused", "failed")]
        late = now - live.asked_at >= PATIENCE_SECONDS
        if live.state in HELD:
            if len(after.pending) == len(live.pending):
                await repository.progress(session, after, sealed)
                return
            changes = {"received": after.received, **({} if after.pending else {"solved_at": now})}
            await service.step(session, self.journal, live, Move.ADD, now, changes, sealed=sealed)
            return
        if after.pending and not (done and late):
            await repository.progress(session, after, sealed)
            return
        if after.pending and live.delayed_at is None:
            why = {"delayed_at": now, "delay_reason": delay_reason(after)}
            live = await service.step(session, self.journal, live, Move.DELAY, now, why)
        await self._end_pull(session, live, after, sealed, now)

    async def _end_pull(
        self, session: AsyncSession, live: SelfRequest, after: SelfRequest, sealed: bytes, now: int
    ) -> None:
        came = {one.outcome for one in after.received}
        first = next((one for one in after.received if one.reason), None)
        values: dict[str, object] = {"received": after.received}
        if came & {"complete", "empty", "partial"}:
            values |= {"ready_at": now, "held_until": now + KEPT_DAYS * 86_400}
            values |= {"solved_at": now} if live.delayed_at and not after.pending else {}
            await service.step(session, self.journal, live, Move.DELIVER, now, values, sealed=sealed)
        else:
            taken = Move.REFUSE if came == {"refused"} else Move.FAIL
            values |= {"reason": first.reason, "ground": first.ground} if first else {}
            await service.step(session, self.journal, live, taken, now, values)

    @asynccontextmanager
    async def _leased(self, request_id: str) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(request_id))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait((renewing,))

    async def _renew(self, request_id: str) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(Problem):
                async with self.database.transaction() as session:
                    await repository.hold(session, request_id, self._now() + LEASE_SECONDS)

    async def _watch(self, request_id: str, called_off: asyncio.Event) -> None:
        """Say when the citizen took the request back, in whichever process."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            with suppress(Problem):
                async with self.database.reading() as session:
                    live = await repository.load(session, request_id)
                if live is None or live.state is State.CANCELLED:
                    called_off.set()

    async def _later(self, request_id: str) -> None:
        with suppress(Problem):
            async with self.database.transaction() as session:
                attempts = await repository.attempts_of(session, request_id)
                wait = min(LONGEST_WAIT_SECONDS, 2 ** min(attempts, 12))
                await repository.hold(session, request_id, self._now() + wait)

    def _now(self) -> int:
        return int(self.clock().timestamp())


def delay_reason(request: SelfRequest) -> str:
    """Why it takes longer: what a holder answered last, or that no carrier came to it yet."""
    waiting = (one.reason for one in request.received if one.outcome == "pending" and one.reason)
    return next(waiting, "gateway_busy")


def _merged(
    live: SelfRequest, before: Collected, pulled: Mapping[str, Pulled], now: int
) -> tuple[Collected, tuple[Received, ...]]:
    """What is kept, and what became of each item, after this pull."""
    kept, last = before, now >= live.end_at
    told = {one.item: one for one in live.received}
    for item in live.items:
        if (one := pulled.get(item.name)) is None or item.name not in live.pending:
            continue
        records, unreadable = project(item.fields, (record.body for record in one.records))
        judged = judge(item.name, one, len(records), unreadable, last=last, now=now)
        with_it = kept.with_item(item.name, Part(records, now))
        if with_it.size > MAX_BYTES:
            judged = Received(item.name, "failed", 0, "too_large", at=now)
        elif records or judged.outcome == "empty":
            kept = with_it
        told[item.name] = judged
    return kept, tuple(told[item.name] for item in live.items if item.name in told)
