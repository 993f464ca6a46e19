"""Treat what was pulled: per item, only what was granted, by the rules of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.runtime import Pulled
from consent.catalogue import Catalogue
from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.plan import Plan, combined_hash, compile_plan
from gateway.bundles.pseudonym import Domain, SubjectKeys
from gateway.bundles.seal import Part
from gateway.bundles.treat import Treated, treat
from gateway.transfers.job import Job

NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class TreatedItem:
    """One granted item after treatment. `part` is None when there is nothing to send."""

    pulled: Pulled
    plan: Plan
    treated: Treated
    part: Part | None


@dataclass(frozen=True, slots=True)
class Treatment:
    """Everything of a bundle after treatment, by item name."""

    subject: SubjectKeys
    items: Mapping[str, TreatedItem]

    @property
    def parts(self) -> list[Part]:
        """The parts that will be sealed."""
        return [item.part for item in self.items.values() if item.part]

    @property
    def plan_hash(self) -> str:
        """One hash over the plans used."""
        return combined_hash(item.plan for item in self.items.values())

    @property
    def replaced(self) -> dict[str, int]:
        """How many identifiers were cut out of texts, by label."""
        total: Counter[str] = Counter()
        for item in self.items.values():
            total.update(item.treated.replaced)
        return dict(total)


def rules(catalogue: Catalogue, dataset_id: str, granted: tuple[str, ...]) -> DatasetRules:
    """The rules of a dataset with the fields that were granted."""
    fields = catalogue.dataset(dataset_id).fields.values()
    return DatasetRules(
        dataset=dataset_id,
        granted=granted,
        rules=tuple(FieldRule(f.id, f.treatment, f.parameter, f.kind) for f in fields),
    )


def treat_all(job: Job, pulled: Mapping[str, Pulled], catalogue: Catalogue, domain: Domain) -> Treatment:
    """Treat every granted item. CPU-bound: call it outside the event loop."""
    subject = domain.subject(job.key.pseudonym_salt())
    items = {}
    for grant in job.granted:
        if (one := pulled.get(grant.item)) is None:
            continue
        plan = compile_plan(rules(catalogue, grant.dataset, grant.fields))
        treated = treat(plan, subject, (record.body for record in one.records))
        part = (
            Part(f"{grant.holder}.{grant.dataset}.ndjson", NDJSON, treated.body) if treated.records else None
        )
        items[grant.item] = TreatedItem(one, plan, treated, part)
    return Treatment(subject, items)
