"""What becomes of consents: give, refuse, narrow, amend, withdraw, revoke. Each: load, move, store, journal.

All of it happens in the caller's transaction (`consent.moving`): exactly one version and one entry a move.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository
from consent.acting import SELF, Acting
from consent.errors import MoveError
from consent.items import Terms
from consent.moving import Journal, commit_to, enter, own, own_version
from consent.records import PENDING, By, Consent, Move, State, move
from consent.subjects import SubjectId
from consent.text import ShownText

THROUGH = "through_portal"
"""Why a withdrawal of the citizen did not come from their own page: somebody they told brought it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One authorization request put before one citizen, and the text the page showed for it.

    `verification` says how whoever answers proved who they are (Decree 42-5).
    """

    subject: SubjectId
    client_id: str
    request_id: str
    terms: Terms
    text: ShownText
    acting: Acting = SELF
    verification: str | None = None


def new_consent_id() -> str:
    """A fresh consent's name: 120 random bits."""
    return "c-" + secrets.token_hex(15)


async def give(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    agreed: Terms,
    *,
    at: int,
    new_id: Callable[[], str] = new_consent_id,
) -> Consent:
    """The citizen agrees to `agreed`, which is within what was asked. Answering twice gives one consent.

    Raises MoveError `consent_not_narrower`, `consent_move_illegal` (past its end already) or
    `consent_request_answered` (the request was answered otherwise before).
    """
    return await _answer(session, journal, asked, (Move.GIVE, agreed, new_id()), at=at)


async def refuse(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    *,
    at: int,
    new_id: Callable[[], str] = new_consent_id,
) -> Consent:
    """The citizen says no. Kept as a record of the refusal (Decree 42-6(11)); no grant comes of it."""
    return await _answer(session, journal, asked, (Move.REFUSE, asked.terms, new_id()), at=at)


async def narrow(
    session: AsyncSession,
    journal: Journal,
    consent_id: str,
    *,
    subject: SubjectId,
    version: int,
    terms: Terms,
    text: ShownText,
    at: int,
    acting: Acting = SELF,
) -> Consent:
    """The citizen takes items or fields away from the consent they saw as `version`; the id stays.

    Raises MoveError `consent_not_found` (also for another citizen's), `consent_moved_on` (it has moved on
    since the page was shown), `consent_move_illegal`, `consent_not_narrower`.
    """
    before = await own_version(session, consent_id, subject, version)
    moved = move(before, Move.NARROW, at, terms=terms, by=acting.by)
    after = replace(moved, text_hash=text.hash, language=text.language)
    return await commit_to(session, journal, before, after, Move.NARROW, text=text, told=acting.told)


async def amend(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    agreed: Terms,
    *,
    consent_id: str,
    version: int,
    at: int,
) -> Consent:
    """The citizen agrees anew: the consent they saw as `version` goes on as `agreed`, under the new text.

    `asked.terms` are all that is asked from now on, kept as the consent's `asked`; the id stays.
    Raises MoveError `consent_not_found` (another citizen's or another client's), `consent_moved_on` (it has
    moved on since the page was shown), `consent_move_illegal` (it has ended, or `agreed` has).
    """
    before = await own(session, consent_id, asked.subject)
    if before.client_id != asked.client_id:
        raise MoveError("consent_not_found")
    if before.version != version:
        raise MoveError("consent_moved_on")
    if at >= agreed.end_at:
        raise MoveError("consent_move_illegal", move=Move.AMEND.value, state=State.EXPIRED.value)
    moved = move(before, Move.AMEND, at, terms=agreed, **_hand(asked))
    after = replace(moved, asked=asked.terms, text_hash=asked.text.hash, language=asked.text.language)
    return await commit_to(session, journal, before, after, Move.AMEND, text=asked.text)


async def withdraw(
    session: AsyncSession,
    journal: Journal,
    consent_id: str,
    *,
    subject: SubjectId,
    at: int,
    acting: Acting = SELF,
    through: str | None = None,
) -> Consent:
    """The citizen takes the whole consent back (PIPA 37, 35-2). Never blocked; repeating it changes nothing.

    A consent that has ended already is given back as it is, without a second entry. `through` names the
    party that brought the citizen's word; the consent says then that it did not come from our own page.
    Raises MoveError `consent_not_found`, also for another citizen's consent.
    """
    before = await own(session, consent_id, subject)
    if before.ended:
        return before
    after = move(before, Move.WITHDRAW, at, by=acting.by, why=None if through is None else THROUGH)
    told = acting.told if through is None else {**acting.told, "through": through}
    return await commit_to(session, journal, before, after, Move.WITHDRAW, told=told)


async def revoke(
    session: AsyncSession, journal: Journal, consent_id: str, *, party: str, why: str, at: int
) -> Consent:
    """The client `party` gives the consent it received up, for the reason `why` (a stable word).

    Never blocked; repeating it changes nothing, and what the citizen ended before stays as they ended it.
    Raises MoveError `consent_not_found`, also for another client's consent.
    """
    before = await repository.load(session, consent_id, lock=True)
    if before is None or before.client_id != party:
        raise MoveError("consent_not_found")
    if before.ended:
        return before
    after = move(before, Move.REVOKE, at, by=By.RECIPIENT, why=why)
    return await commit_to(session, journal, before, after, Move.REVOKE)


async def _answer(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    answer: tuple[Move, Terms, str],
    *,
    at: int,
) -> Consent:
    """Move the request on record; one that was not stored before is made and moved at once."""
    step, terms, id = answer
    pending = await repository.of_request(session, asked.request_id, asked.subject, lock=True)
    if pending is not None and pending.state in PENDING:
        return await _answer_pending(session, journal, asked, (pending, step, terms), at=at)
    answered = move(requested(asked, id, at), step, at, terms=terms, **_hand(asked))
    await repository.keep_text(session, asked.text, at)
    if not await repository.add(session, answered, step):
        return await _answered_before(session, answered)
    await enter(session, journal, answered, step, asked.acting.told)
    return answered


async def _answer_pending(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    answer: tuple[Consent, Move, Terms],
    *,
    at: int,
) -> Consent:
    """The record that waits for this answer moves. It may have been shown in the other language before."""
    before, step, terms = answer
    if (before.subject, before.client_id, before.asked) != (asked.subject, asked.client_id, asked.terms):
        raise MoveError("consent_not_found")
    moved = move(before, step, at, terms=terms, **_hand(asked))
    after = replace(moved, text_hash=asked.text.hash, language=asked.text.language)
    told = asked.acting.told
    return await commit_to(session, journal, before, after, step, text=asked.text, told=told)


class _Hand(TypedDict):
    by: By
    mandate: str | None
    verification: str | None


def _hand(asked: Asked) -> _Hand:
    """Whose yes or no it is, and how they proved who they are."""
    return _Hand(by=asked.acting.by, mandate=asked.acting.mandate, verification=asked.verification)


def requested(asked: Asked, id: str, at: int) -> Consent:
    """The record of a request as it is first put before a citizen: version 0, nothing agreed to."""
    return Consent(
        id=id,
        subject=asked.subject,
        client_id=asked.client_id,
        request_id=asked.request_id,
        state=State.REQUESTED,
        version=0,
        asked=asked.terms,
        terms=asked.terms,
        text_hash=asked.text.hash,
        language=asked.text.language,
        created_at=at,
        changed_at=at,
        by=By.RECIPIENT,
    )


async def _answered_before(session: AsyncSession, again: Consent) -> Consent:
    """The same answer a second time is the first one; any other answer comes too late."""
    first = await repository.of_request(session, again.request_id, again.subject)
    same = first is not None and replace(
        again, id=first.id, version=first.version, created_at=first.created_at, changed_at=first.changed_at
    )
    if first is None or same != first:
        raise MoveError("consent_request_answered")
    return first
