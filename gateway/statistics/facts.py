"""What is counted, as values: the same from the records and from the ledger, so that one checks the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consent.records import Move, State

IN_FORCE = frozenset({State.ACTIVE, State.PAUSED})
NEW = frozenset({Move.GIVE, Move.AMEND, Move.RENEW})
ENDING = frozenset({Move.WITHDRAW, Move.REVOKE, Move.INVALIDATE})


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """One move of one consent at `at` (epoch seconds), and how it stood after it.

    `subject` is a random name, only told apart from others; None once the citizen's key is gone, and then
    `holders` may be unknown, too. `end_at` is 0 when unknown.
    """

    at: int
    consent: str
    version: int
    client: str
    move: Move
    state: State
    subject: str | None = None
    holders: tuple[str, ...] = ()
    end_at: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One dataset pulled from one holder: when it began (epoch seconds), how it ended, milliseconds."""

    at: int
    holder: str
    dataset: str
    kind: str
    code: str
    ms: int


@dataclass(frozen=True, slots=True, order=True)
class Sent:
    """One bundle released to a client at `at` (epoch seconds) for a citizen."""

    at: int
    client: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything counted. `moves` reach back to the first of each consent that may still be in force."""

    moves: tuple[Moved, ...]
    calls: tuple[Call, ...]
    sent: tuple[Sent, ...]

    @classmethod
    def of(cls, moves: Iterable[Moved], calls: Iterable[Call], sent: Iterable[Sent]) -> Facts:
        """The facts in one order, whatever order they were found in."""
        return cls(tuple(sorted(moves, key=_by_time)), tuple(sorted(calls)), tuple(sorted(sent, key=repr)))

    def in_force(self, at: int) -> list[Moved]:
        """How each consent stood just before `at`, for those in force then."""
        latest: dict[str, Moved] = {}
        for one in self.moves:
            if one.at < at:
                latest[one.consent] = one
        return [one for one in latest.values() if one.state in IN_FORCE and at <= one.end_at]


def _by_time(one: Moved) -> tuple[int, str, int]:
    return one.at, one.consent, one.version
