"""The decision table a policy carries: what it promises, row by row. Tests read it, and a start tries it.

One base question, rows of patches (RFC 6902 add, replace, remove) and what each must lead to.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gateway.policy.bundle import TABLE, PolicyBundle
from gateway.policy.decision import Decision
from gateway.policy.errors import BundleInvalid
from gateway.policy.question import Question, parse


@dataclass(frozen=True)
class Row:
    """One row: its question and what must come of it. `canary` rows are tried before a policy is in force."""

    name: str
    document: dict[str, Any]
    want: dict[str, Any]
    canary: bool = False

    @cached_property
    def question(self) -> Question:
        """The question of this row; raises QuestionInvalid."""
        return parse(json.dumps(self.document).encode())

    def kept_by(self, decision: Decision) -> bool:
        """Whether a decision is what the row promises: allow, codes, and every reason an item stays for."""
        stays: dict[str, set[str]] = defaultdict(set)
        for one in decision.withheld:
            stays[one.item].add(one.code)
        wanted = {item: set(codes) for item, codes in self.want.get("withheld", {}).items()}
        codes = {reason.code for reason in decision.codes}
        return (
            decision.available
            and decision.allow is self.want["allow"]
            and codes == set(self.want.get("codes", []))
            and (not decision.allow or stays == wanted)
        )


def read(text: bytes) -> tuple[Row, ...]:
    """Every row of a table; raises BundleInvalid when it is none."""
    try:
        table = json.loads(text)["table"]
        base = table["base"]
        return tuple(
            Row(row["name"], patched(base, row["patch"]), row["want"], bool(row.get("canary", False)))
            for row in table["rows"]
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BundleInvalid(f"{TABLE}: no decision table: {error!r}") from error


def of(bundle: PolicyBundle) -> tuple[Row, ...]:
    """The rows a policy carries; raises BundleInvalid when it carries none."""
    if TABLE not in bundle.files:
        raise BundleInvalid(f"{TABLE}: the policy carries no decision table")
    return read(bundle.files[TABLE])


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
