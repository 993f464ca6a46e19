"""Read a FHIR R4 searchset: each resource stays the bytes it came in, only its head is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from connectors.contract import Reason, Record, Tombstone
from connectors.errors import HolderError
from connectors.sectors.medical.third_parties import without_authors


class Search(msgspec.Struct):
    """Why an entry is there: match, include or outcome."""

    mode: str = "match"


class Entry(msgspec.Struct):
    """One entry of a Bundle."""

    resource: msgspec.Raw = msgspec.Raw()
    search: Search | None = None


class Link(msgspec.Struct):
    """A link of a Bundle."""

    relation: str = ""
    url: str = ""


class Bundle(msgspec.Struct):
    """A Bundle's frame."""

    resourceType: str  # noqa: N815 - FHIR's own name
    type: str = ""
    total: int | None = None
    link: list[Link] = []
    entry: list[Entry] = []

    def next(self) -> str | None:
        """The address of the next page as written; raises HolderError(CORRUPT) if there are several."""
        found = [link.url for link in self.link if link.relation == "next"]
        if len(found) > 1:
            raise HolderError(Reason.CORRUPT, "the page names more than one next page")
        return found[0] if found else None


class Meta(msgspec.Struct, rename="camel"):
    """When a resource last changed, and its version."""

    version_id: str = ""
    last_updated: str = ""


class Reference(msgspec.Struct):
    """What a resource points at."""

    reference: str = ""


class Period(msgspec.Struct):
    """A span of time."""

    start: str = ""


class Issue(msgspec.Struct):
    """One issue of an OperationOutcome."""

    severity: str = ""


class Head(msgspec.Struct, rename="camel"):
    """What is decoded of a resource."""

    resource_type: str
    id: str = ""
    status: str = ""
    meta: Meta | None = None
    subject: Reference | None = None
    effective_date_time: str = ""
    effective_instant: str = ""
    effective_period: Period | None = None
    issued: str = ""
    issue: list[Issue] = []


@dataclass(frozen=True, slots=True)
class Undated:
    """A result without any time: it cannot be shown to lie in the period asked for."""

    key: str


_bundle = msgspec.json.Decoder(Bundle)
_head = msgspec.json.Decoder(Head)


def read_bundle(body: bytes) -> Bundle:
    """The searchset in `body`; raises HolderError: CORRUPT, or CONTRACT for any other resource."""
    try:
        body.decode()  # raw resources are never looked into, so wrong UTF-8 must be found here
        bundle = _bundle.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HolderError(Reason.CORRUPT, "the answer is not a FHIR Bundle") from None
    if bundle.resourceType != "Bundle" or bundle.type != "searchset":
        raise HolderError(Reason.CONTRACT, "the answer is not a FHIR searchset")
    return bundle


def heads(bundle: Bundle, kind: str) -> Iterator[tuple[Head, bytes]]:
    """Head and bytes of every match. Included resources are passed over.

    Raises HolderError: CONTRACT for a match of another kind or without an id, or for an outcome that says
    the search failed; CORRUPT for an entry that cannot be read.
    """
    for entry in bundle.entry:
        mode = entry.search.mode if entry.search else "match"
        if not bytes(entry.resource) or mode == "include":
            continue
        head = head_of(bytes(entry.resource))
        if mode == "outcome":
            if any(issue.severity in ("error", "fatal") for issue in head.issue):
                raise HolderError(Reason.CONTRACT, "the holder says the search failed")
            continue
        if head.resource_type != kind or not head.id:
            raise HolderError(Reason.CONTRACT, f"a match is not a {kind} with an id", final=True)
        yield head, bytes(entry.resource)


def head_of(resource: bytes) -> Head:
    """The head of one resource; raises HolderError(CORRUPT)."""
    try:
        return _head.decode(resource)
    except (msgspec.MsgspecError, RecursionError):
        raise HolderError(Reason.CORRUPT, "an entry is not a FHIR resource") from None


def observation(head: Head, body: bytes, subject: str) -> Record | Tombstone | Undated:
    """One result of the patient `subject` (`Patient/ID`, or the reference exactly).

    A result `entered-in-error` is a tombstone. Raises HolderError(CONTRACT) when it is somebody else's.
    """
    if head.subject is None or not _same(head.subject.reference, subject):
        raise HolderError(Reason.CONTRACT, "a result belongs to another patient", final=True)
    if head.status == "entered-in-error":
        return Tombstone(head.id)
    period = head.effective_period.start if head.effective_period else ""
    for text in (head.effective_date_time, head.effective_instant, period, head.issued):
        if text:
            return Record(head.id, without_authors(body), _moment(text), _version(head))
    return Undated(head.id)


def _same(reference: str, subject: str) -> bool:
    stripped = reference.partition("/_history/")[0]
    return stripped == subject or (subject.startswith("Patient/") and stripped.endswith(f"/{subject}"))


def _moment(text: str) -> datetime:
    """A FHIR dateTime; of a partial one (2026, 2026-11) its first moment. Without a zone it is UTC."""
    whole = text + "-01" * (2 - text.count("-")) if len(text) <= 7 else text
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        raise HolderError(Reason.CORRUPT, "a result has no usable time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _version(head: Head) -> str | None:
    """Text that sorts as the versions were made: the moment of the last change, else the padded number."""
    meta = head.meta or Meta()
    if meta.last_updated:
        return _moment(meta.last_updated).astimezone(UTC).isoformat(timespec="microseconds")
    return meta.version_id.zfill(20) if meta.version_id.isdigit() else None
