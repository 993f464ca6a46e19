"""An item asked again beside what holds of it: what of it is more, and what is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from consent.asked_more import Change, change
from tests.unit.consent.household import BANK, details, parsed

ITEM = next(item for item in parsed(details()).items if item.name == BANK)
DAY = timedelta(days=1)


def test_the_same_again_is_no_change() -> None:
    """Nothing is said of an item that is asked as it holds."""
    assert change(ITEM, ITEM) == Change()
    assert not change(ITEM, ITEM).more


def test_what_does_not_hold_is_new_with_all_its_fields() -> None:
    """An item without a past is new as a whole."""
    found = change(ITEM, None)
    assert (found.new, found.fields, found.more) == (True, ITEM.fields, True)


def test_fields_are_named_in_the_order_asked() -> None:
    """Only those that do not hold now; they alone do not make the rest of the item more."""
    found = change(ITEM, replace(ITEM, fields=ITEM.fields[:1]))
    assert (found.fields, found.more) == (ITEM.fields[1:], False)
    assert change(replace(ITEM, fields=ITEM.fields[:1]), ITEM) == Change()


def test_older_and_more_recent_records_are_more() -> None:
    """A history that begins earlier or ends later reaches further; a shorter one does not."""
    earlier = replace(ITEM, history_from=ITEM.history_from - DAY)
    assert change(earlier, ITEM) == Change(further_back=True)
    assert change(ITEM, earlier) == Change()
    ended = replace(ITEM, history_to=ITEM.history_from + DAY)
    assert change(ITEM, ended) == Change(later=True)
    assert change(replace(ended, history_to=ITEM.history_from + 2 * DAY), ended) == Change(later=True)
    assert change(ended, ITEM) == Change()


def test_how_often_is_told_both_ways() -> None:
    """More often is more; less often is told and is not."""
    often, rarely = replace(ITEM, frequency="P1D"), replace(ITEM, frequency="P30D")
    assert change(often, rarely) == Change(oftener=True)
    assert change(rarely, often) == Change(slower=True)
    assert not change(rarely, often).more
