"""Verifies an exported consent log, and a citizen's trail, offline: stdlib and `cryptography` only.

    python -m consent.ledger.verify DIR|TAR|ADDRESS --key VKEY
        [--policy FILE [--max-age SECONDS]] [--pinned CHECKPOINT] [--trail FILE] [--page FILE] [--json]

This folder imports nothing of ours: copy it anywhere and run `python -m verify`. Nothing in the export is
taken on trust. The signature must be the given key's, and every other signature that of a key given, too;
every leaf, tile and root is computed again from the entries; every file must be there, no other may be, and
each must have exactly the computed bytes: flipping any bit of any file is found. Exit codes: 0 all checks
passed; 2 the command or a key is unusable; any other is that of the first finding (FINDINGS).
"""

from __future__ import annotations

from .check import verify
from .command import add_arguments, main, run
from .policy import Policy
from .report import FINDINGS, INTEGRITY_ONLY, NEVER_LOGGED, Finding, Report
from .source import source_of
from .trust import Trust

__all__ = [
    "FINDINGS",
    "INTEGRITY_ONLY",
    "NEVER_LOGGED",
    "Finding",
    "Policy",
    "Report",
    "Trust",
    "add_arguments",
    "main",
    "run",
    "source_of",
    "verify",
]
