"""Everything that can be checked of one export, in the order a reader would."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from .export import check_export, read_checkpoint
from .merkle import root as root_of
from .report import Finding, Report
from .source import Source, source_of
from .stamp import Stamp, check_stamp
from .trail import check_trail
from .trust import Trust


def verify(
    source: Source | Path | None,
    key: str | Trust,
    pinned: bytes | None = None,
    trail: bytes | None = None,
    *,
    entries: bool = True,
    stamp: Stamp | None = None,
) -> Report:
    """Check the export in `source` (and `pinned`, `stamp`, `trail` against it); a trail also stands alone."""
    report = Report(hashes_only=not entries)
    leaves: list[bytes] | None = None
    try:
        trust = Trust.of([key]) if isinstance(key, str) else key
        report.origin = trust.keys[0].name
        if source is not None:
            opened = source_of(str(source)) if isinstance(source, Path) else source
            with closing(opened):
                leaves = _whole(opened, trust, report, entries)
        if pinned is not None and not report.findings:
            _pinned(pinned, trust, leaves, report)
        if stamp is not None and leaves is not None and not report.findings:
            check_stamp(stamp, stamp.note.read_bytes(), trust, leaves, report)
        if trail is not None and not report.findings:
            check_trail(trail, trust.keys, leaves, report)
    except Finding as finding:
        report.findings.append(finding)
    return report


def _whole(source: Source, trust: Trust, report: Report, entries: bool) -> list[bytes]:
    head = trust.open(read_checkpoint(source), "checkpoint", whole=True)
    report.origin, report.size, report.root = head.origin, head.size, head.root
    report.did("signature")
    trust.judge(head, report)
    return check_export(source, head, trust.keys, report, entries=entries)


def _pinned(note: bytes, trust: Trust, leaves: list[bytes] | None, report: Report) -> None:
    """An earlier checkpoint, kept by the verifier, must be a beginning of this log."""
    try:
        head = trust.open(note, "--pinned", whole=False)
    except Finding as finding:
        raise Finding("pinned_checkpoint", "--pinned", finding.text) from None
    if head.origin > report.origin and head.origin[:-4] == report.origin[:-4]:
        raise Finding("pinned_newer", "--pinned", f"is of {head.origin}, this log still of {report.origin}")
    if leaves is None or head.size > len(leaves):
        raise Finding("pinned_newer", "--pinned", f"knows {head.size} entries, this log has fewer")
    if root_of(leaves[: head.size]) != head.root:
        raise Finding("pinned_inconsistent", "--pinned", f"the first {head.size} entries were others then")
    report.pinned = head.size
    report.did("continuity")
