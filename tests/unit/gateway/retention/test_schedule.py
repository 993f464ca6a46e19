"""The schedule is whole: every table has its rule, every job its rules, and the paper says just that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.migrations.tables import metadata
from gateway.retention.jobs import jobs
from gateway.retention.paper import page
from gateway.retention.schedule import schedule, seconds

ROOT = Path(__file__).resolve().parents[4]


def test_every_table_has_one_rule() -> None:
    """A table nobody thought about fails here; so does a rule for a table that is gone."""
    assert set(schedule()) == set(metadata.tables)


def test_every_rule_has_a_reason_and_every_end_a_job() -> None:
    """A rule is kept with a reason or ended by a job that exists; no job runs without a rule."""
    rules = schedule().values()
    assert all(rule.why for rule in rules)
    made = jobs(Journal(SubjectKeys(bytes(32)), "test"), "operator")
    assert {rule.job for rule in rules if rule.job} == {job.name for job in made}
    assert len({job.name for job in made}) == len(made)
    assert all(job.name in schedule() for job in made)


def test_the_ledger_is_never_ended() -> None:
    """No job may touch the log, its tree, its promises; only openings go, with the citizen's key."""
    ended = {rule.table for rule in schedule().values() if rule.job and rule.table.startswith("ledger_")}
    assert ended == {"ledger_payload"}


def test_records_of_a_consent_go_together() -> None:
    """One duty, one time, one job for everything that is the record of a consent."""
    record = ("consent", "consent_version", "transfer", "transfer_item_outcome", "policy_decision")
    rules = [schedule()[table] for table in (*record, "holder_notice")]
    assert {(rule.span, rule.job, rule.law) for rule in rules} == {("P3Y", "consent", rules[0].law)}


@pytest.mark.parametrize(
    ("span", "expected"),
    [("PT0S", 0), ("PT10M", 600), ("P7D", 604_800), ("P3Y", 1096 * 86_400), ("P1DT1H", 90_000)],
)
def test_spans_are_never_too_short(span: str, expected: int) -> None:
    """Three years of any calendar are covered."""
    assert seconds(span) == expected


@pytest.mark.parametrize("span", ["", "P", "3Y", "P1M", "PT", "P-1D", "P1.5D", "p1d"])
def test_what_is_no_span_is_refused(span: str) -> None:
    """Months have no fixed length; nothing else is guessed at either."""
    with pytest.raises(ValueError, match="no duration"):
        seconds(span)


def test_the_paper_is_written_from_the_data() -> None:
    """docs/retention.md is exactly what the schedule gives."""
    assert (ROOT / "docs/retention.md").read_text(encoding="utf-8") == page()


def test_the_paper_names_metrics_that_exist() -> None:
    """Every counter the paper names is made by the gateway."""
    made = (ROOT / "gateway/telemetry.py").read_text(encoding="utf-8")
    named = re.findall(r"`(mydata_retention_\w+)`", page())
    assert len(named) == 3
    assert all(f'"{name}"' in made for name in named)
