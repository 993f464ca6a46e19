"""Green Button Atom feeds (NAESB REQ.21 ESPI 4.0) written for the sandbox supplier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from connectors.sandbox.electricity import HourReading

ATOM_NS = "http://www.w3.org/2005/Atom"
ESPI_NS = "http://naesb.org/espi"
NAMESPACES: Any = {None: ATOM_NS, "espi": ESPI_NS}
ATOM, ESPI = f"{{{ATOM_NS}}}", f"{{{ESPI_NS}}}"
READING_TYPE = {
    "accumulationBehaviour": "4", "commodity": "1", "flowDirection": "1", "intervalLength": "3600",
    "kind": "12", "powerOfTenMultiplier": "0", "uom": "72",
}  # fmt: skip
KOREAN_TIME = {"dstEndRule": "00000000", "dstOffset": "0", "dstStartRule": "00000000", "tzOffset": "32400"}
RESOURCES = "/espi/1_1/resource"


@dataclass(frozen=True, slots=True)
class Links:
    """An entry's addresses, as paths."""

    own: str
    up: str
    related: tuple[str, ...] = ()


class FeedWriter:
    """Builds one feed."""

    def __init__(self, origin: str, own: str, updated: datetime) -> None:
        """A feed at the path `own` of `origin`."""
        self._origin = origin
        self._feed = etree.Element(f"{ATOM}feed", nsmap=NAMESPACES)
        self._text(self._feed, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, origin + own)}")
        self._text(self._feed, "title", "Green Button (sandbox)")
        self._text(self._feed, "updated", _utc(updated))
        self.link("self", own)

    def link(self, rel: str, path: str) -> None:
        """A link of the feed itself: `self` or `next`."""
        etree.SubElement(self._feed, f"{ATOM}link", rel=rel, href=self._origin + path)

    def entry(self, links: Links, title: str, resource: etree._Element, updated: datetime) -> None:
        """An entry holding one ESPI resource."""
        entry = etree.SubElement(self._feed, f"{ATOM}entry")
        self._text(entry, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, self._origin + links.own)}")
        for rel, paths in (("self", (links.own,)), ("up", (links.up,)), ("related", links.related)):
            for path in paths:
                etree.SubElement(entry, f"{ATOM}link", rel=rel, href=self._origin + path)
        self._text(entry, "title", title)
        etree.SubElement(entry, f"{ATOM}content", type="application/xml").append(resource)
        self._text(entry, "published", _utc(updated))
        self._text(entry, "updated", _utc(updated))

    def body(self) -> bytes:
        """The document."""
        return etree.tostring(self._feed, xml_declaration=True, encoding="UTF-8")

    def _text(self, parent: etree._Element, name: str, text: str) -> None:
        etree.SubElement(parent, f"{ATOM}{name}").text = text


def resource(kind: str, fields: Mapping[str, str] | None = None) -> etree._Element:
    """An ESPI resource of plain fields, in the order given (the schema fixes it)."""
    element = etree.Element(f"{ESPI}{kind}", nsmap={"espi": ESPI_NS})
    for name, value in (fields or {}).items():
        etree.SubElement(element, f"{ESPI}{name}").text = value
    return element


def interval_block(readings: Sequence[HourReading]) -> etree._Element:
    """The block of one day."""
    block = resource("IntervalBlock")
    block.append(_period("interval", readings[0].start, 3600 * len(readings)))
    for reading in readings:
        element = etree.SubElement(block, f"{ESPI}IntervalReading")
        quality = etree.SubElement(element, f"{ESPI}ReadingQuality")
        etree.SubElement(quality, f"{ESPI}quality").text = str(reading.quality)
        element.append(_period("timePeriod", reading.start, 3600))
        etree.SubElement(element, f"{ESPI}value").text = str(reading.watt_hours)
    return block


def usage_point() -> etree._Element:
    """A usage point that measures electricity (service kind 0)."""
    element = resource("UsagePoint")
    element.append(resource("ServiceCategory", {"kind": "0"}))
    return element


def meter_entries(feed: FeedWriter, base: str, number: str, at: datetime) -> str:
    """Write what explains a meter's blocks; the path under which its blocks stand."""
    point = f"{base}/UsagePoint/{number}"
    reading, kind = f"{point}/MeterReading/hourly", f"{RESOURCES}/ReadingType/hourly-wh"
    zone = f"{RESOURCES}/LocalTimeParameters/KST"
    blocks = f"{reading}/IntervalBlock"
    entries: Iterable[tuple[Links, str, etree._Element]] = (
        (Links(point, f"{base}/UsagePoint", (f"{point}/MeterReading", zone)), "Electricity", usage_point()),
        (
            Links(zone, f"{RESOURCES}/LocalTimeParameters"),
            "KST",
            resource("LocalTimeParameters", KOREAN_TIME),
        ),
        (Links(reading, f"{point}/MeterReading", (blocks, kind)), "Hourly", resource("MeterReading")),
        (Links(kind, f"{RESOURCES}/ReadingType"), "Hourly Wh", resource("ReadingType", READING_TYPE)),
    )
    for links, title, element in entries:
        feed.entry(links, title, element, at)
    return blocks


def _period(name: str, start: datetime, seconds: int) -> etree._Element:
    return resource(name, {"duration": str(seconds), "start": str(int(start.timestamp()))})


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
