"""The law as data: dated, sourced, in step with the catalogue, with a text for every code."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any

import pytest

from consent.catalogue import load as load_catalogue
from consent.errors import CatalogueError
from consent.law.fair_use import fair_use
from gateway.policy import reasons, reference
from gateway.policy.bundle import default_folder

DATA: dict[str, Any] = json.loads(
    (default_folder() / "mydata/reference/data.json").read_text(encoding="utf-8")
)
KST = timezone(timedelta(hours=9))
ROWS = [
    *chain.from_iterable(s["basis"] for s in DATA["sectors"].values()),
    *chain.from_iterable(DATA["limits"].values()),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['effective_on']} {row['article']}")
def test_each_row_is_dated_and_sourced(row: dict[str, Any]) -> None:
    """The epoch is midnight in Korea of the written day; source and verified are stated."""
    day = datetime.fromisoformat(row["effective_on"]).replace(tzinfo=KST)
    assert row["effective_from"] == int(day.timestamp())
    assert row["source"]
    assert row["verified"] in {"yes", "no"}


def test_no_two_rows_of_one_fact_share_a_day() -> None:
    """The row in force is always one."""
    for rows in [*(s["basis"] for s in DATA["sectors"].values()), *DATA["limits"].values()]:
        days = [row["effective_from"] for row in rows]
        assert len(set(days)) == len(days)


def test_the_basis_is_that_of_the_catalogue() -> None:
    """Pages and policy state the same basis, needs and verification on every day one begins."""
    catalogue = load_catalogue()
    assert set(DATA["sectors"]) == set(catalogue.sectors)
    for sector, entry in DATA["sectors"].items():
        for row in entry["basis"]:
            day = datetime.fromisoformat(row["effective_on"]).date()
            written = catalogue.legal_basis(sector, day)
            assert (written.basis, written.effective_from) == (row["basis"], day)
            for fact in ("recipients", "periodic", "operators", "needs"):
                assert tuple(row[fact]) == getattr(written, fact)
            assert (row["verified"] == "yes") == written.verified
            with pytest.raises(CatalogueError, match="no_legal_basis"):
                catalogue.legal_basis(sector, day - timedelta(days=1))


def test_the_reach_back_covers_the_catalogue() -> None:
    """No dataset may be asked further back by the catalogue than policy allows its sector."""
    catalogue = load_catalogue()
    for dataset in catalogue.datasets.values():
        assert DATA["sectors"][dataset.sector]["history_days"] >= dataset.history_max_days


def test_the_longest_retention_of_the_catalogue_is_kept() -> None:
    """The limit never cuts a retention a purpose may ask for."""
    longest = max(purpose.max_retention.most_days for purpose in load_catalogue().purposes.values())
    assert DATA["limits"]["retention_days"][-1]["value"] >= longest


def test_recipients_of_a_cycle_are_recipients() -> None:
    """Whoever may receive on a cycle may receive; a general recipient never may."""
    for entry in DATA["sectors"].values():
        for row in entry["basis"]:
            assert set(row["periodic"]) <= set(row["recipients"])
            assert "general" not in row["periodic"]


def test_every_code_has_its_words() -> None:
    """Each code speaks Korean and English, and nothing else has words but the engine's own two codes."""
    assert set(reasons.catalogue()) - set(DATA["codes"]) == {"policy_unavailable", "policy_question_invalid"}
    for code in DATA["codes"]:
        for language in ("ko", "en"):
            assert reasons.text(code, language).strip()
            assert reasons.text(code, language) != code


def test_korean_words_are_polite() -> None:
    """Korean texts end as one person speaks to another."""
    for code, entry in reasons.catalogue().items():
        assert entry["ko"].rstrip(".").split(":")[0].rstrip().endswith("요"), code


def test_what_is_open_to_youth_is_that_of_the_catalogue() -> None:
    """Page and policy let somebody of 14 to 18 agree alone to the same sectors of the same purposes."""
    assert DATA["youth"] == reference.youth(load_catalogue())


def test_the_fair_use_table_is_that_of_the_law() -> None:
    """Policy judges by the very rows the door of requests refuses by."""
    assert DATA["fair_use"] == reference.fair_use(fair_use())
