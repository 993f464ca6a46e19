"""Before the answer: a request is put before a citizen, put off, or lapses. Nothing usable comes of any.

Each is one move in the caller's transaction (`consent.moving`). A request on record holds what was asked and
the text as it was first shown; only `consent.service.give` makes a consent of it.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository
from consent.moving import Journal, commit_to, enter
from consent.records import PENDING, By, Consent, Move, State, move
from consent.service import Asked, new_consent_id, requested

NOT_ANSWERED = "not_answered"
"""Why a request lapses: its time to be answered is over."""


def ever_given(consent: Consent) -> bool:
    """Whether there ever was a consent: not while it waits, nor where it was refused or lapsed."""
    never = consent.state in PENDING or consent.state is State.REFUSED
    return not never and consent.why != NOT_ANSWERED


async def ask(session: AsyncSession, journal: Journal, asked: Asked, *, at: int) -> Consent:
    """The request is shown to this citizen for the first time; a second time changes nothing.

    What is on record already is given back as it stands, answered or lapsed too.
    """
    if known := await repository.of_request(session, asked.request_id, asked.subject):
        return known
    made = requested(asked, new_consent_id(), at)
    await repository.keep_text(session, asked.text, at)
    if await repository.add(session, made, Move.ASK):
        await enter(session, journal, made, Move.ASK)
        return made
    first = await repository.of_request(session, asked.request_id, asked.subject)
    if first is None:
        raise RuntimeError("a row that was in the way is gone")
    return first


async def defer(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    *,
    at: int,
    by: By = By.CITIZEN,
    why: str | None = None,
) -> Consent:
    """The answer is put off: the request waits as it did, until it is answered or lapses.

    Putting off twice is once. Raises MoveError `consent_move_illegal` for a request answered or lapsed.
    """
    before = await repository.of_request(session, asked.request_id, asked.subject, lock=True)
    before = before or await ask(session, journal, asked, at=at)
    if before.state is State.DEFERRED:
        return before
    moved = move(before, Move.DEFER, at, by=by, why=why)
    after = replace(moved, text_hash=asked.text.hash, language=asked.text.language)
    return await commit_to(session, journal, before, after, Move.DEFER, text=asked.text)


async def lapse(session: AsyncSession, journal: Journal, before: Consent, *, at: int) -> Consent:
    """Nobody answered in time; `before` MUST be held under lock. An answered one is left as it is."""
    if before.state not in PENDING:
        return before
    after = move(before, Move.LAPSE, at, by=By.GATEWAY, why=NOT_ANSWERED)
    return await commit_to(session, journal, before, after, Move.LAPSE)
