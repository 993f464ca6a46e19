"""The sandbox shop: orders as schema.org Order JSON, in the order of their last change, by cursor."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.sandbox.cursors import offset_of, seal
from connectors.sandbox.holder import HolderConfig, SandboxHolder
from connectors.sandbox.lives import Person
from connectors.sandbox.refused import Refused
from connectors.sandbox.shopping import Order, OrderLine

ORDERS = "retail.orders"
DATASETS = (ORDERS,)
SCHEMA = "https://schema.org"
PATH = "/v1/orders"


class Shop:
    """One door: the person's orders."""

    def __init__(self, holder: SandboxHolder) -> None:
        """Serve the people of `holder`."""
        self._holder = holder
        self._config = holder.config

    async def orders(self, request: Request) -> Response:
        """GET /v1/orders: every version of every order placed between two Korean days, in order."""
        grant = self._holder.authenticate(request, ORDERS)
        query = request.query_params
        since, until = _day(query.get("ordered_from")), _day(query.get("ordered_to"))
        person = self._holder.person(grant)
        found = [order for order in person.orders if since <= order.placed.date() <= until]
        bound = f"{grant.link}|{since}|{until}"
        start = offset_of(self._config.secret, bound, query.get("cursor"))
        end = start + min(_limit(query.get("limit")), self._config.page_size)
        part = [written(order, person) for order in found[start:end]]
        body: dict[str, Any] = {"count": len(part), "orders": part}
        if end < len(found):
            onward = urlencode({**query, "cursor": seal(self._config.secret, bound, end)})
            body["next"] = f"{self._config.origin}{PATH}?{onward}"
        headers = {"cache-control": "no-store"}
        return Response(msgspec.json.encode(body), headers=headers, media_type="application/json")


def written(order: Order, person: Person) -> dict[str, Any]:
    """An order as schema.org Order JSON-LD; `modified` is the shop's own: when the version was made."""
    return {
        "@context": SCHEMA,
        "@type": "Order",
        "orderNumber": order.number,
        "orderDate": order.placed.isoformat(),
        "orderStatus": f"{SCHEMA}/{order.status}",
        "totalPrice": str(order.total),
        "priceCurrency": "KRW",
        "orderedItem": [_line(line) for line in order.lines],
        "billingAddress": {
            "@type": "PostalAddress",
            "addressCountry": "KR",
            "streetAddress": getattr(person, "address", ""),
        },
        "customer": {"@type": "Person", "name": person.name, "telephone": getattr(person, "phone", "")},
        "modified": order.modified.isoformat(),
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "@type": "OrderItem",
        "orderQuantity": line.quantity,
        "orderedItem": {
            "@type": "Product",
            "name": line.name,
            "offers": {"@type": "Offer", "price": str(line.price), "priceCurrency": "KRW"},
        },
    }


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise Refused(400, "invalid_request", "ordered_from_or_to") from None


def _limit(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or not 0 < int(text) <= 200:
        raise Refused(400, "invalid_request", "limit")
    return int(text)


def create(config: HolderConfig) -> Starlette:
    """The shop's whole server."""
    holder = SandboxHolder(config)
    return holder.app([Route(PATH, Shop(holder).orders, methods=["GET"])])
