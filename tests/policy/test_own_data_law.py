"""A citizen's own data in law: the policy's dates are the catalogue's; what is excluded exists."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from consent.catalogue import load as load_catalogue
from consent.exclusions import REASONS, asked_item, exclusions
from consent.refusal_grounds import grounds
from gateway.policy.bundle import default_folder

DATA = json.loads((default_folder() / "mydata/reference/data.json").read_text(encoding="utf-8"))
KST = timezone(timedelta(hours=9))


def test_pipa_42_2_self_download_duties_begin_when_the_catalogue_says() -> None:
    """Pages and policy state the same duty from the same day, article and verification."""
    catalogue = load_catalogue()
    written = {
        (row.sector, row.article, row.effective_from.isoformat(), row.verified) for row in catalogue.downloads
    }
    stated = {
        (sector, row["article"], row["effective_on"], row["verified"] == "yes")
        for sector, rows in DATA["self_download"].items()
        for row in rows
    }
    assert stated == written
    for rows in DATA["self_download"].values():
        for row in rows:
            day = datetime.fromisoformat(row["effective_on"]).replace(tzinfo=KST)
            assert row["effective_from"] == int(day.timestamp())


def test_pipa_42_4_what_is_excluded_is_a_field_of_the_catalogue() -> None:
    """Each excluded field exists, with a reason of the Decree; every dataset has something left to ask."""
    catalogue = load_catalogue()
    for dataset, fields in exclusions().items():
        assert set(fields) <= set(catalogue.dataset(dataset).fields)
        assert set(fields.values()) <= REASONS
    for id, known in catalogue.datasets.items():
        item = asked_item(catalogue, "holder", id)
        assert item.fields
        assert {*item.fields, *item.excluded} == set(known.fields)


def test_pipa_42_8_policy_and_grounds_name_the_same_numbers() -> None:
    """A policy code whose article is one of the eleven states that very ground."""
    prefix = "PIPA Enforcement Decree 42-8(1)"
    by_reason = {reason: one.number for one in grounds().values() for reason in one.reasons}
    numbered = {
        code: int(entry["article"].removeprefix(prefix))
        for code, entry in DATA["codes"].items()
        if (entry["article"] or "").startswith(prefix)
    }
    assert numbered
    assert {code: by_reason.get(code) for code in numbered} == numbered
