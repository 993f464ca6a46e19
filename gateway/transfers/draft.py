"""The manifest of a transfer's bundle, before sealing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.contract import Holder
from consent.calendar import korean_day_of
from gateway.bundles.manifest import (
    ConsentRef,
    DecisionRef,
    Draft,
    Gap,
    Obligations,
    Recipient,
    Source,
    Subject,
)
from gateway.bundles.pseudonym import SCOPE
from gateway.policy.decision import Grant
from gateway.transfers.coverage import Coverage
from gateway.transfers.job import Job
from gateway.transfers.pull import Wanted
from gateway.transfers.treatment import TreatedItem, Treatment


@dataclass(frozen=True, slots=True)
class Issue:
    """Who seals, under which id, when."""

    issuer: str
    bundle_id: str
    at: datetime


def draft(
    issue: Issue,
    job: Job,
    treatment: Treatment,
    coverage: list[Coverage],
    holders: Mapping[str, Holder],
) -> Draft:
    """The honest account that will be signed."""
    order = {wanted.name: wanted for wanted in job.order(holders, int(issue.at.timestamp())).wanted}
    return Draft(
        id=issue.bundle_id,
        issuer=issue.issuer,
        created=issue.at.astimezone(UTC),
        recipient=Recipient(id=job.client.id, name=job.client.name),
        consent=ConsentRef(id=job.consent.id, version=job.consent.version, purpose=job.consent.terms.purpose),
        request_id=job.transfer.id,
        subject=Subject(
            pseudonym=treatment.subject.pseudonym, scope=SCOPE, epoch=treatment.subject.domain.epoch
        ),
        scope=tuple(one.scope() for one in coverage),
        sources=tuple(
            _source(grant, treatment.items[grant.item], holders, order[grant.item])
            for grant in job.granted
            if grant.item in treatment.items
        ),
        treatment=tuple(note for item in treatment.items.values() for note in item.plan.notes()),
        plan_hash=treatment.plan_hash,
        obligations=Obligations(delete_by=korean_day_of(job.retain_until)),
        decision=DecisionRef(id=job.decision.id, revision=job.decision.revision, engine=job.decision.engine),
        replaced=treatment.replaced,
        stamp=job.stamp,
    )


def _source(grant: Grant, item: TreatedItem, holders: Mapping[str, Holder], wanted: Wanted) -> Source:
    holder = holders.get(grant.holder)
    datasets = {d.id: d.standard for d in holder.manifest.datasets} if holder else {}
    pulled = item.pulled
    return Source(
        holder=grant.holder,
        dataset=grant.dataset,
        standard=datasets.get(grant.dataset, "unknown"),
        basis=grant.basis,
        article=grant.article,
        outcome=pulled.outcome.value,
        transaction_id=wanted.transaction_id,
        retrieved_at=pulled.ended,
        since=wanted.since,
        until=wanted.until,
        pages=pulled.pages,
        records=item.treated.records,
        unreadable=item.treated.unreadable,
        filtered=item.treated.filtered,
        gaps=tuple(Gap(reason=gap.reason.value) for gap in pulled.gaps),
        plan_hash=item.plan.hash,
        part=item.part.name if item.part else None,
    )
