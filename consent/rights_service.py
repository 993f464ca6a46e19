"""What becomes of citizens' requests for their own data: one move, one ledger entry, in one transaction.

All of it happens in the caller's transaction; nothing here commits, decides policy or calls anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from consent import notices
from consent import rights_repository as repository
from consent.errors import MoveError
from consent.events import Event
from consent.moving import Journal
from consent.notices import NoticeKind
from consent.refusal_grounds import Ground
from consent.rights import ENDED, SELF, Move, SelfRequest, State, move
from consent.subjects import SubjectError, SubjectId

EVENTS: Mapping[Move, Event] = {
    Move.ASK: Event.RIGHTS_REQUEST_ASKED,
    Move.BEGIN: Event.RIGHTS_REQUEST_BEGUN,
    Move.DELAY: Event.RIGHTS_REQUEST_DELAYED,
    Move.DELIVER: Event.RIGHTS_REQUEST_DELIVERED,
    Move.ADD: Event.RIGHTS_REQUEST_ADDED,
    Move.FETCH: Event.RIGHTS_REQUEST_FETCHED,
    Move.REFUSE: Event.RIGHTS_REQUEST_REFUSED,
    Move.FAIL: Event.RIGHTS_REQUEST_FAILED,
    Move.CANCEL: Event.RIGHTS_REQUEST_CANCELLED,
    Move.END: Event.RIGHTS_REQUEST_ENDED,
}
"""The one event of each move."""

_TOLD: Mapping[Move, NoticeKind] = {
    Move.DELAY: NoticeKind.RIGHT_DELAYED,
    Move.DELIVER: NoticeKind.RIGHT_READY,
    Move.ADD: NoticeKind.RIGHT_READY,
    Move.REFUSE: NoticeKind.RIGHT_REFUSED,
    Move.FAIL: NoticeKind.RIGHT_FAILED,
}
"""Moves the citizen is told of without delay (Decree 42-6(1), 42-8(2))."""


async def ask(session: AsyncSession, journal: Journal, request: SelfRequest) -> SelfRequest:
    """Store what the citizen asks. Asking again, or for the same at once, gives the request that is there."""
    if await repository.add(session, request):
        asked: dict[str, object] = {
            "verification": request.verification,
            "purpose": request.purpose,
            "items": {item.name: list(item.fields) for item in request.items},
            "excluded": {item.name: dict(item.excluded) for item in request.items if item.excluded},
            "decision": request.decided.id,
            "revision": request.decided.revision,
        }
        await _enter(session, journal, request, Move.ASK, asked)
        return request
    same = await repository.load(session, request.id)
    if same is None:
        digest = repository.digest_of(request.items, request.history_from)
        same = await repository.open_like(session, request.subject, digest)
    if same is None or same.subject != request.subject:
        raise MoveError("right_moved_on")
    return same


async def step(
    session: AsyncSession,
    journal: Journal,
    before: SelfRequest,
    taken: Move,
    at: int,
    changes: Mapping[str, object] | None = None,
    *,
    sealed: bytes | None = None,
) -> SelfRequest:
    """Move `before` by `taken` with `changes`, say so in the ledger, and tell the citizen where law wants it.

    What ends keeps nothing of the data. Raises MoveError `right_move_illegal`, `right_moved_on`.
    """
    told_at = {"told_at": at} if taken in (Move.DELAY, Move.REFUSE) else {}
    after = move(before, taken, at, **{**(changes or {}), **told_at})
    await repository.replace(session, before, after, sealed=b"" if after.state in ENDED else sealed)
    told: dict[str, object] = {"reason": after.delay_reason if taken is Move.DELAY else after.reason}
    if taken in (Move.DELIVER, Move.ADD, Move.REFUSE, Move.FAIL):
        told["received"] = {one.item: one.outcome for one in after.received}
        told["records"] = {one.item: one.records for one in after.received}
    if taken is Move.BEGIN:
        told["pending"] = list(after.pending)
    if after.ground is not None:
        told["ground"] = after.ground.value
    await _enter(session, journal, after, taken, told)
    if kind := _TOLD.get(taken):
        await notices.leave(session, after.subject, kind, f"{after.id}#{after.version}", at)
    return after


async def own(session: AsyncSession, request_id: str, subject: SubjectId) -> SelfRequest:
    """The citizen's own request, locked; MoveError `right_not_found`, also for another citizen's."""
    found = await repository.load(session, request_id, lock=True)
    if found is None or found.subject != subject:
        raise MoveError("right_not_found")
    return found


async def cancel(
    session: AsyncSession, journal: Journal, request_id: str, *, subject: SubjectId, at: int
) -> SelfRequest:
    """The citizen takes the request back, or wants the file gone now. Never blocked; may be repeated."""
    before = await own(session, request_id, subject)
    if before.state in ENDED:
        return before
    return await step(session, journal, before, Move.CANCEL, at)


async def refuse(
    session: AsyncSession,
    journal: Journal,
    before: SelfRequest,
    reason: str,
    ground: Ground | None,
    at: int,
) -> SelfRequest:
    """Holder or gateway refuses: the reason, the ground the Decree names for it; the citizen is told."""
    return await step(session, journal, before, Move.REFUSE, at, {"reason": reason, "ground": ground})


async def fetch(
    session: AsyncSession, journal: Journal, before: SelfRequest, at: int, *, kept_until: int
) -> SelfRequest:
    """The citizen takes the file. The first time is a move; a whole file then goes at `kept_until`."""
    if before.state is State.FETCHED:
        return before
    until = before.held_until if before.pending else min(kept_until, before.held_until or kept_until)
    return await step(session, journal, before, Move.FETCH, at, {"fetched_at": at, "held_until": until})


async def _enter(
    session: AsyncSession, journal: Journal, request: SelfRequest, taken: Move, told: dict[str, object]
) -> None:
    payload: dict[str, object] = {
        "request": request.id,
        "kind": "self",
        "version": request.version,
        "state": request.state.value,
        **{name: value for name, value in told.items() if value is not None},
    }
    try:
        await _append(session, journal, request, taken, payload, request.subject)
    except SubjectError:
        if request.state not in ENDED:
            raise
        await _append(session, journal, replace(request), taken, payload, None)


async def _append(
    session: AsyncSession,
    journal: Journal,
    request: SelfRequest,
    taken: Move,
    payload: dict[str, object],
    subject: SubjectId | None,
) -> None:
    await journal.append(
        session,
        EVENTS[taken],
        subject=subject,
        party=SELF,
        payload=payload,
        at=request.changed_at,
        idem=f"right:{request.id}:{request.version}",
    )
