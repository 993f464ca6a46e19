"""docs/law.md tells the rows: it cannot drift, every duty has a test, every name in it exists."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from consent.law.paper import page
from consent.law.rows import Duty, SelfCheck, duties, facts, self_check, sources

ROOT = Path(__file__).resolve().parents[2]
ROWS = (*range(1, 14), 20, 26, *range(29, 34))
"""The rows of the comparison with other systems that consent and portability answer for."""

CERTIFIED = (
    "timestamp",
    "paused",
    "revoked",
    "expired",
    "over_frequency",
    "second_onetime",
    "delinked",
    "tampered",
)
"""What certifies an account aggregator by being refused."""


@cache
def written() -> frozenset[str]:
    """The name of every test function under tests/, and of every rule of the policy's own tests."""
    found: set[str] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found |= {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        }
    return frozenset(found)


def test_the_paper_is_written_from_the_rows() -> None:
    """docs/law.md is what `python -m consent.law.paper` prints."""
    assert (ROOT / "docs/law.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("duty", duties(), ids=lambda duty: duty.id)
def test_every_duty_has_tests_that_exist(duty: Duty) -> None:
    """A duty without a test is no duty met."""
    assert duty.tests, duty.id
    assert not set(duty.tests) - written(), duty.id
    assert duty.read in sources()


@pytest.mark.parametrize("duty", duties(), ids=lambda duty: duty.id)
def test_every_duty_names_code_that_exists(duty: Duty) -> None:
    """A module, a member of one, or a file of the policy."""
    assert duty.code, duty.id
    for name in duty.code:
        if "/" in name:
            assert (ROOT / name).is_file(), name
            continue
        module, _, member = name.rpartition(".")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), member), name


@pytest.mark.parametrize("line", self_check(), ids=lambda line: line.line)
def test_every_self_check_line_is_run(line: SelfCheck) -> None:
    """Each has a test against the sandbox; one that binds our own tokens has tests of them too."""
    assert line.test in written()
    assert line.test.startswith(f"test_fsi_{line.line.replace('-', '_')}_")
    assert bool(line.own_tests) == line.ours
    assert not set(line.own_tests) - written()


def test_the_sixteen_lines_are_all_there() -> None:
    """Six of format and life, five of issuing, three of change, two of serving."""
    groups = Counter(line.line.split("-")[0] for line in self_check())
    assert groups == {"1": 6, "2": 5, "3": 3, "4": 2}


def test_a_row_is_named_once_and_speaks_both_languages() -> None:
    """No id twice in a table; Korean and English, an article and a source on every fact."""
    assert max(Counter(duty.id for duty in duties()).values()) == 1
    every = facts()
    for rows in (every.recipient_kinds, every.ages, every.cycles, every.retention, every.exclusions):
        assert max(Counter(row.id for row in rows).values()) == 1
        for row in rows:
            assert set(row.cite) == set(row.text) == {"ko", "en"}
            assert row.source
            assert row.until is None or row.until >= row.begins
    for duty in duties():
        assert re.search("[가-힣]", duty.ko)
        assert duty.en.isascii()


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_comparison_has_a_test_of_its_name(row: int) -> None:
    """What sets this gateway beside others is tested under the number of its row."""
    assert [name for name in written() if name.startswith(f"test_row_{row}_")]


@pytest.mark.parametrize("case", CERTIFIED)
def test_every_certification_negative_has_a_test_of_its_name(case: str) -> None:
    """Each is refused by a test named after it."""
    assert [name for name in written() if name.startswith(f"test_aa_{case}")]
