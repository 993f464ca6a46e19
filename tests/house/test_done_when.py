"""What "done" means for consent and portability, row by row: a test named after each, on both stores.

Rows: the duties of transfer rights by article, what certifies an account aggregator by being refused, and the
rows of the comparison with other systems. Collected, not only written: a test that no longer runs is none.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOTH = frozenset({"sqlite", "postgresql"})
NAMED = re.compile(
    r"def (test_(?:pipa|aa|row)_\w+|test_withdrawing_is_no_harder\w+|test_only_consent_and\w+)"
)

NEGATIVES = (
    "timestamp",
    "paused",
    "revoked",
    "expired",
    "over_frequency",
    "second_onetime",
    "delinked",
    "tampered",
)
STORED = {
    "a request for one's own data": "test_pipa_42_5_own_data",
    "changing and withdrawing are no harder": "test_row_11_withdrawing_takes_no_more_steps",
    "without delay, or told": "test_pipa_42_6_1_",
    "agents keep nothing": "test_pipa_42_6_5_",
    "records of three years": "test_pipa_42_6_11_",
    "told once a year": "test_pipa_42_6_12_",
    "refused on a ground, and told": "test_pipa_42_8_a_refusal",
    "supervision": "test_pipa_42_16_",
    "the end of an intermediary": "test_pipa_42_12_7_",
    "guardians": "test_pipa_22_2_",
    **{f"negative: {case}": f"test_aa_{case}" for case in NEGATIVES},
    **{f"row {row}": f"test_row_{row}_" for row in (1, *range(3, 14), 20, 26, 29, 30, 31, 32, 33)},
}  # fmt: skip
"""What a store takes part in: on SQLite and on PostgreSQL."""

PURE = {
    "a request for somebody else": "test_pipa_42_5_3_",
    "a cycle to institutions only": "test_pipa_42_5_5_",
    "the channel": "test_pipa_42_6_3_",
    "through an intermediary, health data to special institutions": "test_pipa_42_6_7_",
    "nothing unrelated": "test_pipa_42_6_8_1_",
    "no other consent with it": "test_pipa_42_6_8_2_",
    "nobody is pressed": "test_pipa_42_6_8_3_",
    "nothing altered": "test_pipa_42_6_8_5_",
    "no overload": "test_pipa_42_6_8_7_",
    "no credentials": "test_pipa_42_6_9_",
    "the eleven grounds": "test_pipa_42_8_every_ground",
    "out of scope": "test_pipa_42_4_1_",
    "optional is optional": "test_pipa_22_5_",
    "row 2": "test_row_2_",
}
"""Decided by data, policy or a format alone, before any store; policy on both engines (tests/policy)."""


@cache
def collected() -> dict[str, frozenset[str]]:
    """Every named test that pytest collects, and the stores it runs on."""
    files = [
        str(file)
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        if NAMED.search(file.read_text(encoding="utf-8"))
    ]
    words = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files)
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert said.returncode == 0, said.stdout[-2000:]
    found: dict[str, set[str]] = {}
    for line in said.stdout.splitlines():
        name, _, varied = line.rpartition("::")[2].partition("[")
        found.setdefault(name, set()).update(set(re.split(r"[-\]]", varied)) & BOTH)
    return {name: frozenset(stores) for name, stores in found.items()}


@pytest.mark.parametrize("row", STORED)
def test_a_row_is_proven_on_both_stores(row: str) -> None:
    """At least one test of its name runs on SQLite and the same one on PostgreSQL."""
    named = {name: on for name, on in collected().items() if name.startswith(STORED[row])}
    assert named, f"{row}: no test named {STORED[row]}"
    assert [name for name, on in named.items() if on == BOTH], f"{row}: {sorted(named)} on one store only"


@pytest.mark.parametrize("row", PURE)
def test_a_row_without_a_store_is_proven(row: str) -> None:
    """At least one test of its name is collected."""
    assert [name for name in collected() if name.startswith(PURE[row])], row
