"""By what the rows of a dataset can be chosen: the field of the account, of the kind, of the amount."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from consent.catalogue.model import Accounts, Field, Kinds
from consent.catalogue.schema import DatasetEntry
from consent.catalogue.words import both_languages, wrong

_MOST_KINDS = 20


def account(where: str, entry: DatasetEntry, fields: Mapping[str, Field]) -> Accounts | None:
    """What names the account; it must be an identifier, so that it leaves as a pseudonym only."""
    if entry.account is None:
        return None
    found, here = entry.account, f"{where}.account"
    _known(here, found.field, fields, "identifier")
    return Accounts(found.field, both_languages(here, {"ko": found.ko, "en": found.en}))


def kinds(where: str, entry: DatasetEntry, fields: Mapping[str, Field]) -> Kinds | None:
    """The kinds of rows; their field must be a code."""
    if entry.kinds is None:
        return None
    found, here = entry.kinds, f"{where}.kinds"
    _known(here, found.field, fields, "code")
    if not 1 < len(found.values) <= _MOST_KINDS:
        raise wrong(here, f"there must be 2 to {_MOST_KINDS} kinds to choose from")
    values = {value: both_languages(f"{here}.{value}", said) for value, said in found.values.items()}
    return Kinds(found.field, MappingProxyType(values))


def amount(where: str, entry: DatasetEntry, fields: Mapping[str, Field]) -> str | None:
    """The field of the amount; it must be money."""
    if entry.amount is not None:
        _known(f"{where}.amount", entry.amount, fields, "money")
    return entry.amount


def _known(where: str, name: str, fields: Mapping[str, Field], kind: str) -> None:
    if name not in fields or fields[name].kind != kind:
        raise wrong(where, f"'{name}' is not a field of class {kind}")
