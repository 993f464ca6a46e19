"""Opened events: a citizen's trail (every event, one chain) or an opening (chosen events by themselves)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from .canonical import strict_json, written
from .census import KIND, check_body, check_census, shaped
from .entry import read_entry
from .merkle import included, leaf_hash
from .merkle import root as root_of
from .note import Key, named, open_note, unbase64
from .report import Finding, Report

_TYPES = ("mydata-ledger-trail", "mydata-ledger-opening")
_TRAIL = {"type", "version", "checkpoint", "events"}
_EVENT = {"index", "entry", "payload", "salt", "proof"}
_PLAIN = {"event", "by", "body"}
_PAYLOAD = {*_PLAIN, "n", "prev"}


def check_trail(data: bytes, log: Sequence[Key], leaves: list[bytes] | None, report: Report) -> None:
    """Each event of the file is in the log and opens; in a trail each also follows the one before it."""
    trail = strict_json(data)
    counted = isinstance(trail, dict) and trail.pop("census", None)
    known = _shaped(trail, _TRAIL) and trail["type"] in _TYPES and trail["version"] == 1
    if not known or [type(trail[name]) for name in ("version", "checkpoint", "events")] != [int, str, list]:
        raise Finding("trail_malformed", "--trail", "not a trail or an opening, version 1")
    try:
        ours = named(log, trail["checkpoint"].partition("\n")[0])
        signed = open_note(trail["checkpoint"].encode(errors="replace"), ours, "--trail", whole=False)
    except Finding as finding:
        raise Finding("trail_checkpoint", "--trail", finding.text) from None
    if leaves is not None and (signed.size > len(leaves) or root_of(leaves[: signed.size]) != signed.root):
        raise Finding("trail_checkpoint", "--trail", "its checkpoint is not one of this export")
    previous: str | None = None
    position = -1
    seen: list[tuple[int, str]] = []
    for number, event in enumerate(trail["events"], 1):
        if not _shaped(event, _EVENT) or type(event["index"]) is not int or event["index"] <= position:
            raise Finding("trail_malformed", f"event {number}", "not an event after the one before it")
        position = event["index"]
        leaf, fields = _event(event, number, (signed.size, signed.root))
        if trail["type"] == _TYPES[0]:
            _chained(event["payload"], fields, number, previous)
        previous = leaf
        seen.append((position, leaf))
    report.events = len(trail["events"])
    report.chained = trail["type"] == _TYPES[0]
    report.did("openings")
    if counted is not None and counted is not False:
        _census(counted, (signed.size, signed.root), seen, report)
    if leaves is None:
        report.size, report.root = signed.size, signed.root
        report.did("signature")


def _census(census: Any, head: tuple[int, bytes], seen: list[tuple[int, str]], report: Report) -> None:
    """The census the trail brings along is an event of this log, and agrees with the trail."""
    event: Any = census["event"] if shaped(census) else None
    if not report.chained or not _shaped(event, _EVENT) or type(event["index"]) is not int:
        raise Finding("census_malformed", "census", "not a census of a trail")
    _, fields = _event(event, 0, head)
    body = event["payload"]["body"]
    if fields[3].decode() != KIND or not check_body(body, event["index"]):
        raise Finding("census_malformed", "census", "not a census of what was before it")
    check_census(census, body, seen, report)


def _event(event: dict[str, Any], number: int, head: tuple[int, bytes]) -> tuple[str, dict[int, bytes]]:
    """Check one event; gives its leaf hash in hexadecimal and the fields of its entry."""
    where = f"event {number}"
    entry, salt = unbase64(event["entry"]), unbase64(event["salt"])
    fields = read_entry(entry, where)
    path = [unbase64(sibling) for sibling in event["proof"]] if isinstance(event["proof"], list) else [b""]
    leaf = leaf_hash(entry)
    if any(len(sibling) != 32 for sibling in path) or not included(leaf, event["index"], path, head):
        raise Finding("trail_inclusion", where, "its proof does not lead to the signed root")
    payload = event["payload"]
    opened = hmac.digest(salt, written(payload), hashlib.sha256)
    if len(salt) != 32 or not hmac.compare_digest(opened, fields[6]):
        raise Finding("trail_opening", where, "its payload is not the one the log committed to")
    if not _shaped(payload, _PAYLOAD if 5 in fields else _PLAIN) or payload["event"] != fields[3].decode():
        raise Finding("trail_opening", where, "its payload tells of another kind of event")
    return leaf.hex(), fields


def _chained(payload: dict[str, Any], fields: dict[int, bytes], number: int, previous: str | None) -> None:
    if 5 not in fields:
        raise Finding("trail_opening", f"event {number}", "concerns no citizen")
    if type(payload["n"]) is not int or payload["n"] != number or payload["prev"] != previous:
        raise Finding("trail_chain", f"event {number}", "an event before it is missing or in another order")


def _shaped(value: object, names: set[str]) -> bool:
    return isinstance(value, dict) and set(value) == names
