"""What a page that asks again begins with: what was chosen, asked the same, and of an adult."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from consent.accounts import Listed, Offer
from consent.catalogue import load
from consent.choices import Choices
from consent.items import Terms
from gateway.web.earlier import chosen_before
from tests.unit.consent.household import item, of_holder, parsed

CATALOGUE = load()
METER = "haeoreum-energy/energy.electricity-usage"
ASKED = parsed(
    [of_holder("haeoreum-energy", item("energy.electricity-usage", "start", "value", frequency="P7D"))]
)
REFS = ("a" * 26, "b" * 26)
LISTED = {METER: Offer(tuple(Listed(ref, f"계량기 {ref[0]}", None) for ref in REFS))}


@dataclass(frozen=True)
class Again:
    """A question beside what holds of one item."""

    holds: Mapping[str, Any] = field(default_factory=dict)
    age_band: str = "adult"
    offers: Mapping[str, Offer] = field(default_factory=lambda: LISTED)
    withheld: Collection[str] = ()

    @property
    def terms(self) -> Terms:
        """What is asked now."""
        return ASKED

    @property
    def standing(self) -> Any:
        """What holds: the same with `holds` changed of the meter."""
        items = tuple(replace(i, **self.holds) if i.name == METER else i for i in ASKED.items)
        return SimpleNamespace(terms=replace(ASKED, items=items))

    @property
    def citizen(self) -> Any:
        """Somebody of that age."""
        return SimpleNamespace(age_band=self.age_band)


def began(again: Again) -> Choices:
    """What is ticked when the page opens."""
    return chosen_before(again, CATALOGUE)


def test_all_accounts_chosen_before_are_all_again() -> None:
    """The item and "all" are ticked, no single account."""
    found = began(Again())
    assert METER in found.items
    assert METER in found.every
    assert METER not in found.less.accounts


def test_the_accounts_chosen_before_are_ticked_where_they_still_are() -> None:
    """One that the holder lists no more is not."""
    found = began(Again(holds={"accounts": (REFS[0], "c" * 26)}))
    assert found.less.accounts == {METER: frozenset({REFS[0]})}
    assert METER in found.items
    assert METER not in found.every


def test_an_item_none_of_whose_accounts_is_left_is_the_citizens_to_choose() -> None:
    """Neither the item nor "all" is ticked: that would be more than was chosen."""
    found = began(Again(holds={"accounts": ("c" * 26,)}))
    assert METER not in found.items
    assert METER not in found.every


def test_whoever_is_under_eighteen_finds_every_box_empty() -> None:
    """PIPA 22, 23: each yes is theirs anew."""
    assert began(Again(age_band="youth")) == Choices()


def test_an_item_withheld_by_a_rule_is_not_ticked() -> None:
    """What could not be sent anyway is not proposed."""
    assert METER not in began(Again(withheld=(METER,))).items


def test_a_rarer_cycle_chosen_before_is_not_widened_by_a_tick() -> None:
    """Asked more often than what holds: the citizen ticks it, or does not."""
    assert METER not in began(Again(holds={"frequency": "P30D"})).items
    assert METER in began(Again(holds={"frequency": "P1D"})).items
