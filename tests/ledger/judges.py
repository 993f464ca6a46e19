"""Who judges a log: our verifier, Go's own tlog, a verifier from PyPI; each alone, under a time-out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests import aics, opa
from tests.ledger.corruption import Case

SECONDS = 60
AUDIT = aics.PINNED.with_name("audit.py")

Judge = Callable[[Case], bool]
"""Whether the judge accepts an export. A time-out is a failure of the test, not a verdict."""


def _run(command: list[str | Path]) -> bool:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode != 2, done.stderr
    assert "Traceback" not in done.stderr or "Error" in done.stderr.splitlines()[-1]
    return done.returncode == 0


def ours(case: Case, *, seen: bool) -> bool:
    """`consent.ledger.verify`, with or without the checkpoint of last time."""
    pinned: list[str | Path] = ["--pinned", case.earlier] if seen else []
    module = [sys.executable, "-m", "consent.ledger.verify"]
    return _run([*module, case.folder, "--key", case.key, *pinned])


def go(case: Case) -> bool:
    """golang.org/x/mod/sumdb: every leaf, and the consistency proof."""
    path, reason = opa.binary("tlog")
    if path is None:
        pytest.skip(f"group tlog: {reason}")
    return _run([path, case.folder, case.key, case.earlier])


def aics_tlog(case: Case) -> bool:
    """PyPI aics-tlog: every tile, every bundle, and the consistency proof."""
    path, reason = aics.folder()
    if path is None:
        pytest.skip(f"group aics: {reason}")
    return _run([path / "python", AUDIT, case.folder, case.key, case.earlier])


JUDGES: dict[str, Judge] = {
    "ours": partial(ours, seen=False),
    "ours, seen before": partial(ours, seen=True),
    "Go x/mod": go,
    "aics-tlog": aics_tlog,
}
