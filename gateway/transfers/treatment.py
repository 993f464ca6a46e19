"""Treat what was pulled: per item, only what was granted, by the rules of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.runtime import Pulled
from consent.catalogue import Catalogue
from gateway.bundles.fields import TREATMENTS, TRUNCATIONS, DatasetRules, FieldRule
from gateway.bundles.plan import Plan, combined_hash, compile_plan
from gateway.bundles.pseudonym import Domain, SubjectKeys
from gateway.bundles.rows import judge
from gateway.bundles.seal import Part
from gateway.bundles.treat import Treated, treat
from gateway.policy.decision import Coarsen, Mask, Obligation
from gateway.transfers.chosen_rows import row_rule
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


def rules(
    catalogue: Catalogue,
    dataset_id: str,
    granted: tuple[str, ...],
    obligations: tuple[Obligation, ...] = (),
) -> DatasetRules:
    """The rules of a dataset with the fields that were granted, as strict as policy obliges."""
    owed = {o.field: o for o in obligations if isinstance(o, Mask | Coarsen) and o.dataset == dataset_id}
    fields = catalogue.dataset(dataset_id).fields.values()
    written = (FieldRule(f.id, f.treatment, f.parameter, f.kind) for f in fields)
    return DatasetRules(
        dataset=dataset_id,
        granted=granted,
        rules=tuple(stricter(rule, owed.get(rule.name)) for rule in written),
    )


def stricter(rule: FieldRule, owed: Mask | Coarsen | None) -> FieldRule:
    """`rule` as strict as policy obliges, never less strict; what cannot be treated so does not leave."""
    if owed is None or rule.treatment in {"suppress", "pseudonymise"}:
        return rule
    if isinstance(owed, Mask):
        fit = next((t for t in ("pseudonymise", "redact") if rule.kind in TREATMENTS[t]), "suppress")
        return replace(rule, treatment=fit, parameter=None)
    if rule.kind != "time":
        return replace(rule, treatment="suppress", parameter=None)
    if rule.treatment == "truncate" and TRUNCATIONS.index(str(rule.parameter)) >= TRUNCATIONS.index(owed.to):
        return rule
    return replace(rule, treatment="truncate", parameter=owed.to)


def treat_all(job: Job, pulled: Mapping[str, Pulled], catalogue: Catalogue, domain: Domain) -> Treatment:
    """Treat every granted item. CPU-bound: call it outside the event loop."""
    subject = domain.subject(job.key.pseudonym_salt())
    items = {}
    for grant in job.granted:
        if (one := pulled.get(grant.item)) is None:
            continue
        plan = compile_plan(rules(catalogue, grant.dataset, grant.fields, job.obligations))
        judged = judge(row_rule(job, grant.item, catalogue))
        treated = treat(plan, subject, (record.body for record in one.records), judged)
        part = (
            Part(f"{grant.holder}.{grant.dataset}.ndjson", NDJSON, treated.body) if treated.records else None
        )
        items[grant.item] = TreatedItem(one, plan, treated, part)
    return Treatment(subject, items)
