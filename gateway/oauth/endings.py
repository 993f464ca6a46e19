"""How a grant ends, or all its tokens do, in the one order in which rows are locked:

    mandate -> consent -> subject (the journal's counter) -> grant -> request, code, tokens

Every transaction that touches more than one of them takes them in this order; in any other two of them could
wait for each other for ever. Whoever only needs the consent to stand still holds it shared.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.subjects import SUBJECT
from gateway.oauth.grants import GRANTS, Grant, find_grant
from gateway.oauth.ledger import Record


async def end_grant(
    session: AsyncSession, record: Record, grant: Grant, why: str, *, at: int, generation: int | None = None
) -> bool:
    """End a grant: its codes, refresh tokens and access tokens are dead at once. Its consent stays.

    With `generation` only if that is still the grant's.
    """
    if not await _alive(session, grant, generation=generation):
        return False
    await record.revoked(grant, why, at=at)(session)
    ended = update(GRANTS).where(GRANTS.c.id == grant.id)
    await session.execute(ended.values(revoked_at=at, revoked_why=why, updated_at=at))
    return True


async def end_tokens(session: AsyncSession, record: Record, grant: Grant, why: str, *, at: int) -> bool:
    """End every code and token of this generation of a grant; the grant stays, to be gone on with."""
    if not await _alive(session, grant, generation=grant.generation):
        return False
    await record.revoked(grant, why, at=at)(session)
    raised = update(GRANTS).where(GRANTS.c.id == grant.id)
    await session.execute(raised.values(generation=GRANTS.c.generation + 1, updated_at=at))
    return True


async def _alive(session: AsyncSession, grant: Grant, *, generation: int | None = None) -> bool:
    """Whether the grant is not revoked yet, nor past `generation`; nobody else ends it meanwhile.

    The consent is only held shared: whoever comes from a refused request holds it so already.
    """
    await find_grant(session, grant.id, hold=True)
    await session.execute(select(SUBJECT.c.id).where(SUBJECT.c.id == grant.subject_id).with_for_update())
    live = await find_grant(session, grant.id)
    return live is not None and not live.revoked and generation in (None, live.generation)
