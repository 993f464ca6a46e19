"""The engine of a running gateway: it follows the revision in force, without a restart and without a gap.

A new revision is read, its two signatures checked, loaded beside the one that decides, tried on its own
table, and only then put in its place: one assignment, so a decision is made by one revision or the other,
never by both. What fails any step is not used: the old revision goes on, and readiness says why. But not for
ever: a revision that could not be seen to be in force for `max_age` seconds decides nothing any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from consent.clock import Clock
from gateway.database import Database
from gateway.errors import Problem
from gateway.policy import revisions
from gateway.policy.bundle import PolicyBundle
from gateway.policy.canary import try_out
from gateway.policy.decision import Decision
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineHealth, PolicyEngine
from gateway.policy.errors import PolicyError, PolicyUnavailable
from gateway.policy.question import Question
from gateway.policy.signatures import Signers, refuse_unless_approved
from gateway.policy.tables import PolicyBundleRow

LOOK_SECONDS = 2.0
"""How long a revision may be in force before this process has looked for it."""

_log = structlog.get_logger(__name__)

_Kept = tuple[bytes, bytes | None, bytes | None]
"""What of a kept revision was refused: tried again only when its bytes or signatures were mended."""

Make = Callable[[PolicyBundle], Awaitable[PolicyEngine]]


@dataclass(slots=True)
class _Held:
    """An engine and how many decisions are being made on it; closed when it is retired and idle."""

    engine: PolicyEngine
    bundle: PolicyBundle
    users: int = 0
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """Where the revision in force is read, whose signatures it needs, how old what was read may grow."""

    database: Database
    signers: Signers
    max_age: float


class FollowingEngine:
    """A `PolicyEngine` on the revision in force. For tasks of one event loop."""

    def __init__(
        self, engine: PolicyEngine, bundle: PolicyBundle, make: Make, store: Store, clock: Clock
    ) -> None:
        """Decide with `engine` on `bundle` until another revision is in force; `make` makes its engine."""
        self._held = _Held(engine, bundle)
        self._make = make
        self._store = store
        self._clock = clock
        self._confirmed = clock().timestamp()
        self._turn = asyncio.Lock()
        self._offered = bundle
        self._refused: _Kept | None = None
        self.trouble = ""

    @property
    def name(self) -> str:
        """The engine that decides now."""
        return self._held.engine.name

    @property
    def revision(self) -> str:
        """The revision that decides now."""
        return self._held.bundle.revision

    @property
    def offered(self) -> PolicyBundle:
        """What an OPA beside this gateway is to load: the revision in force once it has been tried."""
        return self._offered

    async def decide(self, question: Question) -> Decision:
        """Decide on one revision. An OPA that already serves the next one is followed at once."""
        await self._refuse_stale()
        held = self._held
        try:
            return await self._on(held, question)
        except PolicyUnavailable as error:
            if error.cause != "revision" or not await self.look() or self._held is held:
                raise
        return await self._on(self._held, question)

    async def health(self) -> EngineHealth:
        """The deciding engine's health; `cause` names a revision in force that could not be taken over."""
        health = await self._held.engine.health()
        if health.ready and (self._stale or self.trouble):
            cause = f"stale, {self.trouble}".rstrip(", ") if self._stale else self.trouble
            return EngineHealth(not self._stale, health.engine, health.revision, cause)
        return health

    async def close(self) -> None:
        """Close the engine."""
        await self._held.engine.close()

    async def run(self) -> None:
        """Look for another revision until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Problem as problem:
                _log.warning("policy.not_looked", code=problem.code)

    async def look(self) -> bool:
        """Take over the revision in force if it is another one; whether the deciding engine changed."""
        async with self._turn:
            row = await self._wanted()
            if row is None or row.revision == self.revision:
                self.trouble, self._refused = "", None
                self._confirmed = self._clock().timestamp()
                return False
            if _kept(row) == self._refused:
                return False
            return await self._take_over(row)

    async def _wanted(self) -> PolicyBundleRow | None:
        if not self._store.signers:
            return None
        async with self._store.database.reading() as session:
            revision = await revisions.active(session)
            return None if revision is None else await revisions.row(session, revision)

    async def _take_over(self, row: PolicyBundleRow) -> bool:
        try:
            if self._offered.revision != row.revision:
                self._offered = await checked(row, self._store.signers)
        except PolicyError as error:
            self._refused = _kept(row)
            return self._keep_old(row.revision, "refused", error)
        bundle = self._offered
        try:
            engine = await self._make(bundle)
            if not (health := await engine.health()).ready:
                await engine.close()
                raise PolicyUnavailable(health.cause or "not ready")
        except PolicyError as error:
            return self._keep_old(row.revision, "waits for its engine", error)
        old, self._held = self._held, _Held(engine, bundle)
        self.trouble = ""
        self._confirmed = self._clock().timestamp()
        _log.info("policy.activated", revision=bundle.revision, replaced=old.bundle.revision)
        old.retired = True
        await _close_if_idle(old)
        return True

    @property
    def _stale(self) -> bool:
        """Whether what decides was last seen in force too long ago. A folder's policy is always in force."""
        age = self._clock().timestamp() - self._confirmed
        return bool(self._store.signers) and age > self._store.max_age

    async def _refuse_stale(self) -> None:
        if self._stale:
            with suppress(Problem):
                await self.look()
        if self._stale:
            raise PolicyUnavailable("stale", f"{self.revision} was not seen in force for too long")

    def _keep_old(self, revision: str, what: str, error: PolicyError) -> bool:
        if not self.trouble:
            _log.error("policy.not_activated", revision=revision, what=what, error=str(error))
        self.trouble = f"{revision} {what}"
        return False

    async def _on(self, held: _Held, question: Question) -> Decision:
        held.users += 1
        try:
            return await held.engine.decide(question)
        finally:
            held.users -= 1
            await _close_if_idle(held)


async def checked(row: PolicyBundleRow, signers: Signers) -> PolicyBundle:
    """The policy of a kept row, two signatures and its promises checked; raises BundleInvalid.

    The promises are tried in this process, whichever engine will decide.
    """
    refuse_unless_approved(row, signers)
    bundle = revisions.opened(row)
    engine = EmbeddedEngine(bundle)
    try:
        await try_out(engine, bundle)
    finally:
        await engine.close()
    return bundle


async def last_good(database: Database, signers: Signers) -> tuple[PolicyBundle | None, Sequence[str]]:
    """At a start: the latest activation that can be used, and the later ones that cannot."""
    bad: list[str] = []
    async with database.reading() as session:
        for activation in await revisions.history(session):
            row = await revisions.row(session, activation.revision)
            if row is None or activation.revision in bad:
                continue
            try:
                return await checked(row, signers), bad
            except PolicyError as error:
                bad.append(activation.revision)
                _log.error("policy.not_activated", revision=row.revision, what="refused", error=str(error))
    return None, bad


def _kept(row: PolicyBundleRow) -> _Kept:
    return row.archive, row.built_signature, row.approved_signature


async def _close_if_idle(held: _Held) -> None:
    if held.retired and not held.users:
        held.retired = False
        await held.engine.close()
