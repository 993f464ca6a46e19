"""A holder ends its own part of a consent: what it held is taken out; if that was all, it is revoked.

The citizen took nothing back, so the move is the holder's (`by` holder, with a reason) and the text they
agreed to stays the one on record. What other holders send goes on. A holder cannot put anything back.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from consent import notices, repository
from consent.errors import MoveError
from consent.moving import Journal, commit_to
from consent.notices import NoticeKind
from consent.records import PENDING, By, Consent, Move, State, move

HOLDER_WHYS = frozenset({"holder_stopped", "left_holder", "wrong_person", "unlawful", "order"})
"""Why a holder may end its part."""


async def end_part(
    session: AsyncSession, journal: Journal, consent_id: str, *, holder: str, why: str, at: int
) -> tuple[Consent, Consent]:
    """Take what `holder` holds out of the consent, for the reason `why`; the consent before and after.

    Never blocked; repeating it changes nothing, nor does it change what has ended already: both are the same
    then. The citizen is left a notice.
    Raises MoveError `consent_not_found`: also when the holder was never named in it, or it was not given.
    """
    before = await repository.load(session, consent_id, lock=True)
    if before is None or before.state in PENDING or before.state is State.REFUSED:
        raise MoveError("consent_not_found")
    if holder not in before.asked.holders:
        raise MoveError("consent_not_found")
    if before.standing(at) not in (State.ACTIVE, State.PAUSED) or holder not in before.terms.holders:
        return before, before
    others = tuple(item for item in before.terms.items if item.holder != holder)
    step = Move.NARROW if others else Move.REVOKE
    terms = replace(before.terms, items=others) if others else None
    after = move(before, step, at, terms=terms, by=By.HOLDER, why=why)
    await commit_to(session, journal, before, after, step, told={"holder": holder})
    await notices.leave(session, before.subject, NoticeKind.HOLDER_ENDED, f"{before.id}#{holder}", at)
    return before, after
