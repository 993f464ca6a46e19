"""The sandbox electricity supplier: Green Button Connect My Data over people's meters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.consents import Grant
from connectors.sandbox.cursors import opaque
from connectors.sandbox.electricity import HourReading, Meter
from connectors.sandbox.energy_feed import (
    RESOURCES,
    FeedWriter,
    Links,
    interval_block,
    meter_entries,
    resource,
    usage_point,
)
from connectors.sandbox.holder import HolderConfig, SandboxHolder
from connectors.sandbox.refused import Refused

USAGE = "energy.electricity-usage"
DATASETS = (USAGE,)
SCOPE = "FB=1_3_4_5_13_14_39;IntervalDuration=3600;BlockDuration=Daily;HistoryLength=34128000"
LATEST = timedelta(days=6)
"""No reading is published longer than this after its day."""
Block = tuple[Meter, tuple[HourReading, ...]]


class Supplier:
    """Three doors: the meters, the one authorization of a token, and the readings of its subscription."""

    def __init__(self, holder: SandboxHolder) -> None:
        """Serve the people of `holder`."""
        self._holder = holder
        self._config = holder.config

    async def authorization(self, request: Request) -> Response:
        """GET Authorization: where the readings of this token's person are."""
        grant = self._holder.authenticate(request, USAGE, listing=True)
        own = f"{RESOURCES}/Authorization"
        now = datetime.fromtimestamp(self._config.now(), UTC)
        name = self._subscription(grant)
        feed = FeedWriter(self._config.origin, own, now)
        fields = {
            "status": "1",
            "expires_at": str(grant.expires),
            "scope": SCOPE,
            "token_type": "Bearer",
            "resourceURI": f"{self._config.origin}{RESOURCES}/Batch/Subscription/{name}",
            "authorizationURI": f"{self._config.origin}{own}/{name}",
        }
        feed.entry(Links(f"{own}/{name}", own), "Authorization", resource("Authorization", fields), now)
        return _atom(feed)

    async def usage_points(self, request: Request) -> Response:
        """GET Subscription/ID/UsagePoint: the person's meters, without any reading."""
        grant = self._holder.authenticate(request, USAGE, listing=True)
        name, now = self._subscription(grant), datetime.fromtimestamp(self._config.now(), UTC)
        if request.path_params["subscription"] != name:
            raise Refused(403, "access_denied", "foreign_subscription")
        own = f"{RESOURCES}/Subscription/{name}/UsagePoint"
        feed = FeedWriter(self._config.origin, own, now)
        for meter in self._holder.person(grant).meters:
            feed.entry(Links(f"{own}/{meter.number}", own), "Electricity", usage_point(), now)
        return _atom(feed)

    async def subscription(self, request: Request) -> Response:
        """GET Batch/Subscription/ID: blocks published since a moment, oldest first, a page at a time."""
        grant = self._holder.authenticate(request, USAGE)
        name = self._subscription(grant)
        if request.path_params["subscription"] != name:
            raise Refused(403, "access_denied", "foreign_subscription")
        query = request.query_params
        blocks = self._blocks(grant, _moment(query.get("published-min")))
        start = _number(query.get("start-index"), 1)
        size = min(_number(query.get("max-results"), self._config.page_size), self._config.page_size)
        part = blocks[start - 1 : start - 1 + size]
        feed = self._page(name, part)
        if start - 1 + size < len(blocks):
            onward = urlencode({**query, "start-index": start + size, "max-results": size})
            feed.link("next", f"{request.url.path}?{onward}")
        return _atom(feed)

    def _page(self, name: str, part: list[Block]) -> FeedWriter:
        now = datetime.fromtimestamp(self._config.now(), UTC)
        feed = FeedWriter(self._config.origin, f"{RESOURCES}/Batch/Subscription/{name}", now)
        base = f"{RESOURCES}/Subscription/{name}"
        under: dict[str, str] = {}
        for meter, readings in part:
            if meter.number not in under:
                installed = datetime(
                    meter.first_day.year, meter.first_day.month, meter.first_day.day, tzinfo=UTC
                )
                under[meter.number] = meter_entries(feed, base, meter.number, installed)
            blocks = under[meter.number]
            own = f"{blocks}/{readings[0].start:%Y%m%d}"
            feed.entry(Links(own, blocks), "", interval_block(readings), readings[0].published)
        return feed

    def _blocks(self, grant: Grant, since: datetime) -> list[Block]:
        now = datetime.fromtimestamp(self._config.now(), UTC)
        first = since.date() - LATEST if since.date() > date.min + LATEST else date.min
        found = [
            (meter, readings)
            for meter in self._holder.person(grant).meters
            for day in meter.days(first, date.max)
            if (readings := meter.known(day, now)) and readings[0].published >= since
        ]
        return sorted(found, key=lambda block: (block[1][0].published, block[1][0].start))

    def _subscription(self, grant: Grant) -> str:
        return opaque(self._config.secret, "subscription", self._holder.person(grant).id)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, "invalid_request", "published-min") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str | None, absent: int) -> int:
    if text is None:
        return absent
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**9:
        raise Refused(400, "invalid_request", "paging")
    return int(text)


def _atom(feed: FeedWriter) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(feed.body(), headers=headers, media_type="application/atom+xml")


def create(config: HolderConfig) -> Starlette:
    """The supplier's whole server."""
    holder = SandboxHolder(config)
    supplier = Supplier(holder)
    return holder.app(
        [
            Route(f"{RESOURCES}/Authorization", supplier.authorization, methods=["GET"]),
            Route(
                f"{RESOURCES}/Subscription/{{subscription}}/UsagePoint",
                supplier.usage_points,
                methods=["GET"],
            ),
            Route(f"{RESOURCES}/Batch/Subscription/{{subscription}}", supplier.subscription, methods=["GET"]),
        ]
    )
