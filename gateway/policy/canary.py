"""Try a policy before it is in force: its own promises, and a floor that no table can talk away."""

from __future__ import annotations

import asyncio

from gateway.policy import decision_table
from gateway.policy.bundle import PolicyBundle
from gateway.policy.decision_table import Row, patched
from gateway.policy.engine import PolicyEngine
from gateway.policy.errors import BundleInvalid, PolicyError

FLOOR: tuple[tuple[str, object], ...] = (
    ("/consent/state", "withdrawn"),
    ("/consent/end", 0),
    ("/client/status", "suspended"),
    ("/consent/items", []),
)
"""Changes to any question that MUST end in a denial, whatever a policy and its table say."""


async def try_out(engine: PolicyEngine, bundle: PolicyBundle) -> int:
    """Ask the canary rows (all, when none is marked) and the floor; how many were asked.

    Raises BundleInvalid naming the first promise that is not kept. Lets other tasks run between two rows.
    """
    rows = decision_table.of(bundle)
    chosen = [row for row in rows if row.canary] or list(rows)
    if not any(row.want["allow"] for row in chosen) or all(row.want["allow"] for row in chosen):
        raise BundleInvalid("the decision table must promise something allowed and something denied")
    for row in chosen:
        await _try(engine, row)
    first = next(row for row in chosen if row.want["allow"])
    for path, value in FLOOR:
        document = patched(first.document, [{"op": "replace", "path": path, "value": value}])
        await _deny(engine, Row(f"{path} = {value}", document, {"allow": False}))
    return len(chosen) + len(FLOOR)


async def _try(engine: PolicyEngine, row: Row) -> None:
    try:
        kept = row.kept_by(await engine.decide(row.question))
    except PolicyError as error:
        raise BundleInvalid(f"canary {row.name!r}: {error}") from error
    if not kept:
        raise BundleInvalid(f"canary {row.name!r}: the decision is not the one the table promises")
    await asyncio.sleep(0)


async def _deny(engine: PolicyEngine, row: Row) -> None:
    if (await engine.decide(row.question)).allow:
        raise BundleInvalid(f"canary {row.name!r}: must be denied by every policy")
