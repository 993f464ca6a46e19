"""The dated facts are what code and policy count with: a number written twice is the same number."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, get_args

import pytest

from consent.catalogue import load
from consent.catalogue.schema import Recipient
from consent.exclusions import REASONS
from consent.law.rows import Fact, facts
from gateway.oauth.client_document import KINDS
from gateway.policy.bundle import default_folder
from gateway.policy.question import Kind
from gateway.retention.schedule import schedule

DATA: dict[str, Any] = json.loads(
    (default_folder() / "mydata/reference/data.json").read_text(encoding="utf-8")
)


def valued(rows: tuple[Fact, ...], id: str) -> int | str | None:
    """What the fact `id` counts."""
    return next(row.value for row in rows if row.id == id)


def test_the_kinds_of_recipients_are_those_of_policy_clients_and_catalogue() -> None:
    """One list of kinds, four places."""
    kinds = {row.id for row in facts().recipient_kinds}
    assert kinds == set(get_args(Kind)) == set(get_args(Recipient)) == set(KINDS)


def test_a_general_recipient_is_in_no_cycle_and_health_data_goes_to_special_ones() -> None:
    """On every day of every sector that is shipped."""
    for row in load().legal:
        assert "general" not in row.periodic
        assert set(row.periodic) <= set(row.recipients)
        assert (row.recipients == ("special",)) == (row.sector == "medical")


def test_the_age_of_a_guardian_is_that_of_policy() -> None:
    """Fourteen, once in the facts and once in the limits."""
    assert valued(facts().ages, "guardian") == DATA["limits"]["guardian_age"][-1]["value"]
    youth = valued(facts().ages, "youth")
    assert isinstance(youth, int)
    assert youth > DATA["limits"]["guardian_age"][-1]["value"]


@pytest.mark.parametrize("kind", ["basic", "additional"])
def test_no_class_has_a_shorter_cycle_than_policy_allows(kind: str) -> None:
    """The shortest cycle of policy is the shorter of the two classes."""
    days = valued(facts().cycles, kind)
    assert isinstance(days, int)
    assert days >= DATA["limits"]["shortest_cycle_days"][-1]["value"]
    assert {one.cycle_class for one in load().datasets.values()} <= {row.id for row in facts().cycles}


def test_records_are_kept_as_long_as_the_facts_say() -> None:
    """The span of the schedule is the span of the law."""
    span = valued(facts().retention, "processing-records")
    assert {schedule()[table].span for table in ("consent", "transfer", "policy_decision")} == {span}


def test_the_exclusions_are_three() -> None:
    """Rights of others, secrets, one-way encrypted data: each a reason a request can show."""
    assert len(facts().exclusions) == len(REASONS) == 3


def test_a_fact_holds_from_its_day_to_its_last() -> None:
    """Not before, not after, and without end where none is known."""
    first = facts().exclusions[0]
    assert not first.in_force(date(2026, 8, 19))
    assert first.in_force(date(2026, 8, 20))
    ended = type(first)(
        **{name: getattr(first, name) for name in type(first).__struct_fields__} | {"until": date(2027, 1, 1)}
    )
    assert ended.in_force(date(2027, 1, 1))
    assert not ended.in_force(date(2027, 1, 2))
