"""The consent (동의) as a value, and the only moves it can make. Pure: no clock, no storage.

    (nothing) ── ask ──> requested ── defer ──> deferred        (both can still be given, refused, or lapse)
                             ├─ give ─────> active
                             ├─ refuse ───> refused
                             └─ lapse ────> expired

    active ── narrow, amend, renew ──> active      active ── pause ──> paused ── resume ──> active
    active, paused ── withdraw ──> withdrawing ── complete ──> withdrawn
                   ── revoke ──> revoked      ── expire ──> expired      ── invalidate ──> invalidated

A consent is dead as `withdrawing` already; it is `withdrawn` when every party has acknowledged, or is silent.
Withdrawal is the citizen's, revocation a party's, expiry time's; invalid is what never should have held.
Narrowing only ever takes away, also from what is paused; an amendment is a new yes of the citizen to a new
text, so it may hold more; a renewal changes nothing but the end. A consent past its end is `expired` from
that moment, before it is written (`standing`). Every move raises the version by one, so a version names one
state and one text for ever, and a token made under an older version is dead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from consent.choices import within
from consent.errors import MoveError
from consent.items import Terms
from consent.subjects import SubjectId


class State(StrEnum):
    """How a consent stands. Stored; never rename."""

    REQUESTED = "requested"
    DEFERRED = "deferred"
    REFUSED = "refused"
    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"


class Move(StrEnum):
    """What can be done to a consent. Stored in its history; never rename."""

    ASK = "ask"
    DEFER = "defer"
    GIVE = "give"
    REFUSE = "refuse"
    LAPSE = "lapse"
    NARROW = "narrow"
    AMEND = "amend"
    RENEW = "renew"
    PAUSE = "pause"
    RESUME = "resume"
    WITHDRAW = "withdraw"
    COMPLETE = "complete"
    REVOKE = "revoke"
    EXPIRE = "expire"
    INVALIDATE = "invalidate"


class By(StrEnum):
    """Who made a move. Stored; never rename."""

    CITIZEN = "citizen"
    GUARDIAN = "guardian"
    DELEGATE = "delegate"
    RECIPIENT = "recipient"
    HOLDER = "holder"
    GATEWAY = "gateway"
    OPERATOR = "operator"


TRANSITIONS: dict[tuple[State, Move], State] = {
    (State.REQUESTED, Move.DEFER): State.DEFERRED,
    (State.REQUESTED, Move.GIVE): State.ACTIVE,
    (State.REQUESTED, Move.REFUSE): State.REFUSED,
    (State.REQUESTED, Move.LAPSE): State.EXPIRED,
    (State.DEFERRED, Move.GIVE): State.ACTIVE,
    (State.DEFERRED, Move.REFUSE): State.REFUSED,
    (State.DEFERRED, Move.LAPSE): State.EXPIRED,
    (State.ACTIVE, Move.NARROW): State.ACTIVE,
    (State.PAUSED, Move.NARROW): State.PAUSED,
    (State.ACTIVE, Move.AMEND): State.ACTIVE,
    (State.ACTIVE, Move.RENEW): State.ACTIVE,
    (State.ACTIVE, Move.PAUSE): State.PAUSED,
    (State.PAUSED, Move.RESUME): State.ACTIVE,
    (State.ACTIVE, Move.WITHDRAW): State.WITHDRAWING,
    (State.PAUSED, Move.WITHDRAW): State.WITHDRAWING,
    (State.WITHDRAWING, Move.COMPLETE): State.WITHDRAWN,
    (State.ACTIVE, Move.REVOKE): State.REVOKED,
    (State.PAUSED, Move.REVOKE): State.REVOKED,
    (State.ACTIVE, Move.EXPIRE): State.EXPIRED,
    (State.PAUSED, Move.EXPIRE): State.EXPIRED,
    (State.ACTIVE, Move.INVALIDATE): State.INVALIDATED,
    (State.PAUSED, Move.INVALIDATE): State.INVALIDATED,
}
"""Every legal move; what is not here is illegal."""

IDLE = "idle"
"""Why a consent nobody used is paused, and at last expires before its end."""

_WITHIN_TIME = frozenset({Move.GIVE, Move.NARROW, Move.AMEND, Move.RENEW, Move.PAUSE, Move.RESUME})

_A_YES = frozenset({Move.GIVE, Move.AMEND, Move.RENEW, Move.RESUME})
"""Moves by which somebody says yes; whoever did answers for the consent from then on."""

PENDING = frozenset({State.REQUESTED, State.DEFERRED})
"""Asked and not answered: no consent yet."""

ENDED = frozenset({State.REFUSED, State.WITHDRAWN, State.REVOKED, State.EXPIRED, State.INVALIDATED})
"""States nothing leaves."""

OVER = ENDED | {State.WITHDRAWING}
"""States under which nothing flows ever again."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One citizen's consent towards one client. `id` stays the same over all versions.

    `asked` is what the client asked, `terms` what is agreed now (for a refused one: what was refused).
    `text_hash` names the text as it was shown. `by` made the last move, `why` is its reason, a stable word
    or None. `mandate` is that under which somebody else said the yes that holds now; None: the citizen did.
    `verification` is how whoever answered last had proved who they are.
    Instants are epoch seconds.
    """

    id: str
    subject: SubjectId
    client_id: str
    request_id: str
    state: State
    version: int
    asked: Terms
    terms: Terms
    text_hash: str
    language: str
    created_at: int
    changed_at: int
    by: By = By.CITIZEN
    why: str | None = None
    mandate: str | None = None
    verification: str | None = None

    def standing(self, at: int) -> State:
        """The state as it counts at the instant `at`: a consent past its end is expired."""
        if self.state in (State.ACTIVE, State.PAUSED) and at >= self.terms.end_at:
            return State.EXPIRED
        return self.state

    def alive(self, at: int) -> bool:
        """Whether data may be asked for under this consent at the instant `at`."""
        return self.standing(at) is State.ACTIVE and self.terms.start_at <= at

    @property
    def ended(self) -> bool:
        """Whether nothing flows under this consent ever again; it may still be on its way out."""
        return self.state in OVER


def move(
    consent: Consent,
    step: Move,
    at: int,
    *,
    terms: Terms | None = None,
    by: By = By.CITIZEN,
    why: str | None = None,
    mandate: str | None = None,
    verification: str | None = None,
) -> Consent:
    """The consent after `step` at the instant `at`; `terms` replace its terms; only `amend` adds.

    Raises MoveError `consent_move_illegal` (no such move in the table, the end of the terms has passed, or
    has not come yet for `expire`), `consent_not_narrower` (`terms` ask for anything not in the present ones,
    or change nothing), `consent_not_longer` (a renewal that changes anything but the end, or not to later).
    """
    target, over = TRANSITIONS.get((consent.state, step)), at >= consent.terms.end_at
    late, early = over and step in _WITHIN_TIME, not over and step is Move.EXPIRE and why != IDLE
    if target is None or late or early:
        state = State.EXPIRED if late else consent.standing(at)
        raise MoveError("consent_move_illegal", move=step.value, state=state.value)
    if terms is not None:
        _check_terms(step, consent.terms, terms)
    elif step in _NEEDS_TERMS:
        raise MoveError("consent_not_narrower" if step is Move.NARROW else "consent_not_longer")
    return replace(
        consent,
        state=target,
        version=consent.version + 1,
        terms=consent.terms if terms is None else terms,
        changed_at=at,
        by=by,
        why=why,
        mandate=mandate if step in _A_YES else consent.mandate,
        verification=verification or consent.verification,
    )


_NEEDS_TERMS = frozenset({Move.NARROW, Move.RENEW})


def _check_terms(step: Move, before: Terms, after: Terms) -> None:
    """What each move may do to the terms."""
    if step is Move.AMEND:
        return
    if step is Move.RENEW:
        if after.end <= before.end or replace(after, end=before.end) != before:
            raise MoveError("consent_not_longer")
    elif not within(after, before) or (step is Move.NARROW and after == before):
        raise MoveError("consent_not_narrower")
