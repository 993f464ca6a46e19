"""Verifies an exported consent log, and a citizen's trail, offline: stdlib and `cryptography` only.

    python -m consent.ledger.verify DIR --key VKEY [--pinned CHECKPOINT] [--trail FILE] [--json]

This folder imports nothing of ours: copy it anywhere and run `python -m verify`. Nothing in the export is
taken on trust. The signature must be the given key's and the only one; every leaf, tile and root is computed
again from the entries; every file must be there, no other may be, and each must have exactly the computed
bytes: flipping any bit of any file is found. Exit codes: 0 all checks passed; 2 the command or the key is
unusable; any other is that of the first finding (FINDINGS).
"""

from __future__ import annotations

from .command import add_arguments, main, run, verify
from .report import FINDINGS, INTEGRITY_ONLY, NEVER_LOGGED, Finding, Report

__all__ = [
    "FINDINGS",
    "INTEGRITY_ONLY",
    "NEVER_LOGGED",
    "Finding",
    "Report",
    "add_arguments",
    "main",
    "run",
    "verify",
]
