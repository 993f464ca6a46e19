"""The fixed words of the consent text, from text.yaml, and how dates and lengths of time are said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources

from consent.calendar import Period
from consent.catalogue.strict_yaml import read


@cache
def words(language: str) -> Mapping[str, str]:
    """The words of `language` (ko or en) by name; KeyError for another language."""
    both: dict[str, dict[str, str]] = read(resources.files("consent") / "text.yaml")
    return both[language]


def treatment(kind: str, parameter: str | int | None, language: str) -> str:
    """What is done to a field before it leaves, in words; empty when it is sent as it is."""
    name = f"{kind}_{parameter}" if kind == "truncate" else kind
    step = f"{parameter:,}" if isinstance(parameter, int) else ""
    return words(language).get(name, "").format(step=step)


def said_date(day: date, language: str) -> str:
    """A date as people write it."""
    say = words(language)
    month = say["month_names"].split()[day.month - 1]
    return say["date"].format(year=day.year, month=month, day=day.day)


def said_period(text: str, language: str) -> str:
    """A length of time in words: `P90D` is 90일, 90 days."""
    length, said = Period.parse(text), []
    for name in ("years", "months", "days"):
        if count := getattr(length, name):
            form = words(language)[name].replace("(s)", "" if count == 1 else "s")
            said.append(form.format(count=count))
    return " ".join(said)
