"""The command line of the verifier."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .folder import check_folder
from .merkle import root as root_of
from .note import Key
from .report import Finding, Report
from .trail import check_trail


def verify(
    folder: Path | None, key_text: str, pinned: bytes | None = None, trail: bytes | None = None
) -> Report:
    """Check the export in `folder` (and continuity with `pinned`, and `trail`); a trail also stands alone."""
    report = Report()
    leaves: list[bytes] | None = None
    try:
        key = Key(key_text)
        report.origin = key.name
        if folder is not None:
            leaves = check_folder(folder, key, report)
        if pinned is not None and not report.findings:
            _pinned(pinned, key, leaves, report)
        if trail is not None and not report.findings:
            check_trail(trail, key, leaves, report)
    except Finding as finding:
        report.findings.append(finding)
    return report


def _pinned(note: bytes, key: Key, leaves: list[bytes] | None, report: Report) -> None:
    """An earlier checkpoint, kept by the verifier, must be a beginning of this log."""
    try:
        size, root = key.open(note, "--pinned")
    except Finding as finding:
        raise Finding("pinned_checkpoint", "--pinned", finding.text) from None
    if leaves is None or size > len(leaves):
        raise Finding("pinned_newer", "--pinned", f"knows {size} entries, this log has fewer")
    if root_of(leaves[:size]) != root:
        raise Finding("pinned_inconsistent", "--pinned", f"the first {size} entries were others then")
    report.pinned = size


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Verify an exported consent log or a citizen's trail, offline."
    )
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything `run` reads."""
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="the exported log")
    parser.add_argument("--key", required=True, metavar="VKEY", help="the log's key: origin+hash+base64")
    parser.add_argument("--pinned", type=Path, metavar="CHECKPOINT", help="an earlier checkpoint you kept")
    parser.add_argument("--trail", type=Path, metavar="FILE", help="a citizen's trail")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(chosen: argparse.Namespace) -> int:
    """Verify what the command line names, print the report, give its exit code."""
    if chosen.folder is None and (chosen.trail is None or chosen.pinned is not None):
        sys.stderr.write("name the folder of an export, a trail, or both; --pinned needs the folder\n")
        return 2
    try:
        pinned = chosen.pinned.read_bytes() if chosen.pinned else None
        trail = chosen.trail.read_bytes() if chosen.trail else None
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 2
    report = verify(chosen.folder, chosen.key, pinned, trail)
    shown = (
        json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n" if chosen.json else report.as_text()
    )
    sys.stdout.write(shown)
    return report.exit_code
