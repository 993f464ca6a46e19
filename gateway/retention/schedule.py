"""The schedule of retention as data: one rule a table, read once and checked whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import ceil

from consent.catalogue.strict_yaml import read

_SPAN = re.compile(r"P(?:(\d+)Y)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Law:
    """The duty a rule follows; `verified` says whether it was read in the law itself."""

    article: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """What ends the rows of one table. Either `job` ends them, `span` after `ends`, or they are kept."""

    table: str
    ends: str
    why: str
    kept: str = ""
    span: str = ""
    job: str = ""
    then: str = ""
    law: Law | None = None

    @property
    def seconds(self) -> int:
        """`span` in seconds; a year is long enough for any year of a calendar."""
        return seconds(self.span)


def seconds(span: str) -> int:
    """The seconds of an ISO 8601 duration of years, days, hours, minutes, seconds; ValueError for another."""
    found = _SPAN.fullmatch(span)
    if found is None or not any(found.groups()):
        raise ValueError(f"{span!r} is no duration of the schedule")
    years, days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return (ceil(years * 365.25) + days) * _DAY + hours * 3600 + minutes * 60 + rest


@cache
def schedule() -> dict[str, Rule]:
    """Every rule by its table. Raises ValueError naming a rule that is neither kept nor ended."""
    raw = read(resources.files("gateway.retention") / "schedule.yaml")
    laws = {name: Law(**law) for name, law in raw["laws"].items()}
    rules = {}
    for table, fields in raw["tables"].items():
        law = laws[fields.pop("law")] if "law" in fields else None
        rule = Rule(table=table, law=law, **{"ends": "", **fields})
        if bool(rule.kept) == bool(rule.job) or bool(rule.job) != bool(rule.span and rule.then and rule.ends):
            raise ValueError(f"{table} must either be kept, or end by a job after a span")
        rules[table] = rule
    return rules


def due(table: str, now: int) -> int:
    """What ended at or before this moment goes now."""
    return now - schedule()[table].seconds
