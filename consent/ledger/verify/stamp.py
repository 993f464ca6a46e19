"""A time-stamp (RFC 3161) over a checkpoint: somebody else's word for when it was there.

The token's signature, its imprint of the checkpoint's bytes and the authority's certificate are judged by
`openssl ts`, not by code of ours; here it is checked that what was stamped is a checkpoint of this log.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .merkle import root as root_of
from .report import Finding, Report
from .trust import Trust

SECONDS = 60

_TIME = re.compile(r"^Time stamp: (.{1,60})$", re.MULTILINE)


@dataclass(frozen=True)
class Stamp:
    """The checkpoint that was stamped, the authority's answer, and the certificate a reader trusts (PEM)."""

    note: Path
    token: Path
    authority: Path


def check_stamp(stamp: Stamp, note: bytes, trust: Trust, leaves: Sequence[bytes], report: Report) -> None:
    """Raise Finding `stamp_checkpoint`, `stamp_wrong`; OSError when there is no `openssl` to judge with."""
    try:
        head = trust.open(note, "--stamped", whole=False)
    except Finding as finding:
        raise Finding("stamp_checkpoint", "--stamped", finding.text) from None
    if head.size > len(leaves) or root_of(list(leaves[: head.size])) != head.root:
        raise Finding("stamp_checkpoint", "--stamped", "is of another history than this log")
    names = ["-data", str(stamp.note), "-in", str(stamp.token), "-CAfile", str(stamp.authority)]
    judged = _openssl("-verify", *names)
    if judged.returncode or "Verification: OK" not in judged.stdout + judged.stderr:
        raise Finding("stamp_wrong", "--stamp", "openssl ts does not accept it for this checkpoint")
    time = _TIME.search(_openssl("-reply", "-in", str(stamp.token), "-text").stdout)
    report.stamped = (head.size, time[1] if time else "a time openssl does not print")
    report.did("stamp")


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which("openssl")
    if path is None:
        raise FileNotFoundError(2, "is needed to judge a time-stamp and is not on this machine", "openssl")
    return subprocess.run(  # noqa: S603 - a program by its path, arguments as a list
        [path, "ts", *arguments],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        text=True,
        errors="replace",
    )
