"""Names of items and fields as people know them; ids only where the catalogue no longer knows one."""

from __future__ import annotations

from collections.abc import Iterable

from consent.items import Item
from gateway.errors import Language
from gateway.web.site import Site


def holder_name(site: Site, holder: str, language: Language) -> str:
    """`한빛은행`."""
    known = site.holders.get(holder)
    return known.name[language] if known else holder


def dataset_name(site: Site, dataset: str, language: Language) -> str:
    """`입출금 내역`."""
    known = site.catalogue.datasets.get(dataset)
    return known.name[language] if known else dataset


def item_name(site: Site, item: Item, language: Language) -> str:
    """`한빛은행 입출금 내역`."""
    return f"{holder_name(site, item.holder, language)} {dataset_name(site, item.dataset, language)}"


def field_names(site: Site, dataset: str, fields: Iterable[str], language: Language) -> str:
    """`거래 일시, 거래 금액`."""
    known = site.catalogue.datasets.get(dataset)
    found = known.fields if known else {}
    return ", ".join(found[name].name[language] if name in found else name for name in fields)
