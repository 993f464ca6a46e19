"""The doors of the portal and of whoever reads figures, put together from the parts of the gateway."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute

from gateway.parts import Parts
from gateway.security.citizens import identity_hash
from gateway.support.agreements import Agreements
from gateway.support.doors import Doors
from gateway.support.holder_ending import HolderEnding
from gateway.support.metrics import ConsentMetrics, metrics_routes
from gateway.support.routes import routes
from gateway.support.statistics import Weeks
from gateway.support.status import Probe, status
from gateway.support.tokens import SupportTokens
from gateway.transfers.consequences import after_change, after_ending


def portal_of(parts: Parts, probes: Mapping[str, Probe]) -> list[BaseRoute]:
    """Every door; `probes` say whether the gateway can serve."""
    registry, settings, wake = parts.registry, parts.settings, parts.log.wake
    codes = {holder.id: holder.org_code for holder in registry.holders}
    tokens = SupportTokens(parts.readers, parts.keys.pairwise, settings.issuer, parts.clock)
    doors = Doors(
        database=parts.database,
        journal=parts.journal,
        tokens=tokens,
        agreements=Agreements(parts.catalogue, registry.consortia, codes),
        identity=lambda person: identity_hash(parts.keys.identity, registry.identity.issuer, person),
        after_withdrawal=after_ending(parts.worker, parts.notices),
        wake=wake,
        clock=parts.clock,
    )
    endings = HolderEnding(
        database=parts.database,
        journal=parts.journal,
        readers=parts.readers,
        after_ending=after_ending(parts.worker, parts.notices),
        after_change=after_change(parts.worker, parts.notices),
        wake=wake,
        clock=parts.clock,
    )
    weeks = Weeks(parts.database, parts.journal, tokens, codes, wake, parts.clock)
    figures = ConsentMetrics(parts.database, parts.journal, parts.log, parts.readers, parts.clock)
    return [*routes(doors, weeks, status(tokens, probes)), *metrics_routes(figures), *endings.routes()]
