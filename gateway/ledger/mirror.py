"""A mirror: somebody else's copy of a log, grown only by what continues it, checked before it is kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from consent.ledger.tiles import bundle_path, bundles, hash_tiles
from consent.ledger.verify import Finding, Report, Trust, verify
from consent.ledger.verify.export import MAX_BUNDLE, MAX_TILE, read_checkpoint
from consent.ledger.verify.report import Absent
from consent.ledger.verify.source import Source
from consent.ledger.verify.statements import FILE, MAX_FILE

CURRENT, FRESH, OLD = "current", "fresh", "old"


def mirror(folder: Path, source: Source, trust: Trust, *, entries: bool) -> Report:
    """Bring `folder`/current up to the log at `source`; the verifier's report of what was fetched.

    With a finding (a fork, a rewrite, a shorter log, damage) the copy stays as it was. Full tiles are fetched
    once; everything is computed again each time, from the files as they will lie there. Where old and new do
    not fit together all is fetched anew, so that the finding is of the log and not of our copy.
    """
    current, fresh = folder / CURRENT, folder / FRESH
    if not current.exists() and (folder / OLD).exists():  # ended between the two renames below
        (folder / OLD).rename(current)
    pinned = (current / "checkpoint").read_bytes() if current.exists() else None
    try:
        _fetch(source, trust, (current, fresh), entries)
        report = verify(fresh, trust, pinned, entries=entries)
        if report.findings and pinned is not None:
            _fetch(source, trust, (fresh / "none", fresh), entries)
            report = verify(fresh, trust, pinned, entries=entries)
    except Finding as finding:
        return Report(findings=[finding])
    if report.findings:
        return report
    _sync(fresh)
    shutil.rmtree(folder / OLD, ignore_errors=True)
    if current.exists():
        current.rename(folder / OLD)
    fresh.rename(current)
    shutil.rmtree(folder / OLD, ignore_errors=True)
    return report


def _fetch(source: Source, trust: Trust, places: tuple[Path, Path], entries: bool) -> None:
    """Checkpoint and all it speaks of into the fresh folder; what never changes is linked, not asked."""
    current, fresh = places
    shutil.rmtree(fresh, ignore_errors=True)
    note = read_checkpoint(source)
    size = trust.open(note, "checkpoint", whole=True).size
    files = [(tile.path, MAX_TILE, tile.width) for tile in hash_tiles(size)]
    if entries:
        files += [(bundle_path(b.index, b.width), MAX_BUNDLE, b.width) for b in bundles(size)]
    for path, limit, width in files:
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if width == 256 and (current / path).is_file():
            os.link(current / path, target)
        elif (data := _read(source, path, limit)) is not None:
            target.write_bytes(data)
    fresh.mkdir(parents=True, exist_ok=True)
    if (said := _read(source, FILE, MAX_FILE)) is not None:
        (fresh / FILE).write_bytes(said)
    (fresh / "checkpoint").write_bytes(note)


def _read(source: Source, path: str, limit: int) -> bytes | None:
    """What is there; None for what is not: whether the log allows that gap, the verifier says."""
    try:
        return source.read(path, limit)
    except Absent:
        return None


def _sync(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in (".", *names):
            handle = os.open(Path(place) / name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
