"""An exported log: every file is computed again from the entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .census import KIND as CENSUS
from .entry import read_entry
from .merkle import leaf_hash, root
from .note import MAX_NOTE, Head, Key
from .report import Absent, Finding, Report
from .source import Source
from .statements import FILE, REMOVED, SHARD, Statements

MAX_TILE, MAX_BUNDLE = 256 * 32, 256 * 1002


def read_checkpoint(source: Source) -> bytes:
    """The log's own statement of what it is."""
    return source.read("checkpoint", MAX_NOTE)


def check_export(
    source: Source, head: Head, keys: Sequence[Key], report: Report, *, entries: bool = True
) -> list[bytes]:
    """Compute the whole log again and compare every file with it; gives the leaf hashes.

    Without `entries` (a public address serves none) the tree is computed from its lowest hashes: that shows
    one consistent tree, not what its leaves say. `keys` are the log's; what it says of itself is opened.
    """
    if head.size > report.most:
        raise Finding("source_unreadable", "checkpoint", f"claims {head.size} entries, more than --most")
    made = Statements.read(source)
    expected = {"checkpoint"} | ({FILE} if made else set())
    leaves = _Leaves(source, report, made or Statements(), expected).read(head.size, entries=entries)
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
    if entries and not made and head.origin > keys[0].name:
        raise Finding("shard_wrong", "checkpoint", f"no entry says that {keys[0].name} became {head.origin}")
    if made and not report.findings:
        made.check(leaves, head, keys, report)
    return leaves


class _Leaves:
    """Reads the leaf hashes: from the entries, or for those the log says were removed, from their tile."""

    def __init__(self, source: Source, report: Report, made: Statements, expected: set[str]) -> None:
        self._source, self._report, self._made, self._expected = source, report, made, expected
        self._missing: set[int] = set()
        self._census: int | None = None

    def read(self, size: int, *, entries: bool) -> list[bytes]:
        leaves: list[bytes] = []
        for index, width in _tiles(size):
            leaves += self._bundle(index, width, leaves) if entries else self._hashes(index, width)
        if self._census is not None and self._census not in self._made.made:
            raise Finding("statement_wrong", FILE, f"does not open entry {self._census}, the last census")
        for first, end, tagged in self._made.removed():
            if missing := [i for i in range(first // 256, end // 256) if i in self._missing]:
                self._report.gaps.append((missing[0] * 256, missing[-1] * 256 + 256))
                self._report.untold[end] = tagged
                self._report.flags[first:end] = bytes(end - first)
        return leaves

    def _bundle(self, index: int, width: int, before: list[bytes]) -> list[bytes]:
        path = f"tile/entries/{_number(index, width)}"
        try:
            data = self._source.read(path, MAX_BUNDLE)
        except Absent:
            hashes = self._hashes(index, width)
            if not any(a <= index * 256 and index * 256 + 256 <= end for a, end, _ in self._made.removed()):
                raise Finding("gap_unnamed", path, "is missing and no entry says it was removed") from None
            self._missing.add(index)
            self._report.flags.extend(bytes(width))
            return hashes
        self._expected.add(path)
        found = list(_bundle(data, width, path, self._report))
        for position, (_, kind) in enumerate(found, len(before)):
            if kind in (SHARD, REMOVED) and position not in self._made.made:
                raise Finding("statement_wrong", FILE, f"does not open entry {position}, {kind}")
            self._census = position if kind == CENSUS else self._census
        return [leaf for leaf, _ in found]

    def _hashes(self, index: int, width: int) -> list[bytes]:
        path = f"tile/0/{_number(index, width)}"
        data = _tile(self._source, path)
        if len(data) != 32 * width:
            raise Finding("tile_mismatch", path, f"has not {width} hashes")
        return [data[i : i + 32] for i in range(0, len(data), 32)]


def _bundle(data: bytes, width: int, path: str, report: Report) -> Iterator[tuple[bytes, str]]:
    """Leaf hash and kind of each entry of a bundle: each behind its length, nothing else."""
    at = 0
    for number in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise Finding("bundle_malformed", path, f"ends inside entry {number}")
        fields = read_entry(data[at + 2 : end], f"{path} entry {number}")
        report.count(fields[3].decode(), concerns_someone=5 in fields)
        yield leaf_hash(data[at + 2 : end]), fields[3].decode()
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
