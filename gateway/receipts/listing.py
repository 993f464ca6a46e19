"""Which receipts there are of one consent: one a version in force, one a released bundle, one of the ending.

A receipt's id is the consent's id, a dot, and the version, the bundle's id, or `end`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository
from consent.changes import Step
from consent.records import OVER, Consent, Move, State
from gateway.transfers.tables import TransferRow

GRANTING = frozenset({Move.GIVE, Move.NARROW, Move.AMEND, Move.RENEW, Move.RESUME})
"""Moves that leave a consent in force; each such version has its receipt."""

END = "end"
_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Listed:
    """One receipt there is: `part` is what stands behind the dot of its `id`; `at` is epoch seconds."""

    id: str
    kind: str
    part: str
    at: int
    version: int


def granting(steps: Sequence[Step]) -> list[Step]:
    """The moves that left the consent in force."""
    return [one for one in steps if one.after.state is State.ACTIVE and one.move in GRANTING]


def ending(steps: Sequence[Step]) -> Step | None:
    """The move that ended the consent, if one did; what completes a withdrawal comes after it."""
    return next((one for one in steps if one.after.state in OVER), None)


def completed(steps: Sequence[Step]) -> int | None:
    """When the withdrawal was complete, if there were two steps to it."""
    return next((one.after.changed_at for one in steps if one.move is Move.COMPLETE), None)


async def listed(
    session: AsyncSession, consent: Consent, *, limit: int, before: tuple[int, str] | None = None
) -> list[Listed]:
    """The newest `limit` receipts of a consent; `before` is (`at`, `part`) of the last of the page before."""
    steps = await repository.steps_of(session, consent)
    found = [
        _of(consent, "grant", str(one.after.version), one.after.changed_at, one.after.version)
        for one in granting(steps)
    ]
    if (last := ending(steps)) is not None:
        found.append(_of(consent, "termination", END, last.after.changed_at, last.after.version))
    found += await _uses(session, consent, limit, before)
    found = [one for one in found if before is None or (one.at, one.part) < before]
    return sorted(found, key=lambda one: (one.at, one.part), reverse=True)[:limit]


async def _uses(
    session: AsyncSession, consent: Consent, limit: int, before: tuple[int, str] | None
) -> list[Listed]:
    """Released bundles, newest first; by when the transfer was asked for, which never changes."""
    table = _TRANSFER.c
    query = select(table.bundle_id, table.created_at, table.consent_version).where(
        table.consent_id == consent.id, table.bundle_id.is_not(None)
    )
    if before is not None:
        query = query.where(
            (table.created_at < before[0]) | ((table.created_at == before[0]) & (table.bundle_id < before[1]))
        )
    rows = await session.execute(query.order_by(table.created_at.desc(), table.bundle_id.desc()).limit(limit))
    return [_of(consent, "use", row.bundle_id, row.created_at, row.consent_version) for row in rows]


def _of(consent: Consent, kind: str, part: str, at: int, version: int) -> Listed:
    return Listed(f"{consent.id}.{part}", kind, part, at, version)
