"""The export folder: compute everything again from the entries, compare every byte, accept nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .entry import read_entry
from .merkle import leaf_hash, root
from .note import Key
from .report import Finding, Report


def check_folder(folder: Path, key: Key, report: Report) -> list[bytes]:
    """Compute the whole log again from its entries and compare every file; gives the leaf hashes."""
    report.size, report.root = key.open(_read(folder, "checkpoint"), "checkpoint")
    leaves: list[bytes] = []
    expected = {"checkpoint"}
    for index, width in _tiles(report.size):
        path = f"tile/entries/{_number(index, width)}"
        leaves += _bundle(_read(folder, path), width, path)
        expected.add(path)
    row, level = leaves, 0
    while row:
        for index, width in _tiles(len(row)):
            path = f"tile/{level}/{_number(index, width)}"
            expected.add(path)
            if _read(folder, path) != b"".join(row[index * 256 : index * 256 + width]):
                report.findings.append(Finding("tile_mismatch", path, "is not computed from the entries"))
        row = [root(row[i : i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1
    if root(leaves) != report.root:
        report.findings.append(
            Finding("root_mismatch", "checkpoint", "the entries do not give the signed root")
        )
    for path in _unlisted(folder, expected):
        report.findings.append(Finding("file_unlisted", path, "is no part of this log"))
    return leaves


def _bundle(data: bytes, width: int, path: str) -> Iterator[bytes]:
    """The leaf hashes of an entry bundle: each entry behind its length, nothing else."""
    at = 0
    for number in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise Finding("bundle_malformed", path, f"ends inside entry {number}")
        read_entry(data[at + 2 : end], f"{path} entry {number}")
        yield leaf_hash(data[at + 2 : end])
        at = end
    if at != len(data):
        raise Finding("bundle_malformed", path, f"has more than {width} entries")


def _tiles(count: int) -> Iterator[tuple[int, int]]:
    """Index and width of each tile of a level of `count` hashes."""
    for first in range(0, count, 256):
        yield first // 256, min(256, count - first)


def _number(index: int, width: int) -> str:
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text if width == 256 else f"{text}.p/{width}"


def _read(folder: Path, path: str) -> bytes:
    try:
        if not stat.S_ISREG((folder / path).lstat().st_mode):
            raise Finding("file_unlisted", path, "is not a regular file")
        return (folder / path).read_bytes()
    except OSError as error:
        raise Finding("file_missing", path, error.strerror or "cannot be read") from None


def _unlisted(folder: Path, expected: set[str]) -> Iterator[str]:
    """Everything in the folder that the log does not consist of: files, links, empty folders."""
    folders = {str(parent) for path in expected for parent in Path(path).parents}
    for place, inner, names in os.walk(folder):
        for name in sorted(inner):
            path = (Path(place) / name).relative_to(folder).as_posix()
            if path not in folders or (folder / path).is_symlink():
                yield path
        for name in sorted(names):
            path = (Path(place) / name).relative_to(folder).as_posix()
            if path not in expected:
                yield path
