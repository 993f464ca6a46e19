"""/my/consents/{id}/signature: the citizen may also sign the words agreed to, with a key of their own.

Optional, and only where the operator trusts an authority (`signature_anchors`). Nothing else depends on it.
"""

from __future__ import annotations

from cryptography import x509
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import moving, repository, signatures
from consent.records import State
from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.receipts import signed
from gateway.web import language, phrases
from gateway.web.forms import read_form
from gateway.web.my_consents import Kept, own
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site


class Signature:
    """The endpoints of a citizen's own signature."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: how to sign, and whether this version is signed."""
        trusted = self._trusted()
        kept, spoken = await self._own(request), language.of_request(request)
        place = f"/my/consents/{request.path_params['consent']}"
        if kept is None:
            return sign_in_first(f"{place}/signature")
        async with self._site.database.reading() as session:
            before = await signed.kept(session, self._site.journal, kept.consent)
        return self._site.renderer.page(
            "signature",
            spoken,
            signed_in=True,
            place=place,
            version=kept.consent.version,
            when=phrases.moment(before.at, spoken) if before else None,
            sha256=before.sha256 if before else None,
            open=bool(trusted) and kept.consent.state is State.ACTIVE,
        )

    async def content(self, request: Request) -> Response:
        """GET .../content: the exact bytes to sign."""
        self._trusted()
        kept = await self._own(request)
        if kept is None:
            raise Problem("sign_in_needed")
        async with self._site.database.reading() as session:
            text = await repository.text_shown(session, kept.consent.text_hash)
        if text is None:
            raise Problem("not_found")
        headers = {"content-disposition": f'attachment; filename="mydata-to-sign-{kept.consent.id}.txt"'}
        data = signatures.content_of(text, kept.consent)
        return Response(data, media_type="application/octet-stream", headers=headers)

    async def add(self, request: Request) -> Response:
        """POST: the signature, verified and kept with its entry; a second one changes nothing.

        Raises Problem `sign_in_needed`, `form_invalid`; MoveError `consent_not_found`, `consent_moved_on`;
        SignatureError.
        """
        trusted, now = self._trusted(), self._site.now()
        id = request.path_params["consent"]
        form = await read_form(request, single=("version", "signature"), required=("version", "signature"))
        if not (form.one("version").isascii() and form.one("version").isdigit()):
            raise Problem("form_invalid")
        async with self._site.database.transaction() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                raise Problem("sign_in_needed")
            subject, version = SubjectId(citizen.subject), int(form.one("version")[:9])
            consent = await moving.own_version(session, id, subject, version)
            text = await repository.text_shown(session, consent.text_hash)
            if text is None or consent.standing(now) is not State.ACTIVE:
                raise Problem("not_found")
            content = signatures.content_of(text, consent)
            made = signatures.verify(form.one("signature").strip(), content, trusted, now)
            await signed.keep(session, self._site.journal, consent, made, now)
        return RedirectResponse(f"/my/consents/{id}/signature", 303)

    def _trusted(self) -> tuple[x509.Certificate, ...]:
        if not self._site.anchors:
            raise Problem("not_found")
        return self._site.anchors

    async def _own(self, request: Request) -> Kept | None:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            return await own(session, citizen, request.path_params["consent"]) if citizen else None
