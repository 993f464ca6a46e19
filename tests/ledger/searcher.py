"""Somebody who has every identifier of every citizen, and all that the operator still stores.

For each entry of the log: whose is it? Tried are the citizens' keys that can still be unwrapped, every
common digest of every identifier, alone and as a key, in the entry, its tag and its commitment; every stored
row that names a citizen and something of an entry; and the order in which both were written.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from consent.canonical import canonical
from consent.ledger.entry import Entry, decode
from consent.ledger.tree import leaf_hash
from consent.subjects import SubjectId, SubjectKey, SubjectKeys

_FIRST = 4
NUMBERS = range(1, 5)
"""Which events of a citizen are looked for."""


@dataclass(frozen=True)
class Citizen:
    """What the searcher knows of one: the record's id first, then whatever else names them."""

    subject: SubjectId
    names: tuple[str, ...]

    @property
    def identifiers(self) -> tuple[bytes, ...]:
        """Each as bytes."""
        return tuple(name.encode() for name in (self.subject, *self.names))


@dataclass(frozen=True)
class Found:
    """The log's entries, and which of them were matched to whom, by which way."""

    entries: int
    matched: dict[str, dict[int, SubjectId]]

    @property
    def positions(self) -> set[int]:
        """Every entry that could be matched, whichever way."""
        return {position for way in self.matched.values() for position in way}


def search(file: Path, citizens: Sequence[Citizen], kek: bytes) -> Found:
    """Try everything on the store in `file`; `kek` is the operator's key for citizens' keys."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        query = "select position, outbox_id, entry from ledger_entry order by position"
        rows = store.execute(query).fetchall()
        entries = {position: entry for position, _, entry in rows}
        places = {outbox: position for position, outbox, _ in rows}
        marks = _marks(entries)
        matched = {
            "a key that is still there": dict(_unwrapped(store, citizens, kek, marks)),
            "a digest of a name": dict(_digests(citizens, kek, marks)),
            "a name in an entry": dict(_named(citizens, entries)),
            "a stored row": dict(_rows(store, citizens, entries, places)),
            "the order of rows": dict(_ordered(store, citizens, entries)),
        }
    return Found(len(entries), matched)


def _marks(entries: dict[int, bytes]) -> dict[bytes, int]:
    """What an entry shows of somebody: tag and commitment, whole and by their first 16 bytes."""
    marks: dict[bytes, int] = {}
    for position, data in entries.items():
        entry = decode(data)
        for mark in filter(None, (entry.tag, entry.commitment, leaf_hash(data))):
            marks[mark] = marks[mark[:16]] = position
    return marks


def _unwrapped(
    store: sqlite3.Connection, citizens: Iterable[Citizen], kek: bytes, marks: dict[bytes, int]
) -> Iterator[tuple[int, SubjectId]]:
    keys, kept = SubjectKeys(kek), dict(store.execute("select id, wrapped from subject").fetchall())
    for citizen in citizens:
        if wrapped := kept.get(citizen.subject):
            yield from _tagged(keys.unwrap(citizen.subject, wrapped), citizen, marks)


def _tagged(key: SubjectKey, citizen: Citizen, marks: dict[bytes, int]) -> Iterator[tuple[int, SubjectId]]:
    for n in NUMBERS:
        if (position := marks.get(key.tag(n))) is not None:
            yield position, citizen.subject


def _digests(
    citizens: Iterable[Citizen], kek: bytes, marks: dict[bytes, int]
) -> Iterator[tuple[int, SubjectId]]:
    """Plain and keyed digests of each name, and keys made of it, as if K_s were one."""
    for citizen in citizens:
        for name in citizen.identifiers:
            digests = {hashlib.new(kind, name).digest() for kind in ("sha256", "sha512", "sha3_256", "sha1")}
            digests |= {hmac.digest(key, name, "sha256") for key in (kek, b"", bytes(32))}
            digests |= {leaf_hash(name), hashlib.sha256(canonical({"subject": name.decode()})).digest()}
            for digest in digests:
                if (position := marks.get(digest, marks.get(digest[:16]))) is not None:
                    yield position, citizen.subject
                if len(digest) == 32:
                    yield from _tagged(SubjectKey(digest), citizen, marks)
            if len(name) == 32:
                yield from _tagged(SubjectKey(name), citizen, marks)


def _named(citizens: Iterable[Citizen], entries: dict[int, bytes]) -> Iterator[tuple[int, SubjectId]]:
    """A name anywhere in an entry, as it is or in hexadecimal: looked for by its first bytes, all at once."""
    names: dict[bytes, list[tuple[bytes, SubjectId]]] = {}
    for citizen in citizens:
        for name in citizen.identifiers:
            for written in (name, name.hex().encode()):
                names.setdefault(written[:_FIRST], []).append((written, citizen.subject))
    for position, data in entries.items():
        for at in range(len(data) - _FIRST + 1):
            for name, subject in names.get(data[at : at + _FIRST], ()):
                if data.startswith(name, at):
                    yield position, subject


def _rows(
    store: sqlite3.Connection,
    citizens: Sequence[Citizen],
    entries: dict[int, bytes],
    places: dict[int, int],
) -> Iterator[tuple[int, SubjectId]]:
    """Rows anywhere that hold a name, and a position, an outbox id, a second or a hash of one entry only."""
    owners = {name.decode(): citizen.subject for citizen in citizens for name in citizen.identifiers}
    seconds = _alone(entries)
    hashes = {mark: at for mark, at in _marks(entries).items() if len(mark) == 32}
    for (table,) in store.execute("select name from sqlite_master where type = 'table'").fetchall():
        if table.startswith(("sqlite_", "ledger_entry", "ledger_index")):
            continue
        columns = [row[1] for row in store.execute(f'pragma table_info("{table}")')]
        for row in store.execute(f'select * from "{table}"'):  # noqa: S608
            owner = next((owners[v] for v in row if isinstance(v, str) and v in owners), None)
            for column, value in zip(columns, row, strict=True) if owner else ():
                if column == "outbox_id" and value in places:
                    yield places[value], owner
                elif column == "position" and value in entries:
                    yield value, owner
                elif isinstance(value, int) and value in seconds:
                    yield seconds[value], owner
                elif isinstance(value, bytes) and value in hashes:
                    yield hashes[value], owner


def _alone(entries: dict[int, bytes]) -> dict[int, int]:
    """Seconds in which one entry was written and no other."""
    written: defaultdict[int, list[int]] = defaultdict(list)
    for position, data in entries.items():
        written[decode(data).at].append(position)
    return {second: at[0] for second, at in written.items() if len(at) == 1}


def _ordered(
    store: sqlite3.Connection, citizens: Sequence[Citizen], entries: dict[int, bytes]
) -> Iterator[tuple[int, SubjectId]]:
    """Citizens by the number of their row against the first entries of somebody, where there are numbers."""
    known = {citizen.subject for citizen in citizens}
    try:
        rows = store.execute("select id from subject order by rowid").fetchall()
    except sqlite3.OperationalError:  # no such column
        return
    firsts = [at for at, data in entries.items() if _first(decode(data))]
    for (subject,), position in zip(rows, firsts, strict=False):
        if subject in known:
            yield position, subject


def _first(entry: Entry) -> bool:
    return entry.tag is not None and entry.kind == "consent:grant:given"
