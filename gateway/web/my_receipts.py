"""/my/consents/{id}/receipts and /text: every receipt as a page to print and a file; the words agreed to."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from consent import repository
from consent.mandates import Power
from consent.receipt_jws import json_object, unb64url
from gateway.errors import Problem
from gateway.receipts import Receipts, listed
from gateway.web import language, paging, phrases
from gateway.web.my_consents import Kept, own
from gateway.web.receipt_view import ListedReceipt, receipt_view
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.words import words


class MyReceipts:
    """The endpoints of a citizen's receipts of one consent."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def every(self, request: Request) -> Response:
        """GET /my/consents/{id}/receipts: newest first, a page at a time."""
        spoken, before = language.of_request(request), paging.before(request)
        kept = await self._own(request)
        if kept is None:
            return sign_in_first(f"/my/consents/{request.path_params['consent']}/receipts")
        place, t = f"/my/consents/{kept.consent.id}", words(spoken)
        async with self._site.database.reading() as session:
            found = await listed(session, kept.consent, limit=paging.PAGE + 1, before=before)
        shown = found[: paging.PAGE]
        rows = tuple(
            ListedReceipt(
                href=f"{place}/receipts/{one.part}",
                file=f"{place}/receipts/{one.part}/file",
                kind=t(f"receipt.kind_{one.kind}"),
                when=phrases.moment(one.at, spoken),
            )
            for one in shown
        )
        last = shown[-1] if len(found) > paging.PAGE else None
        return self._site.renderer.page(
            "receipts",
            spoken,
            signed_in=True,
            rows=rows,
            place=place,
            signature=f"{place}/signature" if self._site.anchors else None,
            older=paging.older(f"{place}/receipts", (last.at, last.part)) if last else None,
            newest=f"{place}/receipts" if before else None,
        )

    async def one(self, request: Request) -> Response:
        """GET /my/consents/{id}/receipts/{part}: the receipt in words; 202 while it is being made."""
        spoken, part = language.of_request(request), request.path_params["part"]
        kept = await self._own(request)
        place = f"/my/consents/{request.path_params['consent']}/receipts"
        if kept is None:
            return sign_in_first(f"{place}/{part}")
        signed = await self._signed(kept, part)
        if signed is None:
            return self._later(request)
        payload = json_object(unb64url(signed.split(b".")[1].decode()))
        view = receipt_view(self._site, payload, spoken)
        return self._site.renderer.page("receipt", spoken, signed_in=True, view=view, place=place, part=part)

    async def file(self, request: Request) -> Response:
        """GET /my/consents/{id}/receipts/{part}/file: the signed receipt; 202 while it is being made."""
        kept, part = await self._own(request), request.path_params["part"]
        if kept is None:
            raise Problem("sign_in_needed")
        signed = await self._signed(kept, part)
        if signed is None:
            return self._later(request)
        name = f"mydata-receipt-{kept.consent.id}.{part}.jwt"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(signed, media_type="application/jwt", headers=headers)

    async def text(self, request: Request) -> Response:
        """GET /my/consents/{id}/text: the words agreed to last; `?version=` for those of a version before."""
        spoken, kept = language.of_request(request), await self._own(request)
        place = f"/my/consents/{request.path_params['consent']}"
        if kept is None:
            return sign_in_first(f"{place}/text")
        asked = request.query_params.get("version")
        async with self._site.database.reading() as session:
            versions = await repository.versions_of(session, kept.consent)
            found = [one for one in versions if asked is None or str(one.version) == asked]
            shown = await repository.text_shown(session, found[-1].text_hash) if found else None
        if shown is None:
            raise Problem("not_found")
        first = {one.text_hash: one.version for one in reversed(versions)}
        return self._site.renderer.page(
            "text_shown",
            spoken,
            signed_in=True,
            text=shown,
            paragraphs=tuple(part.split("\n") for part in shown.body.strip().split("\n\n")),
            place=place,
            others=tuple((version, f"{place}/text?version={version}") for version in first.values()),
        )

    async def _own(self, request: Request) -> Kept | None:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return None
            id = request.path_params["consent"]
            return await own(session, citizen, id, under=(self._site, Power.VIEW))

    async def _signed(self, kept: Kept, part: str) -> bytes | None:
        receipts: Receipts | None = self._site.receipts
        if receipts is None:
            raise Problem("not_found")
        try:
            return await receipts.part(kept.consent, part)
        except Problem as problem:
            if problem.code == "ledger_timeout":
                return None
            raise

    def _later(self, request: Request) -> Response:
        spoken = language.of_request(request)
        later = ("detail.receipt_later", "detail.receipt_later_about")
        page = self._site.renderer.message(spoken, *later, status=202)
        page.headers["retry-after"] = "2"
        return page
