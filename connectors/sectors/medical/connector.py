"""The FHIR connector: who the token stands for, then that patient's results, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import msgspec

from connectors.contract import Checkpoint, Event, Gap, Io, Manifest, Page, PullRequest, Reason, Record
from connectors.errors import HolderError
from connectors.paging import Trail, next_url
from connectors.registry import Entry
from connectors.sectors.medical.bundle import Undated, heads, observation, read_bundle

STANDARD = "http://hl7.org/fhir/R4"
FHIR_TYPE = "application/fhir+json"
KST = timezone(timedelta(hours=9), "KST")
COUNT = 100
REASONS = {
    "consent_withdrawn": Reason.REVOKED,
    "consent_expired": Reason.REVOKED,
    "unknown_link": Reason.NO_LINK,
    "unknown_dataset": Reason.UNKNOWN_DATASET,
    "throttled": Reason.THROTTLED,
}
"""Causes in an OperationOutcome that mean more than the HTTP status."""


class FhirHolder:
    """A holder that speaks HL7 FHIR R4 REST with a token that stands for one patient."""

    def __init__(self, manifest: Manifest) -> None:
        """Speak to the holder described by `manifest`."""
        self.manifest = manifest

    async def pull(self, request: PullRequest, io: Io) -> AsyncIterator[Event]:
        """Yield the patient's results inside the asked days (Korean civil time), oldest first."""
        subject = f"Patient/{await _patient(io)}"
        params: dict[str, str] | None = {
            "patient": subject,
            "date": f"ge{request.since.isoformat()}",
            "_sort": "date",
            "_count": str(COUNT),
        }
        url: str | None = "/fhir/Observation"
        trail, seen, undated, total, number = Trail(), set[str](), 0, 0, 0
        while url is not None:
            page = await io.get(url, params, accept=FHIR_TYPE, check=check)
            bundle = read_bundle(page.body)
            for head, body in heads(bundle, "Observation"):
                seen.add(head.id)
                event = observation(head, body, subject)
                if isinstance(event, Undated):
                    undated += 1
                elif not isinstance(event, Record) or _wanted(event.at, request):
                    yield event
            url, params = trail.step(next_url(self.manifest.origin, page.url, bundle.next())), None
            total, number = max(total, bundle.total or 0), number + 1
            yield Checkpoint({"page": number, "next": url})
        if undated:
            yield Gap(request.dataset, Reason.CONTRACT, f"{undated} results without a time were left out")
        if len(seen) < total:
            raise HolderError(Reason.CORRUPT, "fewer results came than the holder announced", final=True)


def connect(entry: Entry) -> FhirHolder:
    """The connector for a registry entry."""
    return FhirHolder(entry.manifest({"medical.observations": STANDARD}))


def check(status: int, page: Page) -> None:
    """Name the reason of a refusal better than its status does (`connectors.contract.Check`)."""
    if status not in (400, 403, 404, 422):
        return
    try:
        said = msgspec.json.decode(page.body[:65536], type=_Outcome)
    except (msgspec.MsgspecError, RecursionError):
        return
    for issue in said.issue:
        for coding in issue.details.coding if issue.details else ():
            if reason := REASONS.get(coding.code):
                raise HolderError(reason, f"the holder refused ({status})")


async def _patient(io: Io) -> str:
    """The id of the one patient the token stands for; raises HolderError(CONTRACT) if that is not clear."""
    page = await io.get("/fhir/Patient", {"_count": "2"}, accept=FHIR_TYPE, check=check)
    found = [head.id for head, _ in heads(read_bundle(page.body), "Patient")]
    if len(found) != 1:
        raise HolderError(Reason.CONTRACT, "the holder shows no single patient for this token")
    return found[0]


def _wanted(at: datetime | None, request: PullRequest) -> bool:
    return at is not None and request.since <= at.astimezone(KST).date() <= request.until


class _Coding(msgspec.Struct):
    code: str = ""


class _Details(msgspec.Struct):
    coding: list[_Coding] = []


class _Issue(msgspec.Struct):
    details: _Details | None = None


class _Outcome(msgspec.Struct):
    issue: list[_Issue]
