"""/my/export: everything a citizen agreed to, as files they keep (PIPA 35-2; TS 27560, FHIR R4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.receipts import Receipts
from gateway.receipts.exporting import export, export_fhir
from gateway.web import language
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site

Maker = Callable[[Receipts, SubjectId], Awaitable[bytes]]


class Export:
    """The endpoints of the citizen's own files."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /my/export: which files there are."""
        async with self._site.database.reading() as session:
            if await self._site.sessions.find(session, request) is None:
                return sign_in_first("/my/export")
        return self._site.renderer.page("export", language.of_request(request), signed_in=True)

    async def consents(self, request: Request) -> Response:
        """GET /my/export/consents: the signed JSON-LD file; 202 while its receipts are being made."""
        return await self._file(request, export, ("mydata-consents.jsonld", "application/ld+json"))

    async def fhir(self, request: Request) -> Response:
        """GET /my/export/fhir: the medical consents as FHIR R4."""
        return await self._file(request, export_fhir, ("mydata-consents.fhir.json", "application/fhir+json"))

    async def _file(self, request: Request, make: Maker, named: tuple[str, str]) -> Response:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
        if citizen is None:
            raise Problem("sign_in_needed")
        if self._site.receipts is None:
            raise Problem("not_found")
        try:
            data = await make(self._site.receipts, SubjectId(citizen.subject))
        except Problem as problem:
            if problem.code != "ledger_timeout":
                raise
            later = ("detail.receipt_later", "detail.receipt_later_about")
            page = self._site.renderer.message(language.of_request(request), *later, status=202)
            page.headers["retry-after"] = "2"
            return page
        headers = {"content-disposition": f'attachment; filename="{named[0]}"'}
        return Response(data, media_type=named[1], headers=headers)
