"""Asked, agreed, sent, missing and why: what a citizen sees of each item. Names only, never a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consent.records import Consent


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item in one transfer. `withheld` gives each field not sent its reason code.

    `outcome` is complete, empty, partial, refused or failed; `reason` and `article` say why when it is not
    complete. `at` is epoch seconds. `filtered` counts the rows the citizen's choice left out, by why; `rows`
    are the bounds of the rows that were agreed to. The recipient first fetched it at `received_at`.
    """

    consent_id: str
    transfer_id: str
    item: str
    asked: tuple[str, ...]
    sent: tuple[str, ...]
    withheld: Mapping[str, str] = field(default_factory=dict)
    records: int = 0
    outcome: str = "complete"
    reason: str | None = None
    article: str | None = None
    at: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, Any] = field(default_factory=dict)
    received_at: int | None = None


@dataclass(frozen=True, slots=True)
class ItemUse:
    """One item of a consent over its whole life, as it stands now.

    `asked`: what the client asked. `agreed`: what the citizen allows now; empty if the item was not chosen.
    `sent`: every field ever sent. `missing`: each asked field that the latest transfer did not bring, or no
    transfer could, with its reason: `not_chosen`, `not_sent_yet`, or the code the transfer gave. `transfers`:
    newest first.
    """

    item: str
    asked: tuple[str, ...]
    agreed: tuple[str, ...]
    sent: tuple[str, ...]
    missing: Mapping[str, str]
    records: int
    transfers: tuple[ItemOutcome, ...]


def of_consent(consent: Consent, outcomes: Iterable[ItemOutcome]) -> list[ItemUse]:
    """The use of every item that was asked, in the order asked; outcomes of other consents are left out."""
    mine = sorted((o for o in outcomes if o.consent_id == consent.id), key=lambda o: (-o.at, o.transfer_id))
    uses = []
    for asked in consent.asked.items:
        agreed = consent.terms.item(asked.name) if consent.state != "refused" else None
        done = tuple(o for o in mine if o.item == asked.name)
        fields = agreed.fields if agreed else ()
        uses.append(
            ItemUse(
                item=asked.name,
                asked=asked.fields,
                agreed=fields,
                sent=tuple(name for name in asked.fields if any(name in o.sent for o in done)),
                missing=_missing(asked.fields, fields, done[0] if done else None),
                records=sum(o.records for o in done),
                transfers=done,
            )
        )
    return uses


def _missing(asked: tuple[str, ...], agreed: tuple[str, ...], last: ItemOutcome | None) -> dict[str, str]:
    missing: dict[str, str] = {}
    for name in asked:
        if name not in agreed:
            missing[name] = "not_chosen"
        elif last is None:
            missing[name] = "not_sent_yet"
        elif name not in last.sent:
            missing[name] = last.withheld.get(name) or last.reason or last.outcome
    return missing
