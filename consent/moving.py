"""One move of a consent: compare-and-set, its version kept, its one ledger entry. Every service uses it.

All of it happens in the caller's transaction, so the move, its history row and its entry exist together or
not at all. Nothing here commits, decides policy or calls anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository
from consent.errors import MoveError
from consent.events import Event
from consent.items import to_details
from consent.records import Consent, Move
from consent.subjects import SubjectError, SubjectId
from consent.text import ShownText

EVENTS: Mapping[Move, Event] = {
    Move.ASK: Event.CONSENT_REQUEST_SHOWN,
    Move.DEFER: Event.CONSENT_REQUEST_DEFERRED,
    Move.GIVE: Event.CONSENT_GRANT_GIVEN,
    Move.REFUSE: Event.CONSENT_REQUEST_REFUSED,
    Move.LAPSE: Event.CONSENT_REQUEST_LAPSED,
    Move.NARROW: Event.CONSENT_GRANT_NARROWED,
    Move.AMEND: Event.CONSENT_GRANT_AMENDED,
    Move.RENEW: Event.CONSENT_GRANT_RENEWED,
    Move.PAUSE: Event.CONSENT_GRANT_PAUSED,
    Move.RESUME: Event.CONSENT_GRANT_RESUMED,
    Move.WITHDRAW: Event.CONSENT_GRANT_WITHDRAWN,
    Move.COMPLETE: Event.CONSENT_WITHDRAWAL_COMPLETED,
    Move.REVOKE: Event.CONSENT_GRANT_REVOKED,
    Move.EXPIRE: Event.CONSENT_GRANT_EXPIRED,
    Move.INVALIDATE: Event.CONSENT_GRANT_INVALIDATED,
}
"""The one event of each move."""


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


async def commit_to(
    session: AsyncSession,
    journal: Journal,
    before: Consent,
    after: Consent,
    step: Move,
    *,
    text: ShownText | None = None,
    told: Mapping[str, object] | None = None,
) -> Consent:
    """Move `before` to `after`, which `consent.records.move` made of it, and say so in the ledger.

    `text` is what the citizen was shown for it, if anything; `told` is added to the entry. Under an erased
    key the entry names the consent and no citizen, so that an ending is never lost.
    Raises MoveError `consent_moved_on` when `before` is not how the consent stands; nothing is written then.
    """
    if text is not None:
        await repository.keep_text(session, text, after.changed_at)
    await repository.replace(session, before, after, step)
    await enter(session, journal, after, step, told)
    return after


async def enter(
    session: AsyncSession,
    journal: Journal,
    consent: Consent,
    step: Move,
    told: Mapping[str, object] | None = None,
) -> None:
    """The one entry of the move that made `consent` what it is."""
    try:
        await _append(session, journal, consent, step, told, keyed=True)
    except SubjectError:
        if not consent.ended:
            raise
        await _append(session, journal, consent, step, told, keyed=False)


async def own(session: AsyncSession, consent_id: str, subject: SubjectId) -> Consent:
    """The citizen's own consent, locked; MoveError `consent_not_found`, also for another citizen's."""
    found = await repository.load(session, consent_id, lock=True)
    if found is None or found.subject != subject:
        raise MoveError("consent_not_found")
    return found


async def own_version(session: AsyncSession, consent_id: str, subject: SubjectId, version: int) -> Consent:
    """The same, as the citizen saw it on the page: MoveError `consent_moved_on` when it moved since."""
    found = await own(session, consent_id, subject)
    if found.version != version:
        raise MoveError("consent_moved_on")
    return found


async def _append(
    session: AsyncSession,
    journal: Journal,
    consent: Consent,
    step: Move,
    told: Mapping[str, object] | None,
    *,
    keyed: bool,
) -> None:
    payload: dict[str, object] = {
        "consent": consent.id,
        "version": consent.version,
        "state": consent.state.value,
        "by": consent.by.value,
        **({} if consent.why is None else {"why": consent.why}),
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
        EVENTS[step],
        subject=consent.subject if keyed else None,
        party=consent.client_id,
        payload=payload,
        at=consent.changed_at,
        idem=f"consent:{consent.id}:{consent.version}",
    )
