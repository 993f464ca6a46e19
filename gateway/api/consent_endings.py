"""What a company does when one of its consents has ended: acknowledge it, and answer for what it deleted.

Opened by a client_credentials token with the scope `company`. Another company's consent is not there, just as
one that never was. A suspended company's token opens nothing, here neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from consent import deletion, endings
from consent.clock import Clock
from consent.deletion import Instruction
from consent.errors import MoveError
from consent.journal import Journal
from consent.records import Consent
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth import deletion_certificate
from gateway.oauth.bearer import ResourceServer
from gateway.oauth.clients import Client
from gateway.transfers.bundles_of import bundles_of

Did = TypeVar("Did")
Work = Callable[[AsyncSession, Consent, Client], Awaitable[Did]]


class Acknowledgement(BaseModel):
    """That the company has heard of the end. Moments are epoch seconds."""

    consent_id: str
    state: str
    acknowledged_at: int


class DeletionInstruction(BaseModel):
    """What the citizen instructs; `certified_at` is None until a certificate was accepted."""

    id: str
    consent_id: str
    asked_at: int
    deadline_at: int
    items: list[str]
    bundles: list[str]
    certified_at: int | None
    certificate_sha256: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """What these doors need, handed in once."""

    issuer: str
    database: Database
    resource: ResourceServer
    journal: Journal
    clock: Clock

    async def acknowledge(self, request: Request, consent_id: str) -> Acknowledgement:
        """Note that the company has heard of the end; again changes nothing."""

        async def work(session: AsyncSession, consent: Consent, client: Client) -> Acknowledgement:
            kind, now = endings.Kind.RECIPIENT, self._now()
            at = await endings.acknowledge(session, self.journal, consent, kind, client.id, at=now)
            after = await endings.ended(session, consent.id, recipient=client.id)
            return Acknowledgement(consent_id=after.id, state=after.state.value, acknowledged_at=at)

        return await self._with(request, consent_id, work)

    async def instruction(self, request: Request, consent_id: str) -> DeletionInstruction:
        """What the citizen instructs the company to delete. Raises Problem `deletion_not_instructed`."""

        async def work(session: AsyncSession, consent: Consent, _client: Client) -> DeletionInstruction:
            return await _told(session, consent, await _instructed(session, consent))

        return await self._with(request, consent_id, work)

    async def certify(self, request: Request, consent_id: str) -> DeletionInstruction:
        """Keep the company's certificate."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/jwt":
            raise Problem(
                "deletion_certificate_invalid", params={"what": "the media type is application/jwt"}
            )
        client = (await self.resource.for_company(request)).client
        text = await _body(request)

        async with self.database.transaction() as session:
            consent = await endings.ended(session, consent_id, recipient=client.id)
            known = await _instructed(session, consent)
            if known.certificate != text:
                stated = deletion_certificate.read(text, client, self.issuer, consent, known, self._now())
                if not set(stated.bundles) <= set(await bundles_of(session, consent.id)):
                    what = "a bundle was never made under this consent"
                    raise Problem("deletion_certificate_invalid", params={"what": what})
            kept = await deletion.certify(session, self.journal, consent, known, text, at=self._now())
            return await _told(session, consent, kept)

    async def _with(self, request: Request, consent_id: str, work: Work[Did]) -> Did:
        """Do `work` on the caller's own consent that ended, held under lock."""
        client = (await self.resource.for_company(request)).client
        async with self.database.transaction() as session:
            return await work(session, await endings.ended(session, consent_id, recipient=client.id), client)

    def _now(self) -> int:
        return int(self.clock().timestamp())


def router(doors: Doors) -> APIRouter:
    """The routes, with their schemas in the OpenAPI document."""
    routes = APIRouter(tags=["consents"])

    @routes.post("/consents/{consent_id}/acknowledgement", response_model=Acknowledgement)
    async def acknowledge(request: Request, consent_id: str) -> Acknowledgement:
        """Acknowledge that a consent has ended. The last party to do so completes a withdrawal."""
        return await doors.acknowledge(request, consent_id)

    @routes.get("/consents/{consent_id}/deletion-instruction", response_model=DeletionInstruction)
    async def instruction(request: Request, consent_id: str) -> DeletionInstruction:
        """The citizen's instruction to delete what was received under an ended consent."""
        return await doors.instruction(request, consent_id)

    @routes.post("/consents/{consent_id}/deletion-certificate", response_model=DeletionInstruction)
    async def certify(request: Request, consent_id: str) -> DeletionInstruction:
        """Hand in the signed deletion certificate (`mydata-deletion+jwt`); the same again changes nothing."""
        return await doors.certify(request, consent_id)

    return routes


async def _instructed(session: AsyncSession, consent: Consent) -> Instruction:
    found = await deletion.of_consent(session, consent.id)
    if found is None:
        raise MoveError("deletion_not_instructed")
    return found


async def _told(session: AsyncSession, consent: Consent, known: Instruction) -> DeletionInstruction:
    return DeletionInstruction(
        id=known.id,
        consent_id=consent.id,
        asked_at=known.asked_at,
        deadline_at=known.deadline_at,
        items=[item.name for item in consent.asked.items],
        bundles=await bundles_of(session, consent.id),
        certified_at=known.certified_at,
        certificate_sha256=known.certificate_sha256,
    )


async def _body(request: Request) -> str:
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > deletion_certificate.LONGEST:
            raise Problem("too_large")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        params = {"what": "it is not a compact JWS"}
        raise Problem("deletion_certificate_invalid", params=params) from error
