"""The consortium: no pull outside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consent.consortium import Consortium, Pull, client_scope, pull_allowed, pull_refusal
from consent.errors import ConsortiumError
from tests.unit.consent.household import AT

VALUES: dict[str, Any] = {
    "id": "consortium-2026-01",
    "contract": "MD-2026-001",
    "holders": ["hanbit-bank", "dadam-market"],
    "recipients": ["deundeun-budget"],
    "sectors": ["finance", "retail"],
    "purposes": ["household-finance"],
    "start": "2026-01-01",
    "end": "2027-12-31",
}
ONE = Consortium.of(**VALUES)
PULL = Pull("deundeun-budget", "hanbit-bank", "finance", "household-finance")


def test_a_pull_inside_is_allowed() -> None:
    """Member client, member holder, agreed sector and purpose, contract in force."""
    assert pull_allowed([ONE], PULL, AT)
    assert pull_refusal([ONE], PULL, AT) is None


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("consortium_none", {"client_id": "stranger"}),
        ("consortium_holder", {"holder": "other-bank"}),
        ("consortium_sector", {"sector": "medical"}),
        ("consortium_purpose", {"purpose": "health-coaching"}),
    ],
)
def test_a_pull_outside_is_refused_by_code(code: str, changed: dict[str, str]) -> None:
    """Each way of standing outside has its own code."""
    assert pull_refusal([ONE], replace(PULL, **changed), AT) == code


def test_the_contract_has_a_first_and_a_last_moment() -> None:
    """The contract holds from the first second of its first day in Korea to the last of its last day."""
    start, end = ONE.document()["start_at"], ONE.document()["end_at"]
    assert [ONE.in_force(at) for at in (start - 1, start, end - 1, end)] == [False, True, True, False]
    assert pull_refusal([ONE], PULL, end) == "consortium_ended"


def test_one_of_several_consortia_is_enough_but_they_do_not_add_up() -> None:
    """Holder from one contract and purpose from another make no permission."""
    health = replace(ONE, id="two", holders=frozenset({"h"}), purposes=frozenset({"health-coaching"}))
    assert pull_allowed([health, ONE], PULL, AT)
    assert pull_refusal([health, ONE], replace(PULL, purpose="health-coaching"), AT) == "consortium_purpose"
    assert pull_refusal([], PULL, AT) == "consortium_none"


def test_a_client_may_name_what_its_consortia_cover() -> None:
    """The scope of a client is the sum over its consortia in force, and empty for a stranger."""
    purposes, holders = client_scope([ONE], "deundeun-budget", AT)
    assert (purposes, holders) == (ONE.purposes, ONE.holders)
    assert client_scope([ONE], "stranger", AT) == (frozenset(), frozenset())
    assert client_scope([ONE], "deundeun-budget", ONE.document()["end_at"]) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("contract", ""),
        ("holders", []),
        ("recipients", []),
        ("sectors", [""]),
        ("purposes", []),
        ("start", "2026"),
        ("end", "2025-12-31"),
    ],
)
def test_a_record_with_a_gap_is_refused(member: str, value: object) -> None:
    """No consortium without contract, members, sectors, purposes and a span of time."""
    with pytest.raises(ConsortiumError) as caught:
        Consortium.of(**(VALUES | {member: value}))
    assert caught.value.code == "consortium_invalid"
    assert member in str(caught.value.params["member"])
