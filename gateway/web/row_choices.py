"""What a citizen can make smaller beside boxes: accounts, kinds, amounts, cycle, last day; and reading it.

Every control has a value for "as asked", so a page without it, or left alone, changes nothing but the last
day: where the longest time allowed is asked, the page proposes a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from consent.accounts import Offer
from consent.calendar import Period
from consent.catalogue import Catalogue
from consent.items import Item, Terms
from consent.rows import Filters, both, filters
from consent.tightening import ONCE, days_between
from gateway.errors import Problem
from gateway.web.forms import Form

ALL = "all"
REPEATED = ("account", "kind", "least", "most")
CYCLES_OF = ("cycle-basic", "cycle-additional")
SINGLE = (*CYCLES_OF, "end")
AMOUNTS = (1_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000)
CYCLES = ("P7D", "P14D", "P30D", ONCE)
LENGTHS = ("P1M", "P3M", "P6M", "P1Y")


def amounts_of(item: Item, catalogue: Catalogue) -> tuple[int, ...]:
    """The bounds offered for the amount of `item`, all inside what is asked."""
    if catalogue.dataset(item.dataset).amount is None:
        return ()
    asked = item.filters or Filters()
    return tuple(
        amount
        for amount in AMOUNTS
        if (asked.least is None or amount > asked.least) and (asked.most is None or amount < asked.most)
    )


def kinds_of(item: Item, catalogue: Catalogue) -> tuple[str, ...]:
    """The kinds offered singly for `item`: those asked, where there is more than one."""
    kinds = catalogue.dataset(item.dataset).kinds
    asked = item.filters.types if item.filters else None
    found = tuple(kinds.values) if kinds is not None and asked is None else asked or ()
    return found if kinds is not None and len(found) > 1 else ()


def classes_of(terms: Terms, catalogue: Catalogue) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By class (기본, 추가): how often it is asked at most, and what slower cycles are offered."""
    found: dict[str, list[Item]] = {}
    for item in terms.items:
        if item.frequency_days is not None:
            found.setdefault(catalogue.dataset(item.dataset).cycle_class, []).append(item)
    fastest = {name: min(items, key=days_between) for name, items in found.items()}
    return {
        name: (one.frequency, tuple(c for c in CYCLES if _days(c) > days_between(one)))
        for name, one in sorted(fastest.items(), reverse=True)
    }


def ends_of(terms: Terms, catalogue: Catalogue, now: date | None = None) -> tuple[tuple[date, ...], date]:
    """The last days offered, the earliest first and the one asked last; and the one proposed.

    The longest time a purpose allows is never proposed where a shorter one can be. Of a consent that stands,
    `now` is today: earlier days are not offered, and none but its own last day is proposed.
    """
    lengths = [Period.parse(text).after(terms.start) for text in LENGTHS]
    offered = (*(day for day in lengths if day < terms.end and (now is None or day > now)), terms.end)
    if now is not None:
        return offered, terms.end
    longest = catalogue.purposes[terms.purpose].max_period.after(terms.start)
    proposed = offered[-2] if terms.end >= longest and len(offered) > 1 else terms.end
    return offered, proposed


def read_accounts(
    form: Form, items: Sequence[Item], offers: Mapping[str, Offer]
) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """The accounts ticked by item name, and the items with all of them. Problem `form_invalid` otherwise."""
    boxes: dict[str, tuple[str, str]] = {}
    for item in items:
        offer = offers.get(item.name)
        refs = [one.ref for one in offer.open] if offer else []
        boxes |= {f"{item.name}/{ref}": (item.name, ref) for ref in (*refs, ALL) if refs}
    chosen: dict[str, set[str]] = {}
    for value in form.all("account"):
        if value not in boxes:
            raise Problem("form_invalid", detail="an account that was not on the page")
        name, ref = boxes[value]
        chosen.setdefault(name, set()).add(ref)
    every = frozenset(name for name, refs in chosen.items() if ALL in refs)
    return {name: frozenset(refs - {ALL}) for name, refs in chosen.items() if refs != {ALL}}, every


def read_filters(form: Form, items: Sequence[Item], catalogue: Catalogue) -> dict[str, Filters]:
    """The tighter filters chosen, by item name. Problem `form_invalid` for one that was not offered."""
    found: dict[str, Filters] = {}
    offered = {item.name: item for item in items}
    for member in ("kind", "least", "most"):
        for value in form.all(member):
            name, _, said = value.rpartition("/")
            if name not in offered:
                raise Problem("form_invalid", detail="a filter of another item")
            if said and (more := _filter(member, said, offered[name], catalogue)):
                found[name] = both(found.get(name), more) or more
    return found


def read_cycles(form: Form, terms: Terms, catalogue: Catalogue) -> dict[str, str]:
    """The slower cycles chosen, by item name. Problem `form_invalid` for one that was not offered."""
    slower: dict[str, str] = {}
    classes = classes_of(terms, catalogue)
    if any(form.one(name) for name in CYCLES_OF if name.removeprefix("cycle-") not in classes):
        raise Problem("form_invalid", detail="a cycle of a class that is not on the page")
    for name, (asked, offered) in classes.items():
        said = form.one(f"cycle-{name}") or asked
        if said not in (asked, *offered):
            raise Problem("form_invalid", detail="a cycle that was not offered")
        for item in terms.items:
            if catalogue.dataset(item.dataset).cycle_class == name and _days(said) > days_between(item):
                slower[item.name] = said
    return slower


def read_end(form: Form, terms: Terms, catalogue: Catalogue, now: date | None = None) -> date:
    """The last day chosen; the one proposed where none was. Problem `form_invalid` for any other day."""
    offered, proposed = ends_of(terms, catalogue, now)
    said = form.one("end")
    found = {day.isoformat(): day for day in offered}
    if said and said not in found:
        raise Problem("form_invalid", detail="a last day that was not offered")
    return found.get(said, proposed)


def wrong_rows(
    items: Sequence[Item],
    taken: Mapping[str, bool],
    ticked: tuple[Mapping[str, frozenset[str]], frozenset[str]],
    offers: Mapping[str, Offer],
) -> Iterator[tuple[str, str]]:
    """Items whose accounts have to be put right, each with a key of words."""
    chosen, every = ticked
    for item in items:
        offer = offers.get(item.name)
        single, whole = item.name in chosen, item.name in every
        if not taken[item.name] and (single or whole):
            yield item.name, "choose_item"
        elif single and whole:
            yield item.name, "choose_all_or_some"
        elif taken[item.name] and offer and len(offer.open) > 1 and not (single or whole):
            yield item.name, "choose_account"


def _filter(member: str, said: str, item: Item, catalogue: Catalogue) -> Filters | None:
    if member == "kind":
        if said in kinds_of(item, catalogue):
            return filters((said,), None, None)
    elif said in {str(amount) for amount in amounts_of(item, catalogue)}:
        bound = int(said)
        return filters(None, bound, None) if member == "least" else filters(None, None, bound)
    raise Problem("form_invalid", detail="a filter that was not offered")


def _days(cycle: str) -> float:
    return float("inf") if cycle == ONCE else Period.parse(cycle).days
