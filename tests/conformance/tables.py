"""The tables of docs/conformance.md made from data; `python -m tests.conformance.tables` writes them.

A test compares them with the page, so that page, data and tests cannot drift apart.
"""

from __future__ import annotations

from dataclasses import astuple, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.variants import VARIANTS, Variant

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "conformance.md"


@lru_cache
def modules() -> dict[str, Any]:
    """What we claim and what we do not, with the reason."""
    read: dict[str, Any] = yaml.safe_load((HERE / "modules.yaml").read_text())
    return read


def differences() -> list[dict[str, Any]]:
    """Where we answer otherwise than the peer, with our reason and its clause."""
    read: list[dict[str, Any]] = yaml.safe_load((HERE / "differences.yaml").read_text())
    return read


def variants_of(module: str) -> list[Variant]:
    """The variants a claimed module exists for."""
    limits = [one for one in modules()["only"] if module in one["modules"]]
    only = {name: value for one in limits for name, value in one.items() if name != "modules"}
    return [variant for variant in VARIANTS if variant.fits(only)]


def _variants() -> list[str]:
    rows = [f"| {n} | {' | '.join(astuple(variant))} |" for n, variant in enumerate(VARIANTS, 1)]
    names = " | ".join(field.name for field in fields(Variant))
    return [f"| | {names} |", "|---" * (len(fields(Variant)) + 1) + "|", *rows]


def _modules_claimed() -> list[str]:
    rows = [
        f"| `{name}` | {_numbers(variants_of(name))} | {checks} |"
        for name, checks in modules()["claimed"].items()
    ]
    return ["| Module | Variants | What it looks at |", "|---|---|---|", *rows]


def _numbers(variants: list[Variant]) -> str:
    return "all" if len(variants) == len(VARIANTS) else " ".join(str(VARIANTS.index(v) + 1) for v in variants)


def _modules_not_built() -> list[str]:
    rows = [
        f"| {', '.join(f'`{name}`' for name in group['modules'])} | {group['reason']} |"
        for group in modules()["not_built"]
    ]
    return ["| Modules | Reason |", "|---|---|", *rows]


def _differences() -> list[str]:
    rows = [
        f"| {', '.join(f'`{name}`' for name in entry['cases'])} | {entry['ours']} | {entry['theirs']} "
        f"| {entry['why']} ({entry['clause']}) |"
        for entry in differences()
    ]
    return ["| Request | Ours | oidc-provider | Why |", "|---|---|---|---|", *rows]


TABLES = {
    "variants": _variants,
    "modules-claimed": _modules_claimed,
    "modules-not-built": _modules_not_built,
    "differences": _differences,
}


def written(page: str) -> str:
    """`page` with every table as the data says now."""
    for name, rows in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        table = "\n".join([begin, "", *rows(), "", end])
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"docs/conformance.md needs {begin} ... {end} exactly once")
        page = page[: page.index(begin)] + table + page[page.index(end) + len(end) :]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
