"""Open the policy of a gateway as its settings say: which bytes, on which engine."""

from __future__ import annotations

from consent.clock import Clock
from gateway.database import Database
from gateway.policy import revisions
from gateway.policy.bundle import PolicyBundle, load
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import PolicyEngine
from gateway.policy.following import FollowingEngine, last_good
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.signatures import Signers, read_signers
from gateway.settings import Settings


async def open_policy(settings: Settings, database: Database, clock: Clock) -> FollowingEngine:
    """The engine on the revision in force, or on the folder's while none is; raises PolicyError.

    Without `policy_signers` the folder's policy is the policy. It is kept, so that its decisions replay.
    """
    signers = read_signers(settings.policy_signers) if settings.policy_signers else {}
    shipped = load(settings.policies)
    async with database.transaction() as session:
        await revisions.keep(session, shipped, at=int(clock().timestamp()))
    bundle, bad = await _in_force(database, signers)
    first = bundle or shipped

    async def make(wanted: PolicyBundle) -> PolicyEngine:
        return engine_on(settings, wanted)

    engine = FollowingEngine(await make(first), first, make, database, signers)
    if bad:
        engine.trouble = f"{bad[0]} refused"
    return engine


def engine_on(settings: Settings, bundle: PolicyBundle) -> PolicyEngine:
    """An engine that answers on `bundle` only."""
    if settings.policy_engine == "opa":
        return OpaEngine(OpaAddress(url=settings.opa_url), bundle.revision)
    return EmbeddedEngine(bundle)


async def _in_force(database: Database, signers: Signers) -> tuple[PolicyBundle | None, list[str]]:
    if not signers:
        return None, []
    bundle, bad = await last_good(database, signers)
    return bundle, list(bad)
