"""Asked, consented, sent, missing and why, for each item: the same account for manifest and citizen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.contract import Outcome
from consent.items import Item, row_details
from consent.usage import ItemOutcome
from gateway.bundles.manifest import ItemScope, Withheld
from gateway.transfers.job import Job
from gateway.transfers.treatment import TreatedItem, Treatment

NOT_CHOSEN = "not_chosen"
NO_RECORDS = "no_records"
FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of one asked item. `withheld` gives each asked field not sent its code and article.

    `gap` is why records are missing although the fields were sent.
    """

    item: str
    required: bool
    asked: tuple[str, ...]
    consented: tuple[str, ...]
    sent: tuple[str, ...]
    withheld: Mapping[str, tuple[str, str | None]]
    records: int
    outcome: str
    gap: str | None = None
    filtered: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, Any] = field(default_factory=dict)
    """The bounds of the rows that were agreed to, as `authorization_details` name them."""

    def scope(self) -> ItemScope:
        """This account as the manifest tells it."""
        return ItemScope(
            item=self.item,
            required=self.required,
            asked=self.asked,
            consented=self.consented,
            sent=self.sent,
            withheld=tuple(
                Withheld(field=name, reason=code, article=article)
                for name, (code, article) in self.withheld.items()
            ),
        )

    def record(self, job: Job, at: int) -> ItemOutcome:
        """This account as the citizen's page tells it."""
        missing = [self.withheld[name] for name in self.consented if name in self.withheld]
        reason, article = (self.gap, None) if self.outcome == "partial" else (None, None)
        if missing and self.outcome not in {"complete", "partial"}:
            reason, article = missing[0]
        return ItemOutcome(
            consent_id=job.consent.id,
            transfer_id=job.transfer.id,
            item=self.item,
            asked=self.asked,
            sent=self.sent,
            withheld={name: code for name, (code, _) in self.withheld.items()},
            records=self.records,
            outcome=self.outcome,
            reason=reason,
            article=article,
            at=at,
            filtered=self.filtered,
            rows=self.rows,
        )


def cover(job: Job, treatment: Treatment) -> list[Coverage]:
    """The account of every item that was asked, in the order asked."""
    return [_cover(item, job, treatment.items.get(item.name)) for item in job.consent.asked.items]


def _cover(asked: Item, job: Job, treated: TreatedItem | None) -> Coverage:
    agreed = job.consent.terms.item(asked.name)
    consented = agreed.fields if agreed else ()
    sent = _sent(asked, treated)
    withheld = {name: _why(name, asked, consented, job, treated) for name in asked.fields if name not in sent}
    return Coverage(
        item=asked.name,
        required=asked.required,
        asked=asked.fields,
        consented=consented,
        sent=sent,
        withheld=withheld,
        records=treated.treated.records if treated else 0,
        outcome=_outcome(treated),
        gap=_gap(treated),
        filtered=(treated.treated.filtered or {}) if treated else {},
        rows=row_details(agreed) if agreed else {},
    )


def _sent(asked: Item, treated: TreatedItem | None) -> tuple[str, ...]:
    if treated is None or treated.part is None:
        return ()
    leaving = {rule.name for rule in treated.plan.rules}
    return tuple(name for name in asked.fields if name in leaving)


def _gap(treated: TreatedItem | None) -> str | None:
    if treated is None:
        return None
    if treated.pulled.gaps:
        return treated.pulled.gaps[0].reason.value
    return "unreadable" if treated.treated.unreadable else None


def _outcome(treated: TreatedItem | None) -> str:
    if treated is None:
        return "refused"
    if treated.pulled.outcome is Outcome.COMPLETE and treated.treated.filtered and not treated.part:
        return "empty"
    if treated.pulled.outcome is Outcome.COMPLETE and treated.treated.unreadable:
        return "partial" if treated.treated.records else "failed"
    return treated.pulled.outcome.value


def _why(
    name: str, asked: Item, consented: tuple[str, ...], job: Job, treated: TreatedItem | None
) -> tuple[str, str | None]:
    """The nearest reason why a field is missing: the citizen's choice, the policy, the holder, no records."""
    if name not in consented:
        return NOT_CHOSEN, None
    if treated is None:
        why = next((w for w in job.withheld if w.item == asked.name), None)
        return (why.code, why.article) if why else ("not_asked_now", None)
    if treated.pulled.gaps:
        return treated.pulled.gaps[0].reason.value, None
    if treated.treated.unreadable:
        return "unreadable", None
    return (FILTERED if treated.treated.filtered else NO_RECORDS), None
