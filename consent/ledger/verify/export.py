"""An exported log: every file is computed again from the entries."""

from __future__ import annotations

from collections.abc import Iterator

from .entry import read_entry
from .merkle import leaf_hash, root
from .note import MAX_NOTE, Head
from .report import Finding, Report
from .source import Source

MAX_TILE, MAX_BUNDLE = 256 * 32, 256 * 1002


def read_checkpoint(source: Source) -> bytes:
    """The log's own statement of what it is."""
    return source.read("checkpoint", MAX_NOTE)


def check_export(source: Source, head: Head, report: Report, *, entries: bool = True) -> list[bytes]:
    """Compute the whole log again and compare every file with it; gives the leaf hashes.

    Without `entries` (a public address serves none) the tree is computed from its lowest hashes: that shows
    one consistent tree, not what its leaves say.
    """
    if head.size > report.most:
        raise Finding("source_unreadable", "checkpoint", f"claims {head.size} entries, more than --most")
    expected = {"checkpoint"}
    leaves = _leaves(source, head.size, expected, report, entries)
    row, level = leaves, 0
    while row:
        for index, width in _tiles(len(row)):
            path = f"tile/{level}/{_number(index, width)}"
            expected.add(path)
            if _tile(source, path) != b"".join(row[index * 256 : index * 256 + width]):
                report.findings.append(Finding("tile_mismatch", path, "is not computed from the entries"))
        row = [root(row[i : i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1
    if root(leaves) != head.root:
        report.findings.append(
            Finding("root_mismatch", "checkpoint", "the entries do not give the signed root")
        )
    for path in source.unlisted(expected):
        report.findings.append(Finding("file_unlisted", path, "is no part of this log"))
    report.did("tree", *(["entries"] if entries else []))
    return leaves


def _leaves(source: Source, size: int, expected: set[str], report: Report, entries: bool) -> list[bytes]:
    leaves: list[bytes] = []
    for index, width in _tiles(size):
        if entries:
            path = f"tile/entries/{_number(index, width)}"
            leaves += _bundle(source.read(path, MAX_BUNDLE), width, path, report)
            expected.add(path)
            continue
        path = f"tile/0/{_number(index, width)}"
        data = _tile(source, path)
        if len(data) != 32 * width:
            raise Finding("tile_mismatch", path, f"has not {width} hashes")
        leaves += [data[i : i + 32] for i in range(0, len(data), 32)]
    return leaves


def _bundle(data: bytes, width: int, path: str, report: Report) -> Iterator[bytes]:
    """The leaf hashes of an entry bundle: each entry behind its length, nothing else."""
    at = 0
    for number in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise Finding("bundle_malformed", path, f"ends inside entry {number}")
        fields = read_entry(data[at + 2 : end], f"{path} entry {number}")
        report.count(fields[3].decode(), concerns_someone=5 in fields)
        yield leaf_hash(data[at + 2 : end])
        at = end
    if at != len(data):
        raise Finding("bundle_malformed", path, f"has more than {width} entries")


def _tile(source: Source, path: str) -> bytes:
    try:
        return source.read(path, MAX_TILE)
    except Finding as finding:
        if finding.code != "file_too_long":
            raise
        return b""


def _tiles(count: int) -> Iterator[tuple[int, int]]:
    """Index and width of each tile of a level of `count` hashes."""
    for first in range(0, count, 256):
        yield first // 256, min(256, count - first)


def _number(index: int, width: int) -> str:
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text if width == 256 else f"{text}.p/{width}"
