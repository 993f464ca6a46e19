"""How a consent lasts: paused and resumed, renewed, stopped for want of use, and expired at its end.

Each is one move in the caller's transaction (`consent.moving`): one version, one ledger entry, or nothing.
The citizen's own moves name the version they saw; the gateway's move what was read under lock.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from consent.acting import SELF, Acting
from consent.items import Terms
from consent.moving import Journal, commit_to, own_version
from consent.records import IDLE, By, Consent, Move, move
from consent.subjects import SubjectId
from consent.text import ShownText


async def pause(
    session: AsyncSession,
    journal: Journal,
    consent_id: str,
    *,
    subject: SubjectId,
    version: int,
    at: int,
    acting: Acting = SELF,
) -> Consent:
    """The citizen stops the consent they saw as `version` for a while; nothing of what it holds changes.

    Raises MoveError `consent_not_found` (also for another citizen's), `consent_moved_on`,
    `consent_move_illegal` (it is paused already, or over).
    """
    before = await own_version(session, consent_id, subject, version)
    after = move(before, Move.PAUSE, at, by=acting.by, mandate=acting.mandate)
    return await commit_to(session, journal, before, after, Move.PAUSE, told=acting.told)


async def resume(
    session: AsyncSession,
    journal: Journal,
    consent_id: str,
    *,
    subject: SubjectId,
    version: int,
    at: int,
    acting: Acting = SELF,
) -> Consent:
    """The citizen lets the paused consent they saw as `version` go on, whoever paused it.

    Raises MoveError as `pause`; `consent_move_illegal` also when its last day has passed meanwhile.
    """
    before = await own_version(session, consent_id, subject, version)
    after = move(before, Move.RESUME, at, by=acting.by, mandate=acting.mandate)
    return await commit_to(session, journal, before, after, Move.RESUME, told=acting.told)


async def renew(
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
    """The citizen agrees that the consent they saw as `version` goes on until `terms.end`, under `text`.

    Raises MoveError as `pause`, and `consent_not_longer` when `terms` differ in anything but a later end.
    """
    before = await own_version(session, consent_id, subject, version)
    moved = move(before, Move.RENEW, at, terms=terms, by=acting.by, mandate=acting.mandate)
    after = replace(moved, text_hash=text.hash, language=text.language)
    return await commit_to(session, journal, before, after, Move.RENEW, text=text, told=acting.told)


async def stop_unused(session: AsyncSession, journal: Journal, before: Consent, at: int) -> Consent:
    """The gateway pauses a consent nobody has used for long; `before` MUST be held under lock.

    Raises MoveError `consent_move_illegal`, SubjectError for a citizen whose record was erased.
    """
    after = move(before, Move.PAUSE, at, by=By.GATEWAY, why=IDLE)
    return await commit_to(session, journal, before, after, Move.PAUSE)


async def expire(
    session: AsyncSession, journal: Journal, before: Consent, at: int, *, why: str | None = None
) -> Consent:
    """Write that a consent is over: its last day has passed, or (`why` is IDLE) nobody used it.

    `before` MUST be held under lock. An erased citizen's expires too, the entry then names nobody.
    Raises MoveError `consent_move_illegal` before the end, unless it is for want of use.
    """
    after = move(before, Move.EXPIRE, at, by=By.GATEWAY, why=why)
    return await commit_to(session, journal, before, after, Move.EXPIRE)
