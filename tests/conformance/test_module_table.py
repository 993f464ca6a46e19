"""Every official module is either a test of its name or listed with a reason; the page says the same."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from tests.conformance.tables import HERE, PAGE, modules, written
from tests.samples import reference_dir

ROOT = HERE.parents[1]


@lru_cache
def collected() -> dict[str, set[str]]:
    """Every id of the module tests with the stores it runs on, as pytest itself collects them."""
    files = sorted(str(path) for path in HERE.glob("test_fapi2_modules_*.py"))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, set[str]] = {}
    for line in re.findall(r"\[(.+)\]$", printed, flags=re.MULTILINE):
        store = next(store for store in ("sqlite", "postgresql") if store in line)
        found.setdefault(re.sub(f"^{store}-|-{store}$", "", line), set()).add(store)
    return found


def not_built() -> list[str]:
    """The names recorded with a reason."""
    return [name for group in modules()["not_built"] for name in group["modules"]]


def test_every_claimed_module_is_a_test_on_both_stores() -> None:
    """No claim without a collected id of exactly that name, no id without a claim."""
    ids = {name: stores for name, stores in collected().items() if name not in ("sqlite", "postgresql")}
    assert set(ids) == set(modules()["claimed"])
    assert all(stores == {"sqlite", "postgresql"} for stores in ids.values())


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
