"""Laws of accounts, rows, cycles and ends: whatever is chosen, merged or stored, nothing more leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.choices import restrict, within
from consent.errors import ChoiceError
from consent.items import Item, Terms, from_details, to_details
from consent.merging import asks_more, fresh, merged
from consent.rows import Filters, both, either, filters, filters_details, filters_of, tighter
from consent.tightening import Less, days_between, inside, rows_inside, tighten
from gateway.bundles.rows import RowRule, judge

KINDS = ("01", "02", "03")
ACCOUNTS = tuple(f"{letter * 26}" for letter in "abcd")
CYCLES = ("once", "P1D", "P7D", "P30D")
START = date(2026, 1, 1)

bounds = st.none() | st.integers(-5, 5)
rows = st.builds(filters, st.none() | st.sets(st.sampled_from(KINDS)), bounds, bounds)
days = st.integers(0, 30).map(lambda n: START + timedelta(days=n))


@st.composite
def items(draw: st.DrawFn, dataset: str = "d") -> Item:
    """Any item that can be agreed to."""
    since = draw(days)
    accounts = draw(st.none() | st.sets(st.sampled_from(ACCOUNTS), min_size=1))
    found = draw(rows)
    return Item(
        holder="h",
        dataset=dataset,
        fields=tuple(draw(st.lists(st.sampled_from("xyz"), min_size=1, unique=True))),
        required=draw(st.booleans()),
        frequency=draw(st.sampled_from(CYCLES)),
        history_from=since,
        history_to=draw(st.none() | st.just(since + timedelta(days=9))),
        accounts=None if accounts is None else tuple(sorted(accounts)),
        filters=None if found is not None and found.empty else found,
    )


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Any terms of one or two items."""
    end = draw(days)
    names = draw(st.sampled_from([("d",), ("d", "e")]))
    return Terms("p", START, end, "P90D", tuple(draw(items(name)) for name in names))


@st.composite
def lesses(draw: st.DrawFn) -> Less:
    """Anything a page could be made to send, offered or not."""
    names = st.sampled_from(["h/d", "h/e"])
    return Less(
        accounts=draw(st.dictionaries(names, st.frozensets(st.sampled_from(ACCOUNTS)), max_size=2)),
        filters={k: v for k, v in draw(st.dictionaries(names, rows, max_size=2)).items() if v is not None},
        cycles=draw(st.dictionaries(names, st.sampled_from(CYCLES), max_size=2)),
        end=draw(st.none() | days),
    )


def _tightened(asked: Terms, less: Less) -> Terms | None:
    """What comes of a choice, or None if it makes no consent."""
    try:
        return tighten(asked, less)
    except ChoiceError as error:
        if error.code in {"choice_unknown", "nothing_chosen"}:
            return None
        raise


def _row(kind: str, amount: int) -> bytes:
    return f'{{"k":"{kind}","a":{amount}}}'.encode()


def _passes(found: Filters | None, kind: str, amount: int) -> bool:
    if found is None:
        return True
    bounded = (found.least, found.most) != (None, None)
    rule = RowRule(
        kind="k" if found.types is not None else None,
        kinds=frozenset(found.types or ()),
        amount="a" if bounded else None,
        least=found.least,
        most=found.most,
    )
    judged = judge(rule)
    return judged is None or judged(_row(kind, amount)) is None


@given(rows, rows, st.sampled_from(KINDS), st.integers(-6, 6))
def test_filters_mean_what_treatment_does(
    one: Filters | None, other: Filters | None, kind: str, amount: int
) -> None:
    """`both` is and, `either` lets through whatever one of them does, `tighter` lets through nothing more."""
    first, second = _passes(one, kind, amount), _passes(other, kind, amount)
    assert _passes(both(one, other), kind, amount) == (first and second)
    assert _passes(either(one, other), kind, amount) or not (first or second)
    if tighter(one, other):
        assert second or not first


@given(rows, rows, rows)
def test_filters_are_a_lattice(one: Filters | None, other: Filters | None, third: Filters | None) -> None:
    """The laws merging and narrowing rest on."""
    assert both(one, other) == both(other, one)
    assert either(one, other) == either(other, one)
    assert both(one, both(other, third)) == both(both(one, other), third)
    assert tighter(both(one, other), one)
    assert tighter(one, either(one, other))
    assert tighter(one, one)
    assert not (tighter(one, other) and tighter(other, one)) or one == other
    if one is not None:
        assert filters_of(filters_details(one)) == one


@settings(max_examples=200, deadline=None)
@given(terms(), lesses())
def test_tightening_never_widens(asked: Terms, less: Less) -> None:
    """What comes of it is within what was there, or it is refused; done twice it is done once."""
    agreed = _tightened(asked, less)
    if agreed is None:
        return
    assert within(agreed, asked)
    assert tighten(agreed, less) == agreed
    for item, before in zip(agreed.items, asked.items, strict=True):
        assert inside(item, before)
        assert days_between(item) >= days_between(before)
        assert item.accounts is None or item.accounts != ()


@settings(max_examples=200, deadline=None)
@given(terms(), terms(), terms())
def test_within_is_an_order(one: Terms, other: Terms, third: Terms) -> None:
    """Each is within itself; both ways only what is equal; and a smaller of a smaller is smaller."""
    assert within(one, one)
    assert not (within(one, other) and within(other, one)) or one == other
    if within(one, other) and within(other, third):
        assert within(one, third)


@settings(max_examples=200, deadline=None)
@given(terms())
def test_details_round_trip(agreed: Terms) -> None:
    """Written and read again: the same terms; nothing is written of what is not bounded."""
    assert from_details(to_details(agreed)) == agreed
    plain = replace(
        agreed,
        items=tuple(replace(i, accounts=None, filters=None, history_to=None) for i in agreed.items),
    )
    members = {"dataset", "fields", "required", "frequency", "history_from"}
    assert all(set(item) == members for one in to_details(plain) for item in one["items"])


def test_rows_stored_before_there_were_accounts_still_read() -> None:
    """The JSON of a consent of the first release: every account, every row."""
    stored = [
        {
            "type": "mydata_transfer",
            "holder": "hanbit-bank",
            "purpose": "household-finance",
            "start": "2026-11-22",
            "end": "2027-05-21",
            "retention": "P90D",
            "items": [
                {
                    "dataset": "finance.deposit-transactions",
                    "fields": ["trans_amt"],
                    "required": True,
                    "frequency": "P7D",
                    "history_from": "2026-05-01",
                }
            ],
        }
    ]
    (item,) = from_details(stored).items
    assert (item.accounts, item.filters, item.history_to) == (None, None, None)
    assert to_details(from_details(stored)) == stored


@settings(max_examples=200, deadline=None)
@given(terms(), terms())
def test_merging_keeps_what_stands_and_adds_what_was_asked(standing: Terms, asked: Terms) -> None:
    """Both are inside the union, chosen accounts stand as they were, and nothing is left to ask."""
    both_terms = merged(standing, asked, fresh(asked, standing))
    for item in standing.items:
        kept = both_terms.item(item.name)
        assert kept is not None
        assert kept.accounts == item.accounts
        assert rows_inside(item, kept)
        assert days_between(kept) <= days_between(item)
    for item in asked.items:
        kept = both_terms.item(item.name)
        assert kept is not None
        assert rows_inside(replace(item, accounts=kept.accounts), kept)
    assert not asks_more(replace(asked, end=both_terms.end), both_terms)
    assert merged(standing, asked, ()).items == standing.items


@pytest.mark.parametrize(
    "wider",
    [
        {"accounts": None},
        {"accounts": (ACCOUNTS[0], ACCOUNTS[1])},
        {"filters": None},
        {"filters": Filters(types=("02", "03"))},
        {"history_to": None},
        {"history_from": START - timedelta(days=1)},
        {"frequency": "P1D"},
        {"required": True},
    ],
    ids=str,
)
def test_each_way_of_being_wider_is_seen(wider: dict[str, object]) -> None:
    """One member wider alone, and the terms are not within any more."""
    item = Item("h", "d", ("x",), False, "P7D", START, START, (ACCOUNTS[0],), Filters(types=("02",)))
    narrow = Terms("p", START, START, "P90D", (item,))
    assert not within(replace(narrow, items=(replace(item, **wider),)), narrow)  # type: ignore[arg-type]
    assert within(restrict(narrow, {"h/d": ("x",)}), narrow)
