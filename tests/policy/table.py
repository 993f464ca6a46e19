"""The decision table: one base question, rows of patches (RFC 6902) and what each must lead to."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.policy.bundle import TABLE, default_folder
from gateway.policy.question import Question, parse

FILE = default_folder() / TABLE


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its question and what must come of it."""

    name: str
    document: dict[str, Any]
    want: dict[str, Any]

    @property
    def question(self) -> Question:
        """The question of this row."""
        return parse(json.dumps(self.document).encode())


@cache
def base() -> dict[str, Any]:
    """The question everything is granted on. Do not change it: `patched` copies."""
    document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["table"]["base"]
    return document


def question(*patch: dict[str, Any]) -> Question:
    """The base question, patched."""
    return parse(json.dumps(patched(base(), list(patch))).encode())


@cache
def rows() -> tuple[Row, ...]:
    """Every row."""
    raw = json.loads(FILE.read_text(encoding="utf-8"))["table"]["rows"]
    return tuple(Row(r["name"], patched(base(), r["patch"]), r["want"]) for r in raw)


def patched(document: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """A copy of `document` after add, replace and remove operations."""
    made = copy.deepcopy(document)
    for change in patch:
        *way, last = change["path"].split("/")[1:]
        place: Any = made
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        _change(place, last, change)
    return made


def _change(place: Any, last: str, change: dict[str, Any]) -> None:
    if isinstance(place, list):
        if change["op"] == "add" and last == "-":
            place.append(change["value"])
        elif change["op"] == "remove":
            del place[int(last)]
        else:
            place[int(last)] = change["value"]
    elif change["op"] == "remove":
        del place[last]
    else:
        place[last] = change["value"]
