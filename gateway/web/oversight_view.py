"""Decisions, replays and what-ifs as the pages of /oversight say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from consent.calendar import korean_day_of
from gateway.errors import Language
from gateway.policy.memory import Again
from gateway.policy.recorded import Line
from gateway.web import phrases
from gateway.web.oversight_query import DECISIONS
from gateway.web.words import words

_SECTORS = ("finance", "telecom", "energy", "retail", "medical")


@dataclass(frozen=True, slots=True)
class LineView:
    """One decision of the list."""

    href: str
    when: str
    client: str
    answer: str
    codes: str
    revision: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """One decision and what came of making it again."""

    line: LineView
    outcome: str
    about: str
    engine: str
    codes: tuple[str, ...]
    granted: tuple[str, ...]
    withheld: tuple[str, ...]
    obligations: str
    recorded: str
    again: str | None
    differs: str


@dataclass(frozen=True, slots=True)
class WeekView:
    """What another policy would have decided in one week; each change in a sentence."""

    span: str
    numbers: str
    decisions: tuple[str, ...]
    items: tuple[str, ...]
    conditions: str | None


def line_view(line: Line, spoken: Language) -> LineView:
    """A line of the list."""
    t = words(spoken)
    answer = "unavailable" if not line.available else "allowed" if line.allow else "denied"
    return LineView(
        href=f"{DECISIONS}/{line.id}",
        when=phrases.moment(line.at, spoken),
        client=line.client_id,
        answer=t(f"oversight.{answer}"),
        codes=", ".join(line.codes),
        revision=short(line.revision),
    )


def replay_view(again: Again, spoken: Language) -> ReplayView:
    """A replay."""
    t, told = words(spoken), again.recorded
    return ReplayView(
        line=line_view(again.line, spoken),
        outcome=t(f"oversight.outcome_{again.outcome}"),
        about=t(f"oversight.about_{again.outcome}"),
        engine=again.line.engine,
        codes=tuple(_with_article(code, article) for code, article in told.codes),
        granted=tuple(
            t("oversight.items", sector=sector_name(name, spoken), count=count)
            for name, count in told.granted
        ),
        withheld=tuple(
            t("oversight.items", sector=sector_name(one.sector, spoken), count=one.items)
            + f" · {_with_article(one.code, one.article)}"
            for one in told.withheld
        ),
        obligations=", ".join(told.obligations),
        recorded=again.recorded_sha256,
        again=again.again_sha256,
        differs=", ".join(again.differs),
    )


def week_view(week: Mapping[str, Any], spoken: Language) -> WeekView:
    """One week of a what-if."""
    t = words(spoken)
    first = korean_day_of(week["from"])
    names = ("looked_at", "erased", "unreadable", "failed")
    conditions = week["obligations_only"]
    return WeekView(
        span=_span(first, spoken),
        numbers=t("oversight.numbers", **{name: told(week[name], spoken) for name in names}),
        decisions=tuple(_change(cell, spoken) for cell in week["decisions"]),
        items=tuple(
            f"{sector_name(cell['sector'], spoken)} · {_change(cell, spoken)}" for cell in week["items"]
        ),
        conditions=t("oversight.conditions", count=told(conditions, spoken)) if conditions else None,
    )


def told(count: int | str, spoken: Language) -> str:
    """A number of a what-if in words: fewer than five, none, or in steps of five."""
    t = words(spoken)
    if isinstance(count, str):
        return t("oversight.few")
    return str(count) if count == 0 else t("oversight.at_least", count=count)


def short(revision: str) -> str:
    """A revision as a person compares it."""
    return revision.removeprefix("sha256:")[:12]


def sector_name(sector: str, spoken: Language) -> str:
    """A sector in words; one that was added later by its id."""
    return words(spoken)(f"oversight.sector_{sector}") if sector in _SECTORS else sector


def _span(first: date, spoken: Language) -> str:
    return f"{phrases.day(first, spoken)} - {phrases.day(first + timedelta(days=6), spoken)}"


def _change(cell: Mapping[str, Any], spoken: Language) -> str:
    counts = {"count": told(cell["count"], spoken), "citizens": told(cell["citizens"], spoken)}
    return words(spoken)("oversight.change", was=cell["was"], would_be=cell["would_be"], **counts)


def _with_article(code: str, article: str) -> str:
    return f"{code} ({article})" if article else code
