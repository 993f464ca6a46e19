"""What the log says of itself: where a year's shard began, what was removed, what a census counted.

The file `statements` opens those entries, so that nobody has to take the turn of a year, a gap, or a count on
trust:

    {"type": "mydata-ledger-statements", "version": 1,
     "statements": [{"index", "entry", "payload", "salt"}, ...]}

`ledger:shard:opened` {"origin", "previous"}: the first entry under a new origin; `previous` is the last
checkpoint under the one before, over everything before this entry. `ledger:entries:removed` {"first", "end",
"tagged", "reason"}: whole bundles before this entry that may be missing; their hashes may not.
`ledger:census:taken` {"size", "root", "total", "members"}: `total` of the first `size` entries concern
somebody; only the newest has to be opened.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .canonical import read_json, written
from .census import BODY as CENSUS_BODY
from .census import KIND as CENSUS
from .census import check_body, check_sum
from .entry import read_entry
from .merkle import leaf_hash
from .merkle import root as root_of
from .note import Head, Key, named, open_note, unbase64
from .report import Absent, Finding, Report
from .source import Source

FILE = "statements"
MAX_FILE = 1 << 20
SHARD, REMOVED = "ledger:shard:opened", "ledger:entries:removed"

_STATEMENT = {"index", "entry", "payload", "salt"}
_BODIES = {
    SHARD: {"origin", "previous"},
    REMOVED: {"first", "end", "tagged", "reason"},
    CENSUS: CENSUS_BODY,
}
_WIDTH = 256


@dataclass
class Statements:
    """The opened statements: by index the kind, the body, the leaf hash of the entry."""

    made: dict[int, tuple[str, Any, bytes]] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Source) -> Statements | None:
        """Open the file; None where there is none. Raises Finding `statement_wrong`."""
        try:
            data = source.read(FILE, MAX_FILE)
        except Absent:
            return None
        whole = read_json(data)
        shape = isinstance(whole, dict) and set(whole) == {"type", "version", "statements"}
        if not shape or whole["type"] != "mydata-ledger-statements" or type(whole["version"]) is not int:
            raise _wrong("not the statements of a log")
        if whole["version"] != 1 or not isinstance(whole["statements"], list) or not whole["statements"]:
            raise _wrong("not statements, version 1")
        found = cls()
        for statement in whole["statements"]:
            found._open(statement)
        return found

    def _open(self, statement: Any) -> None:
        if not isinstance(statement, dict) or set(statement) != _STATEMENT:
            raise _wrong("has a member that is no statement")
        index, payload, salt = statement["index"], statement["payload"], unbase64(statement["salt"])
        if type(index) is not int or index <= max(self.made, default=-1):
            raise _wrong("its statements are not in order")
        entry = unbase64(statement["entry"])
        fields = read_entry(entry, f"{FILE} {index}")
        kind = fields[3].decode()
        opened = hmac.digest(salt, written(payload), hashlib.sha256)
        if len(salt) != 32 or not hmac.compare_digest(opened, fields[6]):
            raise _wrong(f"what it says of entry {index} is not what the log committed to")
        if not isinstance(payload, dict) or set(payload) != {"event", "by", "body"} or 5 in fields:
            raise _wrong(f"entry {index} is no statement")
        body = payload["body"]
        if payload["event"] != kind or not isinstance(body, dict) or set(body) != _BODIES.get(kind):
            raise _wrong(f"entry {index} is no statement")
        if kind == REMOVED:
            _range(body, index)
        if kind == CENSUS and not check_body(body, index):
            raise Finding("census_malformed", FILE, f"entry {index} is not a census of what was before it")
        self.made[index] = kind, body, leaf_hash(entry)

    def removed(self) -> list[tuple[int, int, int]]:
        """First, end and number of entries about citizens of every range that may be missing."""
        bodies = [body for kind, body, _ in self.made.values() if kind == REMOVED]
        return [(body["first"], body["end"], body["tagged"]) for body in bodies]

    def check(self, leaves: Sequence[bytes], head: Head, keys: Sequence[Key], report: Report) -> None:
        """Each is in the log, and each shard continues the one before up to `head`."""
        origin: str | None = None
        for index, (kind, body, leaf) in self.made.items():
            if index >= len(leaves) or leaves[index] != leaf:
                raise _wrong(f"entry {index} of the log is another")
            if kind == CENSUS:
                check_sum(body, report)
            if kind == SHARD:
                before = _previous(body, keys)
                if before.size != index or before.root != root_of(list(leaves[:index])):
                    raise Finding("shard_wrong", FILE, f"the shard at entry {index} continues another log")
                if origin is not None and before.origin != origin:
                    raise Finding("shard_wrong", FILE, f"{before.origin} never began")
                if body["origin"] <= before.origin:
                    raise Finding("shard_wrong", FILE, f"{body['origin']} follows {before.origin}")
                origin = body["origin"]
                report.shards.append((before.origin, index))
        if origin is not None and origin != head.origin:
            raise Finding("shard_wrong", FILE, f"the log says it is {origin}, its checkpoint {head.origin}")
        report.did("statements")


def _previous(body: Any, keys: Sequence[Key]) -> Head:
    """The last checkpoint of the shard before, by the same key under its name of then."""
    note = str(body["previous"]).encode(errors="replace")
    try:
        mine = named(keys, str(body["previous"]).partition("\n")[0])
        again = named(keys, str(body["origin"]))
        if mine[0].name != body["previous"].partition("\n")[0] or again[0].name != body["origin"]:
            raise Finding("shard_wrong", FILE, "of another log")
        return open_note(note, mine[:1], FILE)
    except (Finding, AttributeError) as error:
        raise Finding("shard_wrong", FILE, f"the checkpoint before the turn does not hold: {error}") from None


def _range(body: Any, index: int) -> None:
    numbers = [body[name] for name in ("first", "end", "tagged")]
    if any(type(number) is not int for number in numbers) or not isinstance(body["reason"], str):
        raise _wrong(f"the removal at entry {index} names no range")
    first, end, tagged = numbers
    if not 0 <= first < end <= index or first % _WIDTH or end % _WIDTH or not 0 <= tagged <= end - first:
        raise _wrong(f"the removal at entry {index} names no range of whole bundles before it")


def _wrong(text: str) -> Finding:
    return Finding("statement_wrong", FILE, text)
