"""The command line of the verifier."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from .check import verify
from .page import page
from .policy import MAX_BYTES
from .report import Finding, Report
from .source import bounded, source_of
from .stamp import Stamp
from .trust import Trust

MAX_FILE = 1 << 28


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Verify an exported consent log or a citizen's trail, offline."
    )
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything `run` reads."""
    add = parser.add_argument
    add(
        "place",
        nargs="?",
        metavar="DIR",
        help="the log: a folder, a tar file or an address",
    )
    add(
        "--key",
        required=True,
        action="append",
        metavar="VKEY",
        help="the log's key, origin+hash+base64; again for its ML-DSA-44 key, which then must have signed",
    )
    add("--policy", type=Path, metavar="FILE", help="witnesses and quorum (C2SP tlog-policy)")
    add("--max-age", type=int, metavar="SECONDS", help="the quorum must have cosigned within this time")
    add("--pinned", type=Path, metavar="CHECKPOINT", help="an earlier checkpoint you kept")
    add("--stamp", type=Path, metavar="FILE", help="a time-stamp (RFC 3161), judged by openssl ts")
    add("--stamped", type=Path, metavar="CHECKPOINT", help="the checkpoint it stamps")
    add("--tsa", type=Path, metavar="FILE", help="certificate (PEM) of the time-stamping authority you trust")
    add("--trail", type=Path, metavar="FILE", help="a citizen's trail, or opened events")
    add("--hashes-only", action="store_true", help="do not ask for entries (a public address serves none)")
    add("--token", type=Path, metavar="FILE", help="file of the bearer token of an address")
    add("--page", type=Path, metavar="FILE", help="also write the report as a page (한국어, English)")
    add("--json", action="store_true", help="print one JSON object")


def run(chosen: argparse.Namespace) -> int:
    """Verify what the command line names, print the report, give its exit code."""
    about_export = any(given is not None for given in (chosen.pinned, chosen.policy, chosen.stamp))
    if chosen.place is None and (chosen.trail is None or about_export):
        sys.stderr.write("name an export, a trail, or both; --pinned, --policy and --stamp need the export\n")
        return 2
    if len({chosen.stamp is None, chosen.stamped is None, chosen.tsa is None}) > 1:
        sys.stderr.write("--stamp, --stamped and --tsa need each other, and the export\n")
        return 2
    if chosen.max_age is not None and (chosen.policy is None or chosen.max_age < 0):
        sys.stderr.write("--max-age needs --policy: only a cosignature has a time of somebody else\n")
        return 2
    try:
        pinned, trail = _given(chosen.pinned, MAX_FILE), _given(chosen.trail, MAX_FILE)
        policy, token = _given(chosen.policy, MAX_BYTES), _given(chosen.token, MAX_BYTES)
        report = _verified(chosen, pinned, trail, policy, token)
        if chosen.page is not None:
            chosen.page.write_text(page(report, time.time(), chosen.place or "-"), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 2
    data = json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n"
    sys.stdout.write(data if chosen.json else report.as_text())
    return report.exit_code


def _verified(
    chosen: argparse.Namespace,
    pinned: bytes | None,
    trail: bytes | None,
    policy: bytes | None,
    token: bytes | None,
) -> Report:
    try:
        trust = Trust.of(chosen.key, policy, chosen.max_age)
        source = source_of(chosen.place, token.decode().strip() if token else None) if chosen.place else None
    except Finding as finding:
        return Report(findings=[finding])
    stamp = Stamp(chosen.stamped, chosen.stamp, chosen.tsa) if chosen.stamp else None
    return verify(source, trust, pinned, trail, entries=not chosen.hashes_only, stamp=stamp)


def _given(file: Path | None, limit: int) -> bytes | None:
    if file is None:
        return None
    with file.open("rb") as opened:
        try:
            return bounded(opened, str(file), limit)
        except Finding as finding:
            raise OSError(0, finding.text, str(file)) from None
