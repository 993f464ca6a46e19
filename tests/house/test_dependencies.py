"""docs/dependencies.md against pyproject.toml, the lock and what the installed packages declare."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def direct() -> list[str]:
    """The names of the direct dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.split(r"[\[<>=!~]", one)[0] for one in project["dependencies"]]


def rows() -> dict[str, list[str]]:
    """Package to keeper, licence and reason, as docs/dependencies.md has them."""
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    table = [line.strip("|").split("|") for line in text.splitlines() if "|" in line]
    cells = [[cell.strip() for cell in row] for row in table]
    return {cell[0]: cell[1:] for cell in cells[2:]}


def licence(package: str) -> str:
    """The licence the installed package declares, as an SPDX expression."""
    data = importlib.metadata.metadata(package)
    if declared := data.get("License-Expression"):
        return str(declared)
    text = str(data.get("License") or "")
    if 0 < len(text) < 60:
        return text
    if "Neither the name of" in text and "Redistribution and use" in text:
        return "BSD-3-Clause"
    spdx = {"MIT License": "MIT", "BSD License": "BSD-3-Clause", "Apache Software License": "Apache-2.0"}
    classifiers = [c.rpartition(" :: ")[2] for c in data.get_all("Classifier") or []]
    return " OR ".join(spdx[c] for c in classifiers if c in spdx)


def test_every_dependency_has_its_row() -> None:
    """Each direct dependency is pinned and has a row with keeper and reason; no row is left over."""
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)

    assert set(direct()) <= set(rows())
    assert set(rows()) <= set(pinned)
    assert all(len(row) == 3 and all(row) for row in rows().values())


@pytest.mark.parametrize("package", sorted(rows()))
def test_the_licence_told_is_the_one_declared(package: str) -> None:
    """What docs/dependencies.md says of a licence is what the installed package says."""
    assert rows()[package][1] == licence(package)
