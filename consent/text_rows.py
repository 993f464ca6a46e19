"""Which rows of an item are sent and how often, in the words of the consent text."""

from __future__ import annotations

from collections.abc import Iterator

from consent.catalogue import Dataset
from consent.items import Item
from consent.rows import Filters
from consent.text_words import said_date, words


def row_lines(item: Item, dataset: Dataset, language: str) -> list[str]:
    """How often, of what class, how far back, of which accounts, kinds and amounts."""
    return [
        *_cycle(item, dataset, language),
        _history(item, language),
        *_accounts(item, dataset, language),
        *_filters(item.filters, dataset, language),
    ]


def filter_lines(found: Filters, dataset: Dataset, language: str) -> list[str]:
    """What a filter lets through, in words."""
    say, lines = words(language), []
    if found.types is not None and dataset.kinds is not None:
        named = (dataset.kinds.values.get(kind, {}).get(language, kind) for kind in found.types)
        lines.append(say["kinds"].format(kinds=", ".join(named)))
    least, most = (None if bound is None else f"{bound:,}" for bound in (found.least, found.most))
    if least is not None or most is not None:
        name = "amount_from" if most is None else "amount_to" if least is None else "amount_between"
        lines.append(say[name].format(least=least, most=most))
    return lines


def _cycle(item: Item, dataset: Dataset, language: str) -> Iterator[str]:
    say = words(language)
    yield say[f"class_{dataset.cycle_class}"]
    if item.frequency_days is None:
        yield say["once"]
        return
    days = item.frequency_days
    yield say["daily" if days == 1 else "every"].format(count=days)
    yield say["may_be_rarer"]


def _history(item: Item, language: str) -> str:
    say, since = words(language), said_date(item.history_from, language)
    if item.history_to is None:
        return say["history"].format(day=since)
    return say["history_span"].format(start=since, end=said_date(item.history_to, language))


def _accounts(item: Item, dataset: Dataset, language: str) -> Iterator[str]:
    if dataset.account is None:
        return
    say, name = words(language), dataset.account.name[language]
    if item.accounts is None:
        yield say["may_choose_accounts"].format(account=name)
    else:
        yield say["chosen_accounts"].format(account=name, count=len(item.accounts))


def _filters(found: Filters | None, dataset: Dataset, language: str) -> Iterator[str]:
    if found is not None:
        yield from filter_lines(found, dataset, language)
    if dataset.kinds is not None or dataset.amount is not None:
        yield words(language)["may_filter"]
