"""Every official module is either a test of its name or listed with a reason; the page says the same."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from tests.conformance.tables import HERE, PAGE, modules, variants_of, written
from tests.conformance.variants import VARIANTS
from tests.samples import reference_dir

ROOT = HERE.parents[1]


@lru_cache
def collected() -> dict[tuple[str, str], set[str]]:
    """Module and variant of every id of the module tests, with its stores, as pytest collects them."""
    files = sorted(str(path) for path in Path(__file__).parent.glob("test_fapi2_modules_*.py"))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[tuple[str, str], set[str]] = {}
    for line in re.findall(r"\[(.+)\]$", printed, flags=re.MULTILINE):
        (store,) = [store for store in ("sqlite", "postgresql") if store in line]
        module, _, variant = re.sub(f"^{store}-|-{store}$", "", line).rpartition("-")
        found.setdefault((module, variant), set()).add(store)
    return found


def not_built() -> list[str]:
    """The names recorded with a reason."""
    return [name for group in modules()["not_built"] for name in group["modules"]]


def test_every_claimed_module_is_a_test_in_each_of_its_variants_on_both_stores() -> None:
    """No claim without a collected id of exactly that name, no id without a claim."""
    claimed = {(name, variant.id) for name in modules()["claimed"] for variant in variants_of(name)}
    assert set(collected()) == claimed
    assert all(stores == {"sqlite", "postgresql"} for stores in collected().values())


def test_each_limit_names_claimed_modules_and_a_value_that_is_run() -> None:
    """A module is left out of a variant only by what the suite itself declares."""
    for limit in modules()["only"]:
        values = {name: value for name, value in limit.items() if name != "modules"}
        assert set(limit["modules"]) <= set(modules()["claimed"])
        assert 0 < sum(variant.fits(values) for variant in VARIANTS) < len(VARIANTS)


def test_no_module_is_both_claimed_and_excused() -> None:
    """Each name once, each reason said."""
    names = [*modules()["claimed"], *not_built()]
    assert len(names) == len(set(names))
    assert all(group["reason"] for group in modules()["not_built"])


def test_the_page_shows_the_tables() -> None:
    """docs/conformance.md is what `python -m tests.conformance.tables` writes."""
    assert written(PAGE.read_text()) == PAGE.read_text()


def test_the_published_list_is_covered() -> None:
    """Every module of the published list is claimed or excused."""
    folder = reference_dir()
    listed: Path | None = folder / "fapi2-modules.txt" if folder else None
    if listed is None or not listed.is_file():
        pytest.skip("group samples: the published list of FAPI 2.0 modules is absent")
    missing = set(listed.read_text().split()) - set(modules()["claimed"]) - set(not_built())
    assert not missing
