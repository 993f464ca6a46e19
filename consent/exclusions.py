"""What a citizen's request for their own data does not reach (Decree 42-4(1)), and so what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from consent.catalogue import Catalogue
from consent.catalogue.strict_yaml import read
from consent.rights import AskedItem

REASONS = frozenset({"third_party", "trade_secret", "one_way"})
"""The three of the paragraph, in its order."""


@cache
def exclusions() -> Mapping[str, Mapping[str, str]]:
    """By dataset and field: why it is excluded. Raises ValueError for a reason the Decree does not know."""
    fields: dict[str, dict[str, str]] = read(resources.files("consent") / "exclusions.yaml")["fields"]
    if unknown := {why for one in fields.values() for why in one.values()} - REASONS:
        raise ValueError(f"exclusions.yaml: {sorted(unknown)[0]} is no reason of Decree 42-4(1)")
    return fields


def asked_item(catalogue: Catalogue, holder: str, dataset: str) -> AskedItem:
    """All that can be asked for oneself of one dataset of one holder; direct identifiers are one's own.

    Raises CatalogueError `item_not_in_catalogue`.
    """
    out = exclusions().get(dataset, {})
    fields = catalogue.dataset(dataset).fields
    kept = tuple(name for name in fields if name not in out)
    return AskedItem(holder, dataset, kept, {name: out[name] for name in fields if name in out})
