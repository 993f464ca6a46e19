"""GET /statistics/...: what was published, for everybody, as JSON, CSV and a DCAT catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.awareness import papers, publishing
from gateway.awareness.window import Month
from gateway.database import Database
from gateway.errors import Problem

_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Access-Control-Allow-Origin": "*"}
_AN_HOUR = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class Doors:
    """The public doors of what was published."""

    database: Database
    publisher: papers.Publisher

    async def catalogue(self, _request: Request) -> Response:
        """Everything there is, as DCAT 3."""
        async with self.database.reading() as session:
            told = await publishing.every(session)
        made = papers.catalogue(self.publisher, told)
        return Response(made, media_type="application/ld+json", headers=_AN_HOUR)

    async def numbers(self, request: Request) -> Response:
        """One month as JSON, byte for byte as it was published."""
        return Response(await self._found(request), media_type="application/json", headers=_FOR_EVER)

    async def table(self, request: Request) -> Response:
        """The same month as CSV."""
        told = papers.table(await self._found(request))
        return Response(told, media_type="text/csv", headers=_FOR_EVER)

    async def _found(self, request: Request) -> bytes:
        about, month = request.path_params["about"], request.path_params["month"]
        try:
            named = Month.parse(month).name
        except ValueError as error:
            raise Problem("not_found") from error
        if about not in publishing.ABOUT:
            raise Problem("not_found")
        async with self.database.reading() as session:
            body = await publishing.found(session, about, named)
        if body is None:
            raise Problem("not_found")
        return body


def routes(doors: Doors) -> list[Route]:
    """Their routes."""
    return [
        Route("/statistics/catalog.jsonld", doors.catalogue, methods=["GET"]),
        Route("/statistics/{about}/{month}.json", doors.numbers, methods=["GET"]),
        Route("/statistics/{about}/{month}.csv", doors.table, methods=["GET"]),
    ]
