"""The shape of the catalogue files, member by member; anything else in a file is refused."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

Kind = Literal["direct", "identifier", "quasi", "time", "money", "quantity", "code", "text"]
"""What a value is; `direct` names a person, `quasi` helps to guess one, `text` is free text."""

PLAIN_TREATMENTS = ("keep", "pseudonymise", "redact", "suppress")


class FieldEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field; `class` says what its value is."""

    ko: str
    en: str
    kind: Kind = msgspec.field(name="class")
    treatment: str | dict[str, str | int]
    sensitive: Literal["memo", "merchant", "purchase", "health"] | None = None


class AccountEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which field names the account a row belongs to, and what such an account is called."""

    field: str
    ko: str
    en: str


class KindsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which field says of what kind a row is, and the kinds that can be chosen, in words."""

    field: str
    values: dict[str, dict[str, str]]


class DatasetEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dataset; `cycle_class` is basic (기본, slow-changing) or additional (추가).

    `account`, `kinds` and `amount` (a field) say by what rows can be chosen, where they can.
    """

    name: dict[str, str]
    about: dict[str, str]
    cycle_class: Literal["basic", "additional"]
    history_max: str
    fields: dict[str, Any]
    account: AccountEntry | None = None
    kinds: KindsEntry | None = None
    amount: str | None = None


class SectorFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sector and its datasets."""

    sector: str
    name: dict[str, str]
    datasets: dict[str, Any]


class PurposeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One purpose and its upper limits."""

    name: dict[str, str]
    about: dict[str, str]
    sectors: list[str]
    max_period: str
    max_retention: str
    usual_frequency: str
    youth: list[str] = []


Recipient = Literal["licensed_operator", "general", "specialised", "special", "contract"]
"""What a recipient is in law; `general` (일반수신자) never receives on a cycle."""


class BasisEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dated row of why a sector's data may go to a third party, and to which kinds of recipient."""

    sector: str
    basis: Literal["portability", "consent"]
    recipients: tuple[Recipient, ...]
    periodic: tuple[Recipient, ...]
    operators: tuple[Literal["sandbox", "designated_intermediary", "processor"], ...]
    article: str
    cite: dict[str, str]
    effective_from: date
    source: str
    verified: bool
    text: dict[str, str]
    needs: tuple[Literal["contract"], ...] = ()


class DownloadEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dated row of the duty to hand data to the citizen themself."""

    sector: str
    article: str
    cite: dict[str, str]
    effective_from: date
    source: str
    verified: bool
    text: dict[str, str]


class LegalFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both tables."""

    third_party: list[Any]
    self_download: list[Any]
