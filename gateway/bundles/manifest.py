"""What a bundle says about itself: who asked for what, what was sent, what is missing and why, what was done.

Frozen records and the checks that keep them honest; `document` gives the plain JSON that is signed. Names
of fields, holders and codes only: no value of any record. Members that are None are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from gateway.bundles.errors import ManifestError

BASES = ("consent", "portability")
"""PIPA 28-2 data (statistics, research, archiving; no consent) never shares a bundle with these."""
OUTCOMES = ("complete", "empty", "partial", "refused", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who the bundle is for: the client id and its name by language."""

    id: str
    name: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRef:
    """The consent and version it rests on; `receipt_hash` is `sha256:` of the citizen's receipt."""

    id: str
    version: int
    purpose: str
    receipt_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The citizen, as this recipient may know them in this epoch."""

    pseudonym: str
    scope: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A field asked for and not sent: the reason code, and the article when law or rule is the reason."""

    field: str
    reason: str
    article: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScope:
    """One item (`HOLDER/DATASET`): fields asked ⊇ consented ⊇ sent, and why each other one is missing."""

    item: str
    required: bool
    asked: tuple[str, ...]
    consented: tuple[str, ...]
    sent: tuple[str, ...]
    withheld: tuple[Withheld, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A known hole in a source; `at` names where (a page, a period) without any value."""

    reason: str
    at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One holder and dataset: on which legal basis, how it was pulled, how it ended, and which part holds it.

    `since` and `until` bound the history asked for. `records` counts what is in the part, `unreadable` what
    was dropped, by cause, `filtered` what the citizen's choice of rows left out, by reason; None without
    such a choice. `part` is None when nothing was sent.
    """

    holder: str
    dataset: str
    standard: str
    basis: str
    article: str
    outcome: str
    transaction_id: str | None = None
    retrieved_at: datetime | None = None
    since: date | None = None
    until: date | None = None
    pages: int = 0
    records: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    filtered: Mapping[str, int] | None = None
    gaps: tuple[Gap, ...] = ()
    plan_hash: str | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentNote:
    """What was done to one field, and who could undo it (`none` or `gateway`)."""

    dataset: str
    field: str
    technique: str
    parameter: str | int | None
    scope: str | None
    reversible_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligations:
    """What the recipient owes. `others` are further codes of the policy decision."""

    delete_by: date
    no_reidentification: bool = True
    no_onward: bool = True
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRef:
    """The policy decision that let the bundle out: replayable by its id."""

    id: str
    revision: str
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A manifest before sealing. `stamp` is `sandbox` unless the operator's designation is recorded."""

    id: str
    issuer: str
    created: datetime
    recipient: Recipient
    consent: ConsentRef
    request_id: str
    subject: Subject
    scope: tuple[ItemScope, ...]
    sources: tuple[Source, ...]
    treatment: tuple[TreatmentNote, ...]
    plan_hash: str
    obligations: Obligations
    decision: DecisionRef
    replaced: Mapping[str, int] = field(default_factory=dict)
    stamp: str | None = "sandbox"


def document(draft: Draft) -> dict[str, Any]:
    """The draft as plain JSON values with its counts; ManifestError when it would not be honest."""
    _check(draft)
    once = dataclasses.replace(draft, treatment=tuple(dict.fromkeys(draft.treatment)))
    plain: dict[str, Any] = _plain(once)
    replaced = plain.pop("replaced")
    plain["format"] = "mdb/1"
    plain["risk"] = {
        "records": sum(source.records for source in draft.sources),
        "suppressed": sum(sum(source.unreadable.values()) for source in draft.sources),
        "replaced_in_text": replaced,
    }
    return plain


def _check(draft: Draft) -> None:
    for source in draft.sources:
        if source.basis not in BASES:
            raise ManifestError("manifest_basis_mixed", holder=source.holder, basis=source.basis)
        if source.outcome not in OUTCOMES or (source.part is None and source.records):
            raise ManifestError("manifest_source_invalid", holder=source.holder, dataset=source.dataset)
    items = [scope.item for scope in draft.scope]
    sources = [f"{source.holder}/{source.dataset}" for source in draft.sources]
    for name in (*items, *sources):
        if items.count(name) != 1 or sources.count(name) > 1:
            raise ManifestError("manifest_item_unmatched", item=name)
    for scope in draft.scope:
        _check_scope(scope)
    if draft.created.tzinfo is None:
        raise ManifestError("manifest_time_invalid")


def _check_scope(scope: ItemScope) -> None:
    """Everything asked for is either sent or withheld with a reason; nothing else is sent."""
    missing = sorted(set(scope.asked) - set(scope.sent))
    nested = set(scope.asked) >= set(scope.consented) >= set(scope.sent)
    if not nested or sorted(entry.field for entry in scope.withheld) != missing:
        raise ManifestError("manifest_coverage_wrong", item=scope.item)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        members = ((one.name, getattr(value, one.name)) for one in dataclasses.fields(value))
        return {name: _plain(inner) for name, inner in members if inner is not None}
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name]) for name in sorted(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
