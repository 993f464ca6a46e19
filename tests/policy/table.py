"""The decision table of this repository's policy, as tests read it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from gateway.policy.bundle import TABLE, default_folder
from gateway.policy.decision_table import Row, patched, read
from gateway.policy.question import Question, parse

__all__ = ["Row", "base", "changed", "patched", "question", "rows"]

FILE = default_folder() / TABLE


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
    return read(FILE.read_bytes())


@cache
def changed() -> dict[str, frozenset[str]]:
    """What each row changes of the base question: the paths of its patch, by the row's name."""
    table = json.loads(FILE.read_text(encoding="utf-8"))["table"]
    return {row["name"]: frozenset(one["path"] for one in row["patch"]) for row in table["rows"]}
