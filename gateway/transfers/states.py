"""The states of a transfer and the moves between them.

accepted ──> pulling ──> sealed ──> ready
    │           │           │          │
    └───────────┴───────────┴──────────┴──> cancelled   the consent ended or changed before delivery
                └──> failed                             nothing could be obtained or it cannot be sealed
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a transfer is."""

    ACCEPTED = "accepted"
    PULLING = "pulling"
    SEALED = "sealed"
    READY = "ready"
    CANCELLED = "cancelled"
    FAILED = "failed"


MOVES: dict[State, frozenset[State]] = {
    State.ACCEPTED: frozenset({State.PULLING, State.CANCELLED}),
    State.PULLING: frozenset({State.PULLING, State.SEALED, State.CANCELLED, State.FAILED}),
    State.SEALED: frozenset({State.READY, State.CANCELLED}),
    State.READY: frozenset({State.CANCELLED}),
    State.CANCELLED: frozenset(),
    State.FAILED: frozenset(),
}

UNFINISHED = (State.ACCEPTED, State.PULLING, State.SEALED)
