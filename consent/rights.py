"""The portability request (전송요구) as a value, and the only moves it can make. Pure: no clock, no storage.

    (nothing) ── ask ──> asked ── begin ──> pulling ── deliver ──> ready ── fetch ──> fetched
                           │  └─ refuse       ├─ refuse, fail        └─ add, end ──────┴─ add, end
                           └─ cancel, delay   └─ cancel, delay       (cancel from everywhere it is not over)

A request to a third party (제3자전송요구) is made with the consent itself and carried out by transfers, which
keep their own records; a request to oneself (본인전송요구) moves as above. `delay` says why it takes longer
than it should (Decree 42-6(1)); `add` hands over what a delay had held back. Every move raises the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from consent.errors import MoveError
from consent.refusal_grounds import Ground
from consent.subjects import SubjectId

SELF = "self"
"""Who receives when a citizen asks for their own data; no client may ever have this id."""
OWN_USE = "own-use"
"""The purpose of a request to oneself when the citizen names no other (Decree 42-5(1))."""


class Kind(StrEnum):
    """To whom the data goes. Stored; never rename."""

    SELF = "self"
    THIRD_PARTY = "third_party"


class State(StrEnum):
    """How a request to oneself stands. Stored; never rename."""

    ASKED = "asked"
    PULLING = "pulling"
    READY = "ready"
    FETCHED = "fetched"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OVER = "over"


class Move(StrEnum):
    """What can be done to a request to oneself. Named in the ledger; never rename."""

    ASK = "ask"
    BEGIN = "begin"
    DELAY = "delay"
    DELIVER = "deliver"
    ADD = "add"
    FETCH = "fetch"
    REFUSE = "refuse"
    FAIL = "fail"
    CANCEL = "cancel"
    END = "end"


TRANSITIONS: dict[tuple[State, Move], State] = {
    (State.ASKED, Move.BEGIN): State.PULLING,
    (State.ASKED, Move.DELAY): State.ASKED,
    (State.ASKED, Move.REFUSE): State.REFUSED,
    (State.ASKED, Move.CANCEL): State.CANCELLED,
    (State.PULLING, Move.DELAY): State.PULLING,
    (State.PULLING, Move.DELIVER): State.READY,
    (State.PULLING, Move.REFUSE): State.REFUSED,
    (State.PULLING, Move.FAIL): State.FAILED,
    (State.PULLING, Move.CANCEL): State.CANCELLED,
    (State.READY, Move.ADD): State.READY,
    (State.READY, Move.FETCH): State.FETCHED,
    (State.READY, Move.CANCEL): State.CANCELLED,
    (State.READY, Move.END): State.OVER,
    (State.FETCHED, Move.ADD): State.READY,
    (State.FETCHED, Move.CANCEL): State.CANCELLED,
    (State.FETCHED, Move.END): State.OVER,
}
"""Every legal move; what is not here is illegal."""

ENDED = frozenset({State.REFUSED, State.FAILED, State.CANCELLED, State.OVER})
"""States nothing leaves; nothing of the data is kept in them."""
UNDER_WAY = frozenset({State.ASKED, State.PULLING})
HELD = frozenset({State.READY, State.FETCHED})
"""States in which the citizen can have the file."""


@dataclass(frozen=True, slots=True)
class AskedItem:
    """One dataset of one holder asked for. `excluded` gives each field that no request reaches its reason.

    The reasons are those of Decree 42-4(1): `third_party`, `trade_secret`, `one_way`.
    """

    holder: str
    dataset: str
    fields: tuple[str, ...]
    excluded: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`HOLDER/DATASET`."""
        return f"{self.holder}/{self.dataset}"


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one item of a request to oneself: names and counts, never a value.

    `outcome` is pending, complete, empty, partial, refused or failed; `at` when it was last tried.
    """

    item: str
    outcome: str
    records: int = 0
    reason: str | None = None
    ground: Ground | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks for the citizen (대리인): their role, and the method agreed with the holder (42-5(2))."""

    role: str
    method: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The policy decision a request rests on. `obligations` are their types."""

    id: str
    revision: str
    obligations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SelfRequest:
    """One request of a citizen for their own data. Instants are epoch seconds.

    `verification` says how the citizen proved who they are; `end_at` is when holders stop answering under
    it, `held_until` when the file goes. `ground` is None for a refusal the Decree names no ground for.
    """

    id: str
    subject: SubjectId
    state: State
    version: int
    verification: str
    purpose: str
    items: tuple[AskedItem, ...]
    history_from: date | None
    asked_at: int
    changed_at: int
    end_at: int
    decided: Decided
    agent: Agent | None = None
    received: tuple[Received, ...] = ()
    reason: str | None = None
    ground: Ground | None = None
    told_at: int | None = None
    delayed_at: int | None = None
    delay_reason: str | None = None
    solved_at: int | None = None
    ready_at: int | None = None
    fetched_at: int | None = None
    held_until: int | None = None

    @property
    def pending(self) -> tuple[str, ...]:
        """Items that are still to come, by name."""
        done = {one.item for one in self.received if one.outcome != "pending"}
        return tuple(item.name for item in self.items if item.name not in done)

    @property
    def holders(self) -> tuple[str, ...]:
        """The holders asked, each once."""
        return tuple(dict.fromkeys(item.holder for item in self.items))


def move(request: SelfRequest, step: Move, at: int, **values: object) -> SelfRequest:
    """The request after `step` at the instant `at`, with `values` in place of its own.

    Raises MoveError `right_move_illegal` for a move that is not in the table, or after the file's time.
    """
    target = TRANSITIONS.get((request.state, step))
    late = request.held_until is not None and at >= request.held_until and step in (Move.ADD, Move.FETCH)
    if target is None or late:
        raise MoveError("right_move_illegal", move=step.value, state=request.state.value)
    changed: dict[str, object] = {"state": target, "version": request.version + 1, "changed_at": at}
    return replace(request, **{**changed, **values})  # type: ignore[arg-type]  # fields of the record
