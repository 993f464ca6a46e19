"""The rows of the law: duties with the code and tests that meet them, and dated facts. Read once, whole."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources
from typing import TypeVar

import msgspec

from consent.catalogue.strict_yaml import read
from consent.errors import CatalogueError

_Shape = TypeVar("_Shape")


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One duty. `read` names its source; `code` is modules, their members, or files; `tests` functions."""

    id: str
    cite: str
    begins: date = msgspec.field(name="from")
    read: str
    ko: str
    en: str
    code: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether it was read in the law itself."""
        return self.read == "decree"


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dated fact. `sector` is `*` for all; `until` its last day, where known; `value` is for counting."""

    id: str
    sector: str
    article: str
    cite: dict[str, str]
    begins: date = msgspec.field(name="from")
    source: str
    verified: bool
    text: dict[str, str]
    until: date | None = None
    value: int | str | None = None

    def in_force(self, on: date) -> bool:
        """Whether it holds on the day `on`."""
        return self.begins <= on and (self.until is None or on <= self.until)


class _Duties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sources: dict[str, str]
    duties: tuple[Duty, ...]


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every fact by what it is about."""

    recipient_kinds: tuple[Fact, ...]
    ages: tuple[Fact, ...]
    cycles: tuple[Fact, ...]
    retention: tuple[Fact, ...]
    exclusions: tuple[Fact, ...]


class SelfCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the FSI self-check: whether it binds our own tokens too, and why or why not."""

    line: str
    en: str
    ko: str
    test: str
    ours: bool
    why: str
    own_tests: tuple[str, ...] = ()


@cache
def duties() -> tuple[Duty, ...]:
    """Every duty, in the order of the page."""
    return _shaped("duties.yaml", _Duties).duties


@cache
def sources() -> dict[str, str]:
    """Where duties were read, by the name they use."""
    return _shaped("duties.yaml", _Duties).sources


@cache
def facts() -> Facts:
    """Every fact."""
    return _shaped("facts.yaml", Facts)


@cache
def self_check() -> tuple[SelfCheck, ...]:
    """The sixteen lines."""
    return _shaped("self_check.yaml", tuple[SelfCheck, ...])


def _shaped(name: str, kind: type[_Shape]) -> _Shape:
    try:
        return msgspec.convert(read(resources.files("consent.law") / name), kind, strict=True)
    except msgspec.ValidationError as error:
        raise CatalogueError("catalogue_invalid", where=name, what=str(error)) from error
