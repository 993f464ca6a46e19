"""The consent (동의) as a value, and the only moves it can make. Pure: no clock, no storage.

    (nothing) ── asked ──> requested ── give ────> active ── withdraw ──> withdrawn
                               │                   │    ▲ └─ revoke ────> revoked
                               └─ refuse ─> refused └────┘ narrow, amend

Withdrawal is the citizen's, revocation a party's, expiry time's. Narrowing only ever takes away; an amendment
is a new yes of the citizen to a new text, so it may hold more. A consent past its end is `expired` from that
moment without anything being written (`standing`). `paused` and a written `expired` are states a record may
hold; no move leads there yet. Every move raises the version by one, so a version names one state and one text
for ever, and a token made under an older version is dead.
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
    REFUSED = "refused"
    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Move(StrEnum):
    """What can be done to a consent. Stored in its history; never rename."""

    GIVE = "give"
    REFUSE = "refuse"
    NARROW = "narrow"
    AMEND = "amend"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"


TRANSITIONS: dict[tuple[State, Move], State] = {
    (State.REQUESTED, Move.GIVE): State.ACTIVE,
    (State.REQUESTED, Move.REFUSE): State.REFUSED,
    (State.ACTIVE, Move.NARROW): State.ACTIVE,
    (State.ACTIVE, Move.AMEND): State.ACTIVE,
    (State.ACTIVE, Move.WITHDRAW): State.WITHDRAWN,
    (State.PAUSED, Move.WITHDRAW): State.WITHDRAWN,
    (State.ACTIVE, Move.REVOKE): State.REVOKED,
    (State.PAUSED, Move.REVOKE): State.REVOKED,
}
"""Every legal move; what is not here is illegal."""

_WITHIN_TIME = frozenset({Move.GIVE, Move.NARROW, Move.AMEND})

ENDED = frozenset({State.REFUSED, State.WITHDRAWN, State.REVOKED, State.EXPIRED})
"""States nothing leaves."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One citizen's consent towards one client. `id` stays the same over all versions.

    `asked` is what the client asked, `terms` what is agreed now (for a refused one: what was refused).
    `text_hash` names the text as it was shown. Instants are epoch seconds.
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
        """Whether nothing can happen to this consent any more."""
        return self.state in ENDED


def move(consent: Consent, step: Move, at: int, *, terms: Terms | None = None) -> Consent:
    """The consent after `step` at the instant `at`; `terms` replace its terms; only `amend` adds.

    Raises MoveError `consent_move_illegal` (no such move in the table, or the end of the terms has passed),
    `consent_not_narrower` (`terms` ask for anything not in the present ones, or change nothing).
    """
    target = TRANSITIONS.get((consent.state, step))
    over = step in _WITHIN_TIME and at >= consent.terms.end_at
    if target is None or over:
        state = State.EXPIRED if over else consent.standing(at)
        raise MoveError("consent_move_illegal", move=step.value, state=state.value)
    if terms is not None and step is not Move.AMEND and not within(terms, consent.terms):
        raise MoveError("consent_not_narrower")
    if step is Move.NARROW and terms in (None, consent.terms):
        raise MoveError("consent_not_narrower")
    return replace(
        consent,
        state=target,
        version=consent.version + 1,
        terms=consent.terms if terms is None else terms,
        changed_at=at,
    )
