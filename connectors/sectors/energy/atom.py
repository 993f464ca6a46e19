"""Read a Green Button Atom feed safely: no document type, no entities, no network, bounded depth and text.

An entry is what it links to: `self`, `up` and `related` addresses relate the entries, nesting does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from connectors.contract import Reason
from connectors.errors import HolderError

ATOM = "{http://www.w3.org/2005/Atom}"
ESPI = "{http://naesb.org/espi}"
WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
MOST_ENTRIES = 100_000
_FEED, _ENTRY, _LINK = f"{ATOM}feed", f"{ATOM}entry", f"{ATOM}link"
_READING, _PERIOD, _VALUE, _QUALITY = (
    f"{ESPI}{name}" for name in ("IntervalReading", "timePeriod", "value", "ReadingQuality")
)
_START, _DURATION = f"{ESPI}start", f"{ESPI}duration"
_TAGS = (_FEED, _ENTRY, _LINK, _READING)


@dataclass(frozen=True, slots=True)
class Interval:
    """One reading as it stands: seconds since 1970, seconds long, unscaled value, quality codes."""

    start: int
    seconds: int
    value: int
    quality: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: the ESPI resource it holds, its own address, its links, and the plain fields of its content.

    `version` is the moment of its last change in UTC, written so that it sorts as text, if the feed says it.
    """

    kind: str
    address: str
    up: str
    related: tuple[str, ...]
    fields: dict[str, str]
    intervals: tuple[Interval, ...] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its entries in order, and the address of the next page as written, if there is one."""

    entries: tuple[Entry, ...]
    next: str | None


def read_feed(body: bytes, url: str) -> Feed:
    """The feed in `body`, links made absolute against `url`.

    Raises HolderError: CORRUPT when it is not well-formed XML, CONTRACT when it has a document type, is no
    Atom feed, or an entry has no usable address, number or time.
    """
    reader = _Reader(url)
    try:
        for event, element in etree.iterparse(
            BytesIO(body),
            events=("start", "end"),
            tag=_TAGS,
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
        ):
            reader.take(event, element)
    except etree.XMLSyntaxError:
        raise HolderError(Reason.CORRUPT, "the feed is not well-formed XML") from None
    return reader.feed()


class _Reader:
    def __init__(self, url: str) -> None:
        self._url = url
        self._root: Any = None
        self._intervals: list[Interval] = []
        self.entries: list[Entry] = []
        self.next: str | None = None

    def take(self, event: str, element: Any) -> None:
        if self._root is None:
            self._open(element)
        elif event == "start":
            return
        elif element.tag == _READING:
            self._intervals.append(_interval(element))
            element.clear()
        elif element.tag == _ENTRY:
            self._entry(element)
        elif element.tag == _LINK and element.getparent() is self._root and element.get("rel") == "next":
            if self.next is not None:
                raise HolderError(Reason.CORRUPT, "the page names more than one next page")
            self.next = element.get("href") or ""

    def feed(self) -> Feed:
        """What was read; raises HolderError(CONTRACT) if there was no feed."""
        if self._root is None:
            raise HolderError(Reason.CONTRACT, "the document is not an Atom feed")
        return Feed(tuple(self.entries), self.next)

    def _open(self, root: Any) -> None:
        if root.getroottree().docinfo.internalDTD is not None:
            raise HolderError(Reason.CONTRACT, "the feed has a document type declaration", final=True)
        if root.tag != _FEED or root.getparent() is not None:
            raise HolderError(Reason.CONTRACT, "the document is not an Atom feed")
        self._root = root

    def _entry(self, element: Any) -> None:
        content = element.find(f"{ATOM}content")
        resource = (
            next((child for child in content if isinstance(child.tag, str)), None)
            if content is not None
            else None
        )
        if resource is not None and resource.tag.startswith(ESPI):
            self.entries.append(self._build(element, resource))
        if len(self.entries) > MOST_ENTRIES:
            raise HolderError(Reason.TOO_LARGE, "the feed has too many entries")
        self._intervals = []
        # What was read is let go of, so that a large feed does not become a large tree.
        element.clear()
        while element.getprevious() is not None:
            del self._root[0]

    def _build(self, element: Any, resource: Any) -> Entry:
        links: dict[str, list[str]] = {"self": [], "up": [], "related": []}
        for link in element.iterfind(f"{ATOM}link"):
            if link.get("rel") in links:
                links[link.get("rel")].append(self._absolute(link.get("href")))
        kind = resource.tag.removeprefix(ESPI)
        if len(links["self"]) != 1 or len(links["up"]) > 1:
            raise HolderError(Reason.CONTRACT, f"a {kind} entry has no single address of its own")
        fields = {
            child.tag.removeprefix(ESPI): (child.text or "").strip()
            for child in resource
            if isinstance(child.tag, str) and len(child) == 0
        }
        return Entry(
            kind,
            links["self"][0],
            "".join(links["up"]),
            tuple(links["related"]),
            fields,
            tuple(self._intervals),
            _version(element.findtext(f"{ATOM}updated")),
        )

    def _absolute(self, href: str | None) -> str:
        if not href or href != href.strip() or any(character in href for character in ' <>"\\\r\n\t'):
            raise HolderError(Reason.CONTRACT, "a link of an entry is not a usable address")
        try:
            return urljoin(self._url, href)
        except ValueError:
            raise HolderError(Reason.CONTRACT, "a link of an entry is not a usable address") from None


def whole(text: str | None) -> int:
    """An integer as ESPI writes it; raises HolderError(CONTRACT)."""
    stripped = (text or "").strip()
    if not WHOLE.fullmatch(stripped):
        raise HolderError(Reason.CONTRACT, "a number in the feed is missing or not a whole number")
    return int(stripped)


def _interval(element: Any) -> Interval:
    """One reading, by a single walk over its children: this runs for every hour of every year."""
    period: dict[str, str | None] = {}
    value, quality = None, []
    for child in element:
        if child.tag == _PERIOD:
            period = {part.tag: part.text for part in child}
        elif child.tag == _VALUE:
            value = child.text
        elif child.tag == _QUALITY:
            quality += [whole(part.text) for part in child]
    seconds = whole(period.get(_DURATION))
    if seconds < 0:
        raise HolderError(Reason.CONTRACT, "an interval reading has a negative length")
    return Interval(whole(period.get(_START)), seconds, whole(value), tuple(quality))


def _version(updated: str | None) -> str | None:
    try:
        moment = datetime.fromisoformat((updated or "").strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
