"""A census: it is in the log, adds up, and a trail ends where it says that the trail ends."""

from __future__ import annotations

import hashlib
from typing import Any

from .note import unbase64
from .report import Finding, Report

KIND = "ledger:census:taken"

_CENSUS = {"event", "h", "n", "head", "index", "members", "path"}
BODY = {"size", "root", "total", "members"}
_WHERE = "census"


def check_census(census: Any, body: Any, leaves: list[tuple[int, str]], report: Report) -> None:
    """`body`: what the log says of it (`check_body`); `leaves`: position and leaf hash of a trail's."""
    member = _member(census)
    if census["members"] != body["members"] or _root(census, member) != (
        unbase64(body["root"]),
        body["total"],
    ):
        raise Finding("census_proof", _WHERE, "it does not lead to the root and total in the log")
    counted = [leaf for position, leaf in leaves if position < body["size"]]
    last = counted[-1] if counted else bytes(32).hex()
    if len(counted) != census["n"] or last != unbase64(census["head"]).hex():
        raise Finding(
            "trail_held_back", _WHERE, f"the log counts {census['n']} events, the trail {len(counted)}"
        )
    report.counted = body["size"]
    report.did("census")
    check_sum(body, report)


def check_body(body: Any, index: int) -> bool:
    """Whether entry `index` can say this: a count of what was before it."""
    if not isinstance(body, dict) or set(body) != BODY or not _numbers(body, "size", "total", "members"):
        return False
    return bool(len(unbase64(body["root"])) == 32 and body["size"] <= index)


def check_sum(body: Any, report: Report) -> None:
    """As many entries concern somebody as the census says. Only who has the entries can count them again."""
    size = body["size"]
    if len(report.flags) < size or any(first < size < end for first, end in report.gaps):
        return
    removed = sum(tagged for end, tagged in report.untold.items() if end <= size)
    if sum(report.flags[:size]) + removed != body["total"]:
        raise Finding("census_sum", _WHERE, "its total is not the number of entries that concern somebody")
    report.did("sum")


def shaped(census: Any) -> bool:
    """Whether it has the members of a census, each of its kind."""
    if not isinstance(census, dict) or set(census) != _CENSUS or not isinstance(census["path"], list):
        return False
    nodes = all(
        isinstance(node, list) and len(node) == 2 and len(unbase64(node[0])) == 32 and _count(node[1])
        for node in census["path"]
    )
    digests = all(len(unbase64(census[name])) == 32 for name in ("h", "head"))
    return nodes and digests and _numbers(census, "n", "index", "members")


def _member(census: Any) -> tuple[bytes, int]:
    data = unbase64(census["h"]) + census["n"].to_bytes(8, "big") + unbase64(census["head"])
    return hashlib.sha256(b"\x02" + data).digest(), census["n"]


def _root(census: Any, node: tuple[bytes, int]) -> tuple[bytes, int] | None:
    """Where the path leads; None when it is not that of this position."""
    index, last = census["index"], census["members"] - 1
    path = [(unbase64(sibling), total) for sibling, total in census["path"]]
    if not 0 <= index <= last:
        return None
    while last:
        if index ^ 1 <= last:
            if not path:
                return None
            sibling = path.pop(0)
            node = _join(sibling, node) if index & 1 else _join(node, sibling)
        index, last = index >> 1, last >> 1
    return None if path or node[1] >= 1 << 63 else node


def _join(left: tuple[bytes, int], right: tuple[bytes, int]) -> tuple[bytes, int]:
    data = left[0] + left[1].to_bytes(8, "big") + right[0] + right[1].to_bytes(8, "big")
    return hashlib.sha256(b"\x03" + data).digest(), left[1] + right[1]


def _numbers(value: Any, *names: str) -> bool:
    return all(_count(value[name]) for name in names)


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 62
