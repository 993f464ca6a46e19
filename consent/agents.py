"""Who asked for a citizen (대리인), and by which method agreed beforehand (Decree 42-5(2))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.mandates import MandateRow, Role
from consent.rights import Agent
from consent.tables import table_of

METHODS: Mapping[Role, str] = {
    Role.GUARDIAN: "registered_by_operator",
    Role.DELEGATE: "invited_by_citizen",
}
"""How each came by the mandate. Told to citizens and companies; never rename."""

_MANDATE = table_of(MandateRow)


async def agents_of(session: AsyncSession, mandate_ids: Iterable[str | None]) -> dict[str, Agent]:
    """By mandate, ended ones too: role and method. A mandate that is not on record any more is left out."""
    wanted = {id for id in mandate_ids if id is not None}
    if not wanted:
        return {}
    rows = await session.execute(select(_MANDATE.c.id, _MANDATE.c.role).where(_MANDATE.c.id.in_(wanted)))
    return {row.id: Agent(row.role, METHODS[Role(row.role)]) for row in rows}
