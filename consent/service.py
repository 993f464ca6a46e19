"""What becomes of consents: give, refuse, narrow, amend, withdraw, revoke. Each: load, move, store, journal.

All of it happens in the caller's transaction, so the move, its history row and its ledger entry exist
together or not at all: exactly one entry a move. Nothing here commits, decides policy or calls anyone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository
from consent.errors import MoveError
from consent.events import Event
from consent.items import Terms, to_details
from consent.records import Consent, Move, State, move
from consent.subjects import SubjectError, SubjectId
from consent.text import ShownText


class Journal(Protocol):
    """Where moves are recorded; `consent.journal.Journal` is the real one.

    `append` MUST write in the caller's transaction and MUST NOT commit it.
    """

    async def append(
        self,
        session: AsyncSession,
        kind: Event,
        *,
        subject: SubjectId | None,
        party: str,
        payload: dict[str, object],
        at: int,
        idem: str | None = None,
    ) -> Any:
        """Record that `kind` happened."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One authorization request put before one citizen, and the text the page showed for it."""

    subject: SubjectId
    client_id: str
    request_id: str
    terms: Terms
    text: ShownText


def _new_id() -> str:
    return "c-" + secrets.token_hex(15)


async def give(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    agreed: Terms,
    *,
    at: int,
    new_id: Callable[[], str] = _new_id,
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
    new_id: Callable[[], str] = _new_id,
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
) -> Consent:
    """The citizen takes items or fields away from the consent they saw as `version`; the id stays.

    Raises MoveError `consent_not_found` (also for another citizen's), `consent_moved_on` (it has moved on
    since the page was shown), `consent_move_illegal`, `consent_not_narrower`.
    """
    before = await _own(session, consent_id, subject)
    if before.version != version:
        raise MoveError("consent_moved_on")
    moved = move(before, Move.NARROW, at, terms=terms)
    after = replace(moved, text_hash=text.hash, language=text.language)
    await repository.keep_text(session, text, at)
    await repository.replace(session, before, after, Move.NARROW)
    await _record(session, journal, Event.CONSENT_GRANT_NARROWED, after)
    return after


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
    before = await _own(session, consent_id, asked.subject)
    if before.client_id != asked.client_id:
        raise MoveError("consent_not_found")
    if before.version != version:
        raise MoveError("consent_moved_on")
    if at >= agreed.end_at:
        raise MoveError("consent_move_illegal", move=Move.AMEND.value, state=State.EXPIRED.value)
    moved = move(before, Move.AMEND, at, terms=agreed)
    after = replace(moved, asked=asked.terms, text_hash=asked.text.hash, language=asked.text.language)
    await repository.keep_text(session, asked.text, at)
    await repository.replace(session, before, after, Move.AMEND)
    await _record(session, journal, Event.CONSENT_GRANT_AMENDED, after)
    return after


async def withdraw(
    session: AsyncSession, journal: Journal, consent_id: str, *, subject: SubjectId, at: int
) -> Consent:
    """The citizen takes the whole consent back (PIPA 37, 35-2). Never blocked; repeating it changes nothing.

    A consent that has ended already is given back as it is, without a second entry.
    Raises MoveError `consent_not_found`, also for another citizen's consent.
    """
    before = await _own(session, consent_id, subject)
    return await _end(session, journal, before, (Move.WITHDRAW, Event.CONSENT_GRANT_WITHDRAWN, {}), at=at)


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
    told: dict[str, object] = {"by": party, "why": why}
    return await _end(session, journal, before, (Move.REVOKE, Event.CONSENT_GRANT_REVOKED, told), at=at)


async def _end(
    session: AsyncSession,
    journal: Journal,
    before: Consent,
    ending: tuple[Move, Event, dict[str, object]],
    *,
    at: int,
) -> Consent:
    """Once only, and also when the citizen's key is gone: then the entry names no citizen."""
    if before.ended:
        return before
    step, kind, told = ending
    after = move(before, step, at)
    await repository.replace(session, before, after, step)
    try:
        await _record(session, journal, kind, after, told)
    except SubjectError:
        await _record(session, journal, kind, after, told, keyed=False)
    return after


async def _answer(
    session: AsyncSession,
    journal: Journal,
    asked: Asked,
    answer: tuple[Move, Terms, str],
    *,
    at: int,
) -> Consent:
    step, terms, id = answer
    requested = Consent(
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
    )
    answered = move(requested, step, at, terms=terms)
    await repository.keep_text(session, asked.text, at)
    if not await repository.add(session, answered, step):
        return await _answered_before(session, answered)
    kind = Event.CONSENT_GRANT_GIVEN if step is Move.GIVE else Event.CONSENT_REQUEST_REFUSED
    await _record(session, journal, kind, answered)
    return answered


async def _answered_before(session: AsyncSession, again: Consent) -> Consent:
    """The same answer a second time is the first one; any other answer comes too late."""
    first = await repository.of_request(session, again.request_id)
    same = first is not None and replace(
        again, id=first.id, created_at=first.created_at, changed_at=first.changed_at
    )
    if first is None or same != first:
        raise MoveError("consent_request_answered")
    return first


async def _own(session: AsyncSession, consent_id: str, subject: SubjectId) -> Consent:
    found = await repository.load(session, consent_id, lock=True)
    if found is None or found.subject != subject:
        raise MoveError("consent_not_found")
    return found


async def _record(
    session: AsyncSession,
    journal: Journal,
    kind: Event,
    consent: Consent,
    told: dict[str, object] | None = None,
    *,
    keyed: bool = True,
) -> None:
    """One entry for one move. Under an erased key the entry names the consent and the state only."""
    payload: dict[str, object] = {
        "consent": consent.id,
        "version": consent.version,
        "state": consent.state.value,
        **(told or {}),
    }
    if keyed:
        payload |= {
            "authorization_details": to_details(consent.terms),
            "text_sha256": consent.text_hash,
            "language": consent.language,
        }
    await journal.append(
        session,
        kind,
        subject=consent.subject if keyed else None,
        party=consent.client_id,
        payload=payload,
        at=consent.changed_at,
        idem=f"consent:{consent.id}:{consent.version}",
    )
