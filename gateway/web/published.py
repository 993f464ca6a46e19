"""/statistics: what was published, for people: the months there are, and one month in words."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.awareness import publishing
from gateway.awareness.window import Month
from gateway.errors import Language, Problem
from gateway.web import language
from gateway.web.site import Site
from gateway.web.views import NumbersView
from gateway.web.words import words

PLACE = "/statistics"


class Published:
    """The endpoints of the public numbers."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def every(self, request: Request) -> Response:
        """GET /statistics: every month there is, the newest first."""
        spoken = language.of_request(request)
        async with self._site.database.reading() as session:
            told = await publishing.names(session)
        t = words(spoken)
        months = [(f"{PLACE}/{about}/{month}", t(f"published.{about}", month=month)) for about, month in told]
        return self._site.renderer.page("published", spoken, months=months)

    async def one(self, request: Request) -> Response:
        """GET /statistics/{about}/{month}: its numbers, and where the files are."""
        about, month = request.path_params["about"], request.path_params["month"]
        try:
            named = Month.parse(month).name
        except ValueError as error:
            raise Problem("not_found") from error
        async with self._site.database.reading() as session:
            body = await publishing.found(session, about, named)
        if body is None:
            raise Problem("not_found")
        spoken = language.of_request(request)
        return self._site.renderer.page(
            "published_month",
            spoken,
            title=words(spoken)(f"published.{about}", month=named),
            tables=self._tables(publishing.read(body)["cells"], spoken),
            place=f"{PLACE}/{about}/{named}",
        )

    def _tables(self, cells: list[dict[str, Any]], spoken: Language) -> list[NumbersView]:
        t = words(spoken)
        found = []
        for (measure, by), rows in groupby(cells, key=lambda cell: (cell["measure"], cell["by"])):
            named = t(f"published_what.{measure}"), self._by(measure, by, spoken)
            lines = tuple(
                (
                    self._value(by, row["value"], spoken),
                    t("published.few") if row["few"] else f"{row['number']:,}",
                )
                for row in rows
            )
            found.append(NumbersView(t("published.by", measure=named[0], by=named[1]), lines))
        return found

    def _by(self, measure: str, by: str, spoken: Language) -> str:
        t, question = words(spoken), f"questionnaire_{measure}.{by}"
        return t(question) if question in t else t(f"published_by.{by}")

    def _value(self, by: str, value: str, spoken: Language) -> str:
        """The words of the catalogue, of these pages, or the name itself where neither knows it any more."""
        t, catalogue = words(spoken), self._site.catalogue
        if by == "sector" and value in catalogue.sectors:
            return catalogue.sectors[value][spoken]
        if by == "purpose" and value in catalogue.purposes:
            return catalogue.purposes[value].name[spoken]
        key = f"published_value.{value}"
        return t(key) if key in t else value
