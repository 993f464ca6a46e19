"""What may be used once. The uniqueness is the database's, so it holds over workers and restarts.

A value is forgotten some time after its own dates refuse it. A clock may be set back after that and the dates
would let the value in again: so `replay_mark` keeps the latest moment up to which anything may be forgotten.
It only rises, every process reads it in the very statement that spends, and a value that ended before it is
taken for spent.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, String, bindparam, delete, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.tables import ReplayRow

_TABLE = ReplayRow.__table__  # type: ignore[attr-defined]
_PURPOSE, _KEY, _EXPIRES = (
    bindparam("purpose", type_=String()),
    bindparam("key_hash", type_=LargeBinary()),
    bindparam("expires_at", type_=BigInteger()),
)
_SPEND = text(
    "INSERT INTO replay (purpose, key_hash, expires_at) SELECT :purpose, :key_hash, :expires_at"
    " WHERE NOT EXISTS (SELECT 1 FROM replay_mark WHERE before > :expires_at)"
    " ON CONFLICT DO NOTHING RETURNING expires_at"
).bindparams(_PURPOSE, _KEY, _EXPIRES)
_SPENT = text(
    "SELECT 1 FROM replay WHERE purpose = :purpose AND key_hash = :key_hash"
    " UNION ALL SELECT 1 FROM replay_mark WHERE before > :expires_at LIMIT 1"
).bindparams(_PURPOSE, _KEY, _EXPIRES)
_RAISE = text(
    "INSERT INTO replay_mark (id, before) VALUES (1, :before) ON CONFLICT (id)"
    " DO UPDATE SET before = excluded.before WHERE replay_mark.before < excluded.before"
)
_MARK = text("SELECT before FROM replay_mark")


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


async def is_spent(session: AsyncSession, purpose: str, key_hash: bytes, expires_at: int) -> bool:
    """Whether a value was used up (for `revoked`: whether an access token was given up), or may have been."""
    named = {"purpose": purpose, "key_hash": key_hash, "expires_at": expires_at}
    return (await session.execute(_SPENT, named)).one_or_none() is not None


async def raise_mark(session: AsyncSession, before: int) -> int:
    """From now on nothing that ended before `before` (epoch seconds) is taken; the mark, which only rises."""
    await session.execute(_RAISE, {"before": before})
    return int((await session.execute(_MARK)).scalar_one())


async def forget(session: AsyncSession, *, before: int, limit: int) -> int:
    """Forget at most `limit` values that ended before `before`; how many were.

    `before` MUST be a mark that was committed so long ago that no statement begun earlier still runs.
    """
    ended = select(_TABLE.c.purpose, _TABLE.c.key_hash).where(_TABLE.c.expires_at < before)
    ended = ended.order_by(_TABLE.c.expires_at).limit(limit)
    # A locking query by a name of its own runs once. Inside IN, a plan may run it for each row it deletes,
    # and it then skips those already gone and finds others.
    once = ended.with_for_update(skip_locked=True).cte("ended")
    name = tuple_(_TABLE.c.purpose, _TABLE.c.key_hash)
    these = name.in_(select(once.c.purpose, once.c.key_hash))
    gone = await session.execute(delete(_TABLE).where(these).returning(_TABLE.c.expires_at))
    return len(gone.all())
