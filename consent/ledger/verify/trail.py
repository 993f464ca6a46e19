"""A citizen's trail: each event is in the log, opens, and follows the one before it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from .entry import read_entry
from .merkle import included, leaf_hash
from .merkle import root as root_of
from .note import Key, unbase64
from .report import Finding, Report

_TRAIL = {"type", "version", "checkpoint", "events"}
_EVENT = {"index", "entry", "payload", "salt", "proof"}
_PAYLOAD = {"event", "by", "body", "n", "prev"}


def check_trail(data: bytes, key: Key, leaves: list[bytes] | None, report: Report) -> None:
    """Each event of a citizen's trail is in the log, opens, and follows the one before it without a gap."""
    trail = _strict_json(data)
    known = _shaped(trail, _TRAIL) and trail["type"] == "mydata-ledger-trail" and trail["version"] == 1
    if not known or [type(trail[name]) for name in ("version", "checkpoint", "events")] != [int, str, list]:
        raise Finding("trail_malformed", "--trail", "not a trail, version 1")
    try:
        size, root = key.open(trail["checkpoint"].encode(), "--trail")
    except Finding as finding:
        raise Finding("trail_checkpoint", "--trail", finding.text) from None
    if leaves is not None and (size > len(leaves) or root_of(leaves[:size]) != root):
        raise Finding("trail_checkpoint", "--trail", "its checkpoint is not one of this export")
    previous: str | None = None
    position = -1
    for n, event in enumerate(trail["events"], 1):
        if not _shaped(event, _EVENT) or type(event["index"]) is not int or event["index"] <= position:
            raise Finding("trail_malformed", f"event {n}", "not an event after the one before it")
        position = event["index"]
        previous = _event(event, n, previous, (size, root))
    report.events = len(trail["events"])
    if leaves is None:
        report.size, report.root = size, root


def _event(event: dict[str, Any], n: int, previous: str | None, head: tuple[int, bytes]) -> str:
    """Check one event; gives its leaf hash in hexadecimal, which the next one must name."""
    where = f"event {n}"
    entry, salt = unbase64(event["entry"]), unbase64(event["salt"])
    fields = read_entry(entry, where)
    path = [unbase64(sibling) for sibling in event["proof"]] if isinstance(event["proof"], list) else [b""]
    leaf = leaf_hash(entry)
    if any(len(sibling) != 32 for sibling in path) or not included(leaf, event["index"], path, head):
        raise Finding("trail_inclusion", where, "its proof does not lead to the signed root")
    payload = event["payload"]
    opened = hmac.digest(salt, _canonical(payload), hashlib.sha256)
    if 5 not in fields or len(salt) != 32 or not hmac.compare_digest(opened, fields[6]):
        raise Finding("trail_opening", where, "its payload is not the one the log committed to")
    if not _shaped(payload, _PAYLOAD) or payload["event"] != fields[3].decode():
        raise Finding("trail_opening", where, "its payload tells of another kind of event")
    if type(payload["n"]) is not int or payload["n"] != n or payload["prev"] != previous:
        raise Finding("trail_chain", where, "an event before it is missing or in another order")
    return leaf.hex()


def _strict_json(data: bytes) -> Any:
    """A JSON value in its canonical form (RFC 8785), without fractions."""
    try:
        value = json.loads(data.decode(), parse_float=_refuse, parse_constant=_refuse)
        if _canonical(value) == data:
            return value
    except (ValueError, RecursionError):
        pass
    raise Finding("trail_malformed", "--trail", "not canonical JSON")


def _refuse(text: str) -> None:
    raise ValueError(text)


def _canonical(value: Any) -> bytes:
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda n: n.encode("utf-16-be"))}
    return [_sorted(member) for member in value] if isinstance(value, list) else value


def _shaped(value: object, names: set[str]) -> bool:
    return isinstance(value, dict) and set(value) == names
