"""Sandbox people: generated Korean citizens whose lives agree across the five sectors.

The same seed, count and day give the same people. Nobody here is real: see `connectors.sandbox.identifiers`
for why nobody can be. Lives end yesterday, so that no record lies in the future.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from connectors.sandbox import identifiers, spending
from connectors.sandbox.banking import Movement, account
from connectors.sandbox.clinic import Visit, visits
from connectors.sandbox.electricity import Meter
from connectors.sandbox.lives import Person
from connectors.sandbox.names import ODD_NAMES, ordinary_name
from connectors.sandbox.second_accounts import with_more
from connectors.sandbox.shopping import Habit, orders
from connectors.sandbox.telephone import contract

ROSTER: tuple[frozenset[str], ...] = tuple(
    frozenset(traits.split())
    for traits in (
        "memo",
        "long-history",
        "empty",
        "minor",
        "one-syllable",
        "very-long refunds",
        "hyphen foreign",
        "rare-hangul corrections",
        "memo refunds",
        "pensioner",
        "namesake",
        "foreign pensioner",
        "accounts",
    )
)
"""What is awkward about each of the first people; anybody after them is ordinary."""

HISTORY = timedelta(days=400)
SECTORS = frozenset({"finance", "telecom", "energy", "retail", "medical"})
LONG_HISTORY = timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True)
class Citizen(Person):
    """One sandbox citizen: who they are, and what each of the five sectors knows about them.

    `id` is CI-like (연계정보): only the identity provider and the holders know it. `handle` is short and may
    be shown. `orders` holds every version of every order, `observations` the current version of each result.
    """

    handle: str = ""
    sex: str = ""
    phone: str = ""
    resident_number: str = ""
    address: str = ""
    traits: frozenset[str] = frozenset()
    visits: tuple[Visit, ...] = ()

    def age(self, today: date) -> int:
        """Full years on a day."""
        return today.year - self.born.year - ((today.month, today.day) < (self.born.month, self.born.day))


def people(seed: int, count: int = 12, *, today: date) -> list[Citizen]:
    """`count` people with lives that end the day before `today`.

    The first twelve include everybody awkward: no records at all, thousands of rows, a minor of 15, odd
    names, later versions of records, memos with numbers in them, amounts of 0, refunds, and two with one
    name. The thirteenth has several accounts, lines and meters.
    """
    found: list[Citizen] = []
    for index in range(count):
        traits = ROSTER[index] if index < len(ROSTER) else frozenset()
        found.append(_person(seed, index, traits, today, found[0].name if found else ""))
    return found


def _person(seed: int, index: int, traits: frozenset[str], today: date, first_name: str) -> Citizen:
    rng = Random(f"people {seed} {index}")
    number = seed % 89 * 1000 + index + 1
    sex = rng.choice("FM")
    birth = _birth(rng, traits, today)
    usual = ordinary_name(rng, birth.year, sex)
    base = Citizen(
        handle=f"p{index + 1:02d}",
        id=identifiers.connecting_information(seed, index),
        name=first_name if "namesake" in traits else _odd_name(traits) or usual,
        sex=sex,
        born=birth,
        phone=identifiers.telephone(number),
        resident_number=identifiers.resident_number(number, female=sex == "F"),
        address=f"서울특별시 없는구 상상로 {rng.randint(1, 99)}, {rng.randint(1, 20)}01호",
        traits=traits,
    )
    if "empty" in traits:
        return replace(base, customer_of=SECTORS)
    until = today - timedelta(days=1)
    lived = _live(rng, number, base, until)
    return with_more(lived, number, until) if "accounts" in traits else lived


def _odd_name(traits: frozenset[str]) -> str | None:
    return next((name for trait, name in ODD_NAMES.items() if trait in traits), None)


def _birth(rng: Random, traits: frozenset[str], today: date) -> date:
    if "minor" in traits:
        return today - timedelta(days=15 * 365 + 100 + rng.randrange(200))
    years = rng.randint(66, 84) if "pensioner" in traits else rng.randint(24, 58)
    return today - timedelta(days=years * 365 + rng.randrange(365))


def _live(rng: Random, number: int, base: Citizen, until: date) -> Citizen:
    """Give a person their telephone, electricity, orders and visits, then the account that paid for them."""
    traits, adult = base.traits, "minor" not in base.traits
    since = until - (LONG_HISTORY if "long-history" in traits else HISTORY)
    refunds = "refunds" in traits
    phone = contract(rng, number, base.phone, since, until, free_month=refunds)
    meter = (
        Meter(identifiers.meter(number), rng.randrange(2**32), rng.randint(240, 520), since, until)
        if adult
        else None
    )
    returns = 0.35 if refunds or "corrections" in traits else 0.04
    ordered = orders(rng, number, Habit(since, until, 0.11 if adult else 0.015, returns))
    visited = visits(
        rng, number, _visit_days(rng, traits, since, until), _notes(number, base) if "memo" in traits else ()
    )
    movements: list[Movement] = [
        *spending.income(rng, _kind(traits), since, until),
        *spending.daily(rng, since, until, 0.25 if not adult else 2.2 if "long-history" in traits else 1.1),
        *spending.telephone_bills(phone),
        *spending.shopping(ordered),
        *spending.hospital(visited),
    ]
    if meter is not None:
        movements += [*spending.rent(rng, since, until), *spending.electricity_bills(meter, since, until)]
    if "memo" in traits:
        movements += spending.awkward_memos(rng, number, since, until)
    return replace(
        base,
        accounts=(account(number, movements),),
        contracts=(phone,),
        meters=() if meter is None else (meter,),
        orders=ordered,
        visits=visited,
        observations=tuple(result for visit in visited for result in visit.measurements),
    )


def _kind(traits: frozenset[str]) -> str:
    return next((kind for kind in ("minor", "pensioner") if kind in traits), "worker")


def _visit_days(rng: Random, traits: frozenset[str], since: date, until: date) -> list[date]:
    """Three to five a year, a pensioner monthly; one is recent, none in the last three days.

    Results of the last days may still change, and lives do not reach past `until`.
    """
    span = (until - since).days - 3
    often = span // 30 if "pensioner" in traits else max(2, span * rng.randint(2, 4) // 365)
    recent = span - rng.randint(4, 60)
    return [since + timedelta(days=offset) for offset in {recent, *rng.sample(range(span), often)}]


def _notes(number: int, base: Citizen) -> tuple[str, ...]:
    """Clinicians' notes, one with a telephone number and one with a resident-number shape in it."""
    return (
        "운동을 꾸준히 하세요.",
        f"보호자 연락처 {identifiers.telephone(number + 5000)}",
        f"주민번호 {base.resident_number} 재확인함",
    )
