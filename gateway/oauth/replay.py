"""What may be used once. The uniqueness is the database's, so it holds over workers and restarts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.tables import ReplayRow

_TABLE = ReplayRow.__table__  # type: ignore[attr-defined]
_SPEND = text(
    "INSERT INTO replay (purpose, key_hash, expires_at) VALUES (:purpose, :key_hash, :expires_at)"
    " ON CONFLICT DO NOTHING RETURNING expires_at"
)


@dataclass(frozen=True, slots=True)
class OneTime:
    """A one-time value: remembered until `expires_at`, after which it is refused by its own dates.

    `code` is the refusal of whoever brings it a second time.
    """

    purpose: str
    key_hash: bytes
    expires_at: int
    code: str


async def spend(session: AsyncSession, value: OneTime) -> bool:
    """Use `value` up. False if it was used before; of any number at once exactly one gets True."""
    row = await session.execute(
        _SPEND, {"purpose": value.purpose, "key_hash": value.key_hash, "expires_at": value.expires_at}
    )
    return row.one_or_none() is not None


async def purge(session: AsyncSession, *, at: int) -> None:
    """Forget what is refused by its own dates anyway."""
    await session.execute(delete(_TABLE).where(_TABLE.c.expires_at < at))


async def is_spent(session: AsyncSession, purpose: str, key_hash: bytes) -> bool:
    """Whether a value was used up (for `revoked`: whether an access token was given up)."""
    same = (_TABLE.c.purpose == purpose) & (_TABLE.c.key_hash == key_hash)
    return (await session.execute(select(_TABLE.c.expires_at).where(same))).one_or_none() is not None
