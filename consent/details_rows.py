"""Which rows a client asks for: kinds and amounts, where the catalogue lets rows be chosen by them.

Accounts are never asked for: a client cannot know them, and which of them to send is the citizen's to say.
"""

from __future__ import annotations

from typing import Any

from consent.catalogue import Dataset
from consent.errors import TermsError
from consent.rows import Filters, filters_of


def asked_filters(where: str, entry: dict[str, Any], dataset: Dataset) -> Filters | None:
    """The filter of one item of a request, of the schema's shape. Raises TermsError.

    `accounts_not_askable`, `filter_not_offered` (the dataset has no kinds or no amount),
    `filter_type_unknown`, `filter_empty` (nothing could pass).
    """
    if "accounts" in entry:
        raise TermsError("accounts_not_askable", where=f"{where}.accounts")
    raw, where = entry.get("filters"), f"{where}.filters"
    if raw is None:
        return None
    if "types" in raw and dataset.kinds is None:
        raise TermsError("filter_not_offered", where=f"{where}.types", dataset=dataset.id)
    for place, value in enumerate(raw.get("types", ())):
        if dataset.kinds is not None and value not in dataset.kinds.values:
            raise TermsError("filter_type_unknown", where=f"{where}.types[{place}]", dataset=dataset.id)
    for member in ("amount_from", "amount_to"):
        if member in raw and dataset.amount is None:
            raise TermsError("filter_not_offered", where=f"{where}.{member}", dataset=dataset.id)
    found = filters_of(raw)
    if found is not None and found.empty:
        raise TermsError("filter_empty", where=where, dataset=dataset.id)
    return found
