"""The controls of a form as the page shows them: boxes to tick, lists to choose one from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One box the citizen may tick. `anchor` is unique on the page."""

    value: str
    anchor: str
    label: str
    about: str
    chosen: bool


@dataclass(frozen=True)
class Option:
    """One line of a list to choose one from."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Select:
    """A list to choose one from."""

    name: str
    anchor: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class AccountsView:
    """The accounts of one item: boxes, those that cannot be chosen with why, or why there is no list."""

    legend: str
    about: str
    boxes: tuple[Switch, ...] = ()
    blocked: tuple[tuple[str, str], ...] = ()
