"""The ledger before judges nobody here wrote: what each accepts and refuses, class by class."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.ledger.corruption import CLASSES, made
from tests.ledger.judges import JUDGES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "ledger.md"


def table() -> dict[str, dict[str, str]]:
    """The table of docs/design/ledger.md: class -> judge -> accepts | refuses."""
    text = PAGE.read_text(encoding="utf-8")
    part = text.partition("## Judges\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"\s*([^|]+?)\s*\|", row[1:]) for row in part.splitlines() if row.startswith("|")]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


TABLE = table()


def test_the_table_is_whole() -> None:
    """Every class has a verdict of every judge; nothing wrong is accepted by all, or by ours seen before."""
    judges = [name for name in next(iter(TABLE.values())) if name != "aics-witness"]
    assert list(TABLE) == list(CLASSES)
    assert judges == list(JUDGES)
    for name, verdicts in TABLE.items():
        wanted = "accepts" if name == "honest" else "refuses"
        assert wanted in verdicts.values(), name
        assert verdicts["ours, seen before"] == wanted, name


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("name", CLASSES)
def test_each_judge_says_what_the_table_says(name: str, judge: str, tmp_path: Path) -> None:
    """The verdict is taken from the judge itself, in a process of its own, under a time-out."""
    accepted = JUDGES[judge](made(name, tmp_path))

    assert ("accepts" if accepted else "refuses") == TABLE[name][judge]
