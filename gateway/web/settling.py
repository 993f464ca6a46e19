"""A request is settled: its answer, and what was only there while it was open."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth import interactions
from gateway.oauth.interactions import Settlement
from gateway.transfers import listings


async def settle(session: AsyncSession, interaction_id: str, answer: Settlement, *, at: int) -> None:
    """`interactions.settle`, and with it the end of every authorization to list accounts for it."""
    await interactions.settle(session, interaction_id, answer, at=at)
    await listings.end_of(session, interaction_id, at=at)
