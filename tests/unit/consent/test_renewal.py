"""When a renewal is offered and what it may change, for any dates; what a version changed, both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import Period
from consent.changes import Changes, changes
from consent.items import Item, Terms
from consent.records import Move, State, move
from consent.renewal import ends_by, offered_on, renewed, running_out
from tests.unit.consent.household import AT, BANK, TODAY, consent, details, parsed

YEAR = Period(years=1)
TERMS = parsed(details())
DAYS = st.integers(0, 800)


def until(days: int) -> Terms:
    """The household's terms, for so many days."""
    return replace(TERMS, end=TERMS.start + timedelta(days=days))


@given(length=st.integers(1, 365), passed=DAYS)
def test_a_renewal_is_longer_and_never_past_the_longest_period(length: int, passed: int) -> None:
    """Offered in the last month and at no other time; later than before, at most a year from that day."""
    now, today = consent(terms=until(length)), TERMS.start + timedelta(days=passed)
    now = replace(now, asked=now.terms)
    terms = renewed(now, YEAR, today)
    in_last_month = offered_on(now.terms) <= today <= now.terms.end
    assert terms is None or in_last_month
    assert (terms is not None) == (in_last_month and YEAR.after(today) > now.terms.end)
    if terms is not None:
        assert now.terms.end < terms.end <= YEAR.after(today)
        assert replace(terms, end=now.terms.end) == now.terms
        assert move(now, Move.RENEW, AT, terms=terms).terms == terms


@pytest.mark.parametrize("state", [state for state in State if state is not State.ACTIVE])
def test_only_what_is_in_force_is_renewed(state: State) -> None:
    """A paused consent is resumed first; nothing else can go on."""
    now = replace(consent(state), terms=until(20))
    assert renewed(now, YEAR, TODAY) is None
    assert running_out([now], TODAY) == []


@given(today=st.dates(date(2026, 1, 1), date(2036, 12, 31)), days=st.integers(0, 40))
def test_nothing_offered_lies_past_the_search(today: date, days: int) -> None:
    """Whatever is offered today ends by the second up to which it is looked for."""
    terms = replace(TERMS, start=today, end=today + timedelta(days=days))
    assert offered_on(terms) > today or terms.end_at <= ends_by(today)


def test_the_soonest_comes_first() -> None:
    """Those of the coming month, in the order of their last days."""
    ends = [25, 400, 3, 10]
    found = [replace(consent(), id=f"c-{days}", terms=until(days)) for days in ends]
    assert [one.id for one in running_out(found, TODAY)] == ["c-3", "c-10", "c-25"]


def test_what_went_and_what_came() -> None:
    """Fields alone, whole items, the end: each in its place, and the other way round."""
    first = TERMS.items[0]
    less = replace(TERMS, items=(replace(first, fields=first.fields[:1]), *TERMS.items[2:]))
    gone = changes(TERMS, less)
    assert [(item.name, item.fields) for item in gone.went] == [
        (first.name, first.fields[1:]),
        (TERMS.items[1].name, TERMS.items[1].fields),
    ]
    assert (gone.came, gone.altered, gone.end) == ((), (), None)
    assert changes(less, TERMS).came == gone.went
    assert first.name == BANK
    rarer = replace(TERMS, items=(replace(first, frequency="P30D"), *TERMS.items[1:]), end=date(2027, 6, 1))
    assert changes(TERMS, rarer) == Changes(altered=(rarer.items[0],), end=date(2027, 6, 1))
    assert changes(TERMS, TERMS) == Changes()


@given(st.data())
def test_changes_tell_all_there_is(data: st.DataObject) -> None:
    """Whatever part of the terms goes, going back brings exactly that."""
    kept: list[Item] = []
    for item in TERMS.items:
        fields = tuple(name for name in item.fields if data.draw(st.booleans()))
        if fields:
            kept.append(replace(item, fields=fields))
    less = replace(TERMS, items=tuple(kept))
    there, back = changes(TERMS, less), changes(less, TERMS)
    assert there.went == back.came
    assert there.came == back.went == ()
    told = sum(len(item.fields) for item in there.went) + sum(len(item.fields) for item in less.items)
    assert told == sum(len(item.fields) for item in TERMS.items)
