"""What a what-if tells: no number from which a person, or a hidden cell, can be had."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.database import Database
from gateway.policy.account import SMALLEST, Account, Change, rounded
from gateway.policy.bundle import load
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.record import record
from tests.policy.table import question


def test_none_few_and_steps_of_five() -> None:
    """0 is 0, one to four are `<5`, the rest goes down to a multiple of five."""
    told = {n: rounded(n) for n in (0, 1, 4, 5, 9, 10, 123)}
    assert told == {0: 0, 1: "<5", 4: "<5", 5: 5, 9: 5, 10: 10, 123: 120}


CELLS = st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=12), max_size=6)


def account_of(cells: list[list[int]]) -> Account:
    """An account with these citizens behind each cell, one item for each time a citizen is named."""
    account = Account("sha256:00", 0, 1)
    for place, citizens in enumerate(cells):
        for citizen in citizens:
            account._count(Change("finance", f"was {place}", "granted"), f"s-{citizen}")
            account.looked_at += 1
    return account


@given(CELLS)
def test_few_citizens_are_few_however_many_items(cells: list[list[int]]) -> None:
    """A cell of fewer than five citizens gives no number, though one of them had many items."""
    for citizens, told in zip(cells, account_of(cells).report()["items"], strict=True):
        few = len(set(citizens)) < SMALLEST
        assert (told["count"] == told["citizens"] == "<5") is few
        assert few or (told["count"] % SMALLEST, told["citizens"] % SMALLEST) == (0, 0)


@given(CELLS)
def test_what_is_hidden_cannot_be_subtracted(cells: list[list[int]]) -> None:
    """Whatever stands behind a hidden cell, from one to four citizens, the report is the same.

    So no sum, order or total of it tells which; only how many questions there were, itself rounded.
    """
    account = account_of(cells)
    told = account.report()
    for place, citizens in enumerate(cells):
        if len(set(citizens)) < SMALLEST:
            for other in range(1, SMALLEST):
                changed = [*cells[:place], list(range(1, other + 1)), *cells[place + 1 :]]
                again = account_of(changed).report()
                assert {**again, "looked_at": 0} == {**told, "looked_at": 0}


async def test_a_change_of_conditions_only_is_counted_by_citizen(database: Database) -> None:
    """The same items on other conditions are no change of an item; the citizens behind them are rounded."""
    engine, asked = EmbeddedEngine(load()), question()
    decision = await decide(engine, asked)
    async with database.transaction() as session:
        row = await record(session, asked, decision, at=datetime(2026, 11, 22, tzinfo=UTC), seal=None)
        row.obligations = "[]"
        account = Account("sha256:00", 0, 1)
        for citizen in ("s-1", "s-1", "s-2", "s-3", "s-4", "s-5"):
            account.note(row, asked, decision, citizen)
        await session.refresh(row)
        account.note(row, asked, decision, "s-6")
    told = account.report()
    assert (told["obligations_only"], told["items"], told["decisions"], told["looked_at"]) == (5, [], [], 5)
