"""Checks an exported log with `aics_tlog` and nothing of ours: audit.py DIR VKEY [EARLIER].

Signature, every tile, every entry bundle (audit_tiles), and the consistency proof to an earlier checkpoint.
Exit code 0: all held; 1: something did not, named on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aics_tlog


def opened(file: Path, vkey: aics_tlog.VKey) -> aics_tlog.Checkpoint:
    """The checkpoint, signed by the given key."""
    note = aics_tlog.parse_note(file.read_text(encoding="utf-8"))
    result = aics_tlog.verify_checkpoint(note, vkey, expected_origin=vkey.name)
    if not result.ok:
        sys.exit(f"{file.name}: {result.error}")
    return aics_tlog.parse_checkpoint(note.text)


def main(folder: Path, key: str, earlier: Path | None) -> None:
    """Everything the library can check of a folder."""
    vkey = aics_tlog.parse_vkey(key)
    new = opened(folder / "checkpoint", vkey)
    reader = aics_tlog.FileSystemTileReader(folder)
    aics_tlog.audit_tiles(reader, new.size, new.root)
    if earlier is None:
        return
    old = opened(earlier, vkey)
    if old.size > new.size:
        sys.exit(f"the log had {old.size} entries before, now {new.size}")
    proof = aics_tlog.consistency_proof_from_tiles(reader, old.size, new.size)
    if not aics_tlog.verify_consistency(old.size, new.size, old.root, new.root, proof):
        sys.exit("the earlier log is not a beginning of this one")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None)
