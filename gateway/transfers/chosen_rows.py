"""Which rows of an item the citizen agreed to: the rule treatment goes by."""

from __future__ import annotations

from consent.accounts import reference
from consent.catalogue import Catalogue
from consent.rows import Filters
from gateway.bundles.rows import RowRule
from gateway.transfers.job import Job

NO_FIELD = "\x00"
"""A name no record has."""


def row_rule(job: Job, item_name: str, catalogue: Catalogue) -> RowRule:
    """The rule of one item of the job's consent; one that has no such item lets no row through."""
    item = job.consent.terms.item(item_name)
    if item is None:
        return RowRule(account=NO_FIELD)
    dataset, filters = catalogue.dataset(item.dataset), item.filters or Filters()
    kinds, bounded = filters.types, (filters.least, filters.most) != (None, None)
    return RowRule(
        account=_needed(dataset.account.field if dataset.account else None, item.accounts is not None),
        accounts=frozenset(item.accounts or ()),
        refer=lambda account: reference(job.key, job.consent.client_id, item.holder, account),
        kind=_needed(dataset.kinds.field if dataset.kinds else None, kinds is not None),
        kinds=frozenset(kinds or ()),
        amount=_needed(dataset.amount, bounded),
        least=filters.least,
        most=filters.most,
    )


def _needed(field: str | None, chosen: bool) -> str | None:
    """The field a choice is judged by; one the catalogue has no field for any more lets nothing through."""
    if not chosen:
        return None
    return field or NO_FIELD
