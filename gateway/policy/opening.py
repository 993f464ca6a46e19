"""Open the policy of a gateway as its settings say: which bytes, on which engine."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from consent.catalogue import load as load_catalogue
from consent.clock import Clock
from gateway.database import Database
from gateway.policy import revisions
from gateway.policy.bundle import PolicyBundle, load
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import PolicyEngine
from gateway.policy.following import FollowingEngine, Store, last_good
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.reference import with_sectors
from gateway.policy.shadow import ShadowEngine, counter
from gateway.policy.signatures import Signers, read_signers
from gateway.policy.watched import WatchedOpaEngine
from gateway.settings import Settings


async def open_policy(
    settings: Settings, database: Database, clock: Clock, registry: CollectorRegistry
) -> FollowingEngine:
    """The engine on the revision in force, or on the folder's while none is; raises PolicyError.

    With `opa_binary` each OPA is a child of this process, started anew when it ends.

    Without `policy_signers` the folder's policy is the policy. It is kept, so that its decisions replay.
    """
    signers = read_signers(settings.policy_signers) if settings.policy_signers else {}
    shipped = with_sectors(load(settings.policies), load_catalogue(None, *settings.catalogues))
    async with database.transaction() as session:
        await revisions.keep(session, shipped, at=int(clock().timestamp()))
    bundle, bad = await _in_force(database, signers)
    first = bundle or shipped

    count = counter(registry)

    async def make(wanted: PolicyBundle) -> PolicyEngine:
        deciding = await engine_on(settings, wanted, settings.policy_engine, clock)
        if not settings.policy_shadow_percent:
            return deciding
        other = "embedded" if settings.policy_engine == "opa" else "opa"
        second = await engine_on(settings, wanted, other, clock)
        return ShadowEngine(deciding, second, settings.policy_shadow_percent, count)

    store = Store(database, signers, settings.policy_max_age_hours * 3600)
    engine = FollowingEngine(await make(first), first, make, store, clock)
    if bad:
        engine.trouble = f"{bad[0]} refused"
    return engine


async def engine_on(settings: Settings, bundle: PolicyBundle, kind: str, clock: Clock) -> PolicyEngine:
    """An engine that answers on `bundle` only; raises PolicyUnavailable when a child does not start."""

    def now() -> float:
        return clock().timestamp()

    if kind == "embedded":
        return EmbeddedEngine(bundle)
    if settings.opa_binary is not None:
        return await WatchedOpaEngine(settings.opa_binary, bundle, now=now).start()
    address = OpaAddress(url=settings.opa_url, unix_socket=settings.opa_socket, ca=settings.opa_ca)
    return OpaEngine(address, bundle.revision, now=now)


async def _in_force(database: Database, signers: Signers) -> tuple[PolicyBundle | None, list[str]]:
    if not signers:
        return None, []
    bundle, bad = await last_good(database, signers)
    return bundle, list(bad)
