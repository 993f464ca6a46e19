"""Relate the entries of Green Button feeds and put real numbers on their readings.

    UsagePoint  --related-->  MeterReading  --related-->  ReadingType
                                   ^--related / up--  IntervalBlock

A block may come before what explains it, even a page before: it waits in `pending`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import urlsplit

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.sectors.energy.atom import Entry, Interval, whole

KST = timezone(timedelta(hours=9), "KST")
UNITS = {
    31: "J", 38: "W", 42: "m3", 61: "VA", 63: "VAr", 71: "VAh", 72: "Wh", 73: "VArh", 119: "ft3",
    132: "Btu", 169: "therm",
}  # fmt: skip
"""ESPI unit-of-measure codes known here."""
QUALITIES = {
    0: "valid", 7: "edited", 8: "estimated", 9: "estimated", 10: "questionable", 11: "derived",
    12: "projected", 13: "mixed", 14: "raw", 15: "normalised", 16: "other", 17: "validated",
    18: "verified", 19: "revenue",
}  # fmt: skip
"""ESPI codes of reading quality, in words."""
REVERSE = 19
UNSTATED = "unstated"
MULTIPLIERS = range(-12, 13)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading with its unit applied. `forward` is false for energy given back to the grid."""

    usage_point: str
    meter_reading: str
    start: datetime
    seconds: int
    value: Decimal
    unit: str
    quality: str
    forward: bool
    version: str | None


@dataclass(slots=True)
class Relations:
    """Entries seen so far in one pull, and the blocks that still wait for an explanation."""

    pending: list[Entry] = field(default_factory=list)
    _entries: dict[str, Entry] = field(default_factory=dict)
    _points: dict[str, Entry] = field(default_factory=dict)
    _meters: dict[str, Entry] = field(default_factory=dict)

    def add(self, entries: Iterable[Entry]) -> Iterator[Reading]:
        """Take in the entries of a page; yield the readings of every block that is explained now."""
        waiting = self.pending
        for entry in entries:
            if entry.kind == "IntervalBlock":
                waiting.append(entry)
            elif entry.kind in ("UsagePoint", "MeterReading", "ReadingType"):
                self._know(entry)
        self.pending = []
        for block in waiting:
            explained = self._explain(block)
            if explained is None:
                self.pending.append(block)
            else:
                yield from _scaled(block, *explained)

    def finish(self) -> None:
        """Raise HolderError(CONTRACT) if a block was never explained."""
        if self.pending:
            raise HolderError(Reason.CONTRACT, "an interval block has no reading type or usage point")

    def _know(self, entry: Entry) -> None:
        known = self._entries.setdefault(entry.address, entry)
        if (known.kind, known.fields) != (entry.kind, entry.fields):
            raise HolderError(Reason.CORRUPT, "two entries of the feed share one address")
        children = {"UsagePoint": self._points, "MeterReading": self._meters}.get(entry.kind)
        if children is not None:
            children.update(dict.fromkeys(entry.related, entry))

    def _explain(self, block: Entry) -> tuple[Entry, Entry, Entry] | None:
        """The usage point, meter reading and reading type of a block, found by links."""
        meter = (
            self._meters.get(block.up)
            or self._meters.get(block.address)
            or self._among(block, "MeterReading")
        )
        if meter is None:
            return None
        kind = self._among(meter, "ReadingType")
        point = (
            self._points.get(meter.up) or self._points.get(meter.address) or self._among(meter, "UsagePoint")
        )
        return None if kind is None or point is None else (point, meter, kind)

    def _among(self, entry: Entry, kind: str) -> Entry | None:
        linked = (self._entries.get(address) for address in entry.related)
        return next((found for found in linked if found is not None and found.kind == kind), None)


def _scaled(block: Entry, point: Entry, meter: Entry, kind: Entry) -> Iterator[Reading]:
    multiplier = _code(kind, "powerOfTenMultiplier", 0)
    unit = UNITS.get(_code(kind, "uom", -1))
    if unit is None or multiplier not in MULTIPLIERS:
        raise HolderError(Reason.CONTRACT, "a reading type has an unknown unit or multiplier")
    default = _quality((_code(kind, "defaultQuality", -1),)) if "defaultQuality" in kind.fields else UNSTATED
    forward = _code(kind, "flowDirection", 0) != REVERSE
    names = (point_name(point), point_name(meter))
    for interval in block.intervals:
        yield Reading(
            *names,
            start=_moment(interval),
            seconds=interval.seconds,
            value=Decimal(interval.value).scaleb(multiplier),
            unit=unit,
            quality=_quality(interval.quality) if interval.quality else default,
            forward=forward,
            version=block.version,
        )


def point_name(entry: Entry) -> str:
    """The name of an entry: what its address ends in."""
    return urlsplit(entry.address).path.rpartition("/")[2]


def _code(kind: Entry, name: str, absent: int) -> int:
    return whole(kind.fields[name]) if name in kind.fields else absent


def _moment(interval: Interval) -> datetime:
    try:
        return datetime.fromtimestamp(interval.start, KST)
    except (ValueError, OverflowError, OSError):
        raise HolderError(Reason.CONTRACT, "an interval reading has an impossible time") from None


def _quality(codes: tuple[int, ...]) -> str:
    return "+".join(dict.fromkeys(QUALITIES.get(code, str(code)) for code in codes))
