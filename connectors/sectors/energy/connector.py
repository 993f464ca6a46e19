"""The Green Button connector: a person's subscription, page by page, as electricity readings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time

import msgspec

from connectors.contract import Account, Checkpoint, Event, Io, Manifest, PullRequest, Reason, Record
from connectors.errors import HolderError
from connectors.origins import inside
from connectors.registry import Entry
from connectors.sectors.energy.atom import read_feed
from connectors.sectors.energy.espi import KST, Reading, Relations, point_name

ATOM_TYPE = "application/atom+xml"
AUTHORIZATIONS = "/espi/1_1/resource/Authorization"
BATCH = "/Batch/"
"""The step that turns a subscription's address into that of all its readings at once."""
MAX_RESULTS = 100
ACTIVE, REVOKED = "1", "0"


STANDARD = "http://naesb.org/espi"


class GreenButtonHolder:
    """A holder that speaks Green Button Connect My Data (NAESB REQ.21 ESPI 4.0)."""

    def __init__(self, manifest: Manifest) -> None:
        """Speak to the holder described by `manifest`."""
        self.manifest = manifest

    async def pull(self, request: PullRequest, io: Io) -> AsyncIterator[Event]:
        """Yield the readings of the wanted days, with a checkpoint where every block so far is explained.

        Energy given back to the grid and meters of anything but electric energy are not this dataset.
        """
        relations = Relations()
        address = await self._subscription(io)
        params = {
            "published-min": _utc(datetime.combine(request.since, time(), KST)),
            "max-results": str(MAX_RESULTS),
        }
        number, following = 0, ""
        while True:
            page = await io.get(following or address, None if following else params, accept=ATOM_TYPE)
            feed = read_feed(page.body, page.url)
            for reading in relations.add(feed.entries):
                if reading.forward and reading.unit == "Wh" and _wanted(reading, request):
                    yield record(reading)
            number += 1
            if feed.next is not None:
                following = inside(self.manifest.origin, feed.next, page.url)
            elif len(feed.entries) >= MAX_RESULTS and not following:
                params = {**params, "start-index": str(number * MAX_RESULTS + 1)}
            else:
                break
            if not relations.pending:
                yield Checkpoint({"page": number})
        relations.finish()
        yield Checkpoint({"page": number, "end": True})

    async def accounts(self, request: PullRequest, io: Io) -> list[Account]:
        """The person's meters: `connectors.contract.ListsAccounts`."""
        if request.dataset not in {dataset.id for dataset in self.manifest.datasets}:
            return []
        batch = await self._subscription(io)
        if BATCH not in batch:
            raise HolderError(Reason.CONTRACT, "the holder's subscription is not where the standard puts it")
        address = f"{batch.replace(BATCH, '/', 1).rstrip('/')}/UsagePoint"
        page = await io.get(address, accept=ATOM_TYPE)
        feed = read_feed(page.body, page.url)
        return [Account(point_name(entry)) for entry in feed.entries if entry.kind == "UsagePoint"]

    async def _subscription(self, io: Io) -> str:
        """Where this person's readings are: the resource of the one authorization the token stands for."""
        page = await io.get(AUTHORIZATIONS, accept=ATOM_TYPE)
        found = [
            entry.fields for entry in read_feed(page.body, page.url).entries if entry.kind == "Authorization"
        ]
        if len(found) != 1:
            raise HolderError(Reason.CONTRACT, "the holder shows no single authorization for this token")
        if found[0].get("status") == REVOKED:
            raise HolderError(Reason.REVOKED, "the holder says the authorization is revoked")
        if found[0].get("status") != ACTIVE or not found[0].get("resourceURI"):
            raise HolderError(Reason.DENIED, "the holder's authorization is not active")
        return inside(self.manifest.origin, found[0]["resourceURI"], page.url)


def connect(entry: Entry) -> GreenButtonHolder:
    """The connector for a registry entry."""
    return GreenButtonHolder(entry.manifest({"energy.electricity-usage": STANDARD}))


def record(reading: Reading) -> Record:
    """A reading under the field ids of the catalogue; `value` and `unit` as measured, time in Korean time."""
    start = reading.start.isoformat()
    body = {
        "usage_point": reading.usage_point,
        "start": start,
        "duration_s": reading.seconds,
        "value": format(reading.value, "f"),
        "unit": reading.unit,
        "quality": reading.quality,
    }
    return Record(
        key=f"{reading.usage_point}/{reading.meter_reading}/{start}",
        body=msgspec.json.encode(body),
        at=reading.start,
        version=reading.version,
    )


def _wanted(reading: Reading, request: PullRequest) -> bool:
    return request.since <= reading.start.date() <= request.until


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
