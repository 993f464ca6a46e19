"""The catalogue in memory: frozen, looked up by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from consent.calendar import Period
from consent.errors import CatalogueError

Words = Mapping[str, str]
"""A text by language: `ko` and `en`, both always there and never empty."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataset. `id` is the wire name of the holder's standard.

    `kind` is what its value is: direct, identifier, quasi, time, money, quantity, code or text (free text).
    `treatment` is what happens to it before it leaves: keep, pseudonymise, truncate (`parameter` hour, day or
    month), round (`parameter` is the step), redact (detectors remove identifiers from free text), suppress
    (never leaves). `sensitive` names why it needs a switch of its own: memo, merchant, purchase, health.
    """

    id: str
    name: Words
    kind: str
    treatment: str
    parameter: str | int | None
    sensitive: str | None

    @property
    def leaves(self) -> bool:
        """Whether any consent can ever let this field leave the gateway."""
        return self.treatment != "suppress"


@dataclass(frozen=True, slots=True)
class Accounts:
    """`field` names the account a row belongs to; `name` is what such an account is called."""

    field: str
    name: Words


@dataclass(frozen=True, slots=True)
class Kinds:
    """`field` says of what kind a row is; `values` are the kinds that can be chosen, in words."""

    field: str
    values: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What one holder of `sector` can be asked for as one item (전송 항목).

    `account`, `kinds` and `amount` (a field) say by what its rows can be chosen; None: they cannot be.
    """

    id: str
    sector: str
    name: Words
    about: Words
    fields: Mapping[str, Field]
    history_max: Period
    cycle_class: str
    account: Accounts | None = None
    kinds: Kinds | None = None
    amount: str | None = None

    @property
    def history_max_days(self) -> int:
        """The furthest look back in days, generous over leap years; the exact limit is `history_max`."""
        return self.history_max.most_days

    @property
    def sensitive(self) -> str | None:
        """Why the whole dataset needs its own switch (PIPA 23), when all that tells something is sensitive.

        Record identifiers leave only as pseudonyms and do not count.
        """
        telling = [f for f in self.fields.values() if f.leaves and f.kind != "identifier"]
        kinds = {f.sensitive for f in telling}
        return next(iter(kinds)) if len(kinds) == 1 else None

    def own_switch(self, field: str) -> bool:
        """Whether `field` is chosen by a switch of its own, apart from its item."""
        found = self.fields[field]
        return found.sensitive is not None and (self.sensitive is None or found.kind == "text")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What data may be asked for, and for how long at most.

    `youth` are the sectors somebody of 14 to 18 may agree to alone for it; none: it is for adults only.
    """

    id: str
    name: Words
    about: Words
    sectors: tuple[str, ...]
    max_period: Period
    max_retention: Period
    usual_frequency: str
    youth: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """Why data of `sector` may go to a third party, from which day.

    `basis` is `portability` (a statutory right to have it sent, 전송요구권) or `consent` (consent and a
    contract; no duty to send). `needs` names what must stand beside the citizen's yes: `contract`.
    `article` is the short name policy and manifests use, `cite` the article as people write it.
    `verified` says whether the text was read in the law itself. `recipients` are the kinds that may receive,
    `periodic` those that may on a cycle, `operators` what the one who carries it may be.
    """

    sector: str
    basis: str
    recipients: tuple[str, ...]
    periodic: tuple[str, ...]
    operators: tuple[str, ...]
    article: str
    cite: Words
    effective_from: date
    source: str
    verified: bool
    text: Words
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SelfDownload:
    """From which day citizens can have large holders hand the data to themselves, per sector."""

    sector: str
    article: str
    cite: Words
    effective_from: date
    source: str
    verified: bool
    text: Words


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can be asked for. Read once, never changed."""

    sectors: Mapping[str, Words]
    datasets: Mapping[str, Dataset]
    purposes: Mapping[str, Purpose]
    legal: tuple[LegalBasis, ...]
    downloads: tuple[SelfDownload, ...]

    def dataset(self, id: str) -> Dataset:
        """The dataset `id`; CatalogueError `item_not_in_catalogue` if there is none."""
        found = self.datasets.get(id)
        if found is None:
            raise CatalogueError("item_not_in_catalogue", dataset=id)
        return found

    def legal_basis(self, sector: str, on: date) -> LegalBasis:
        """The basis in force for sending `sector` data to a third party on the day `on`.

        The newest of the rows already in force. CatalogueError `no_legal_basis` if none is.
        """
        rows = [row for row in self.legal if row.sector == sector and row.effective_from <= on]
        if not rows:
            raise CatalogueError("no_legal_basis", sector=sector, on=on.isoformat())
        return max(rows, key=lambda row: row.effective_from)

    def self_download(self, sector: str, on: date) -> SelfDownload | None:
        """The duty in force on the day `on` to hand `sector` data to the citizen themself, if any."""
        rows = [row for row in self.downloads if row.sector == sector and row.effective_from <= on]
        return max(rows, key=lambda row: row.effective_from, default=None)
