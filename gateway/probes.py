"""What must be ready for the gateway to serve: asked by `/readyz`, portals, the record of readiness."""

from __future__ import annotations

from sqlalchemy import text

from gateway.api.health import Probe
from gateway.parts import Parts


def probes_of(parts: Parts) -> dict[str, Probe]:
    """Each part by name."""

    async def store() -> bool:
        async with parts.database.reading() as session:
            return bool((await session.execute(text("SELECT 1"))).scalar_one() == 1)

    async def policy() -> bool | str:
        return (await parts.engine.health()).state

    async def log_moves() -> bool:
        await parts.log.refuse_if_behind()
        return True

    return {"store": store, "policy": policy, "ledger": log_moves}
