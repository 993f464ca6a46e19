"""지원-101 to 107 and the weekly numbers, for an account of the portal (`ledger_readers`); GET and POST only.

`user_ci` is the name by which the identity provider knows the person towards this gateway. The gateway never
learns a CI, so a CI finds nobody. The name is hashed under a key at once: never stored, logged or entered.
Every look at a person stands in that person's trail before the answer; somebody unknown has no consents.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from consent import moving, service
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.records import PENDING, Consent, State
from consent.subjects import SubjectError, SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.readers import Reader, Scope
from gateway.oauth import form
from gateway.oauth.refusals import OAuthRefusal
from gateway.security import citizens
from gateway.support import tokens
from gateway.support.agreements import STATUS, Agreements, Line, place_of
from gateway.support.repository import Place, ended_at, moments
from gateway.support.tokens import SupportTokens
from gateway.support.wire import answered, dtime, limit_of, members

Ended = Callable[[AsyncSession, Consent], Awaitable[None]]
List = Callable[..., Awaitable[tuple[list[Line], Place | None]]]

_PERSON = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_LIST = {
    "user_ci": _PERSON,
    "limit": re.compile(r"[0-9]{1,3}", re.ASCII),
    "next_page": re.compile(r"[0-9A-Za-z._-]{1,80}", re.ASCII),
}
_CONSENT = {"prov_consent_num": re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)}


@dataclass(frozen=True, slots=True)
class Doors:
    """What these doors need, handed in once. `identity` names a person's hash (`security.citizens`)."""

    database: Database
    journal: Journal
    tokens: SupportTokens
    agreements: Agreements
    identity: Callable[[str], str] = field(repr=False)
    after_withdrawal: Ended
    wake: Callable[[], None]
    clock: Clock

    async def token(self, request: Request) -> Response:
        """지원-101: an account's id and secret for a token; errors are those of RFC 6749 5.2."""
        try:
            given = await form.read_form(request)
        except OAuthRefusal as error:
            raise Problem("invalid_request", params={"what": "the form"}) from error
        wanted = {"grant_type": "client_credentials", "scope": tokens.MANAGE}
        if set(given) - {*wanted, "client_id", "client_secret"}:
            raise Problem("invalid_request", params={"what": "an unknown member"})
        for name, value in wanted.items():
            if given.get(name) != value:
                raise Problem("invalid_request", params={"what": name})
        reader = self.tokens.account(given.get("client_id", ""), given.get("client_secret", ""))
        async with self.database.transaction() as session:
            await self._enter(session, Event.SUPPORT_TOKEN_ISSUED, reader, {"expires_in": tokens.SECONDS})
        self.wake()
        body: dict[str, Any] = {"token_type": "Bearer", "access_token": self.tokens.issue(reader)}
        body |= {"expires_in": tokens.SECONDS, "scope": tokens.MANAGE}
        return answered(request, body)

    async def consents(self, request: Request) -> Response:
        """지원-103: everything a person has agreed to here, by scope."""
        return await self._list(request, "consents", "consent", self.agreements.scopes)

    async def agreed(self, request: Request) -> Response:
        """지원-105: the person's agreements to provide to third parties."""
        return await self._list(request, "agreements", "agreement", self.agreements.agreements)

    async def detail(self, request: Request) -> Response:
        """지원-106: what was really provided under one of them."""
        reader = self.admit(request, "support")
        given = await members(request, {**_LIST, **_CONSENT}, ("user_ci", "prov_consent_num"))
        limit, before = limit_of(given), place_of(given.get("next_page"))
        async with self.database.transaction() as session:
            consent = await self._own(session, given["user_ci"], given["prov_consent_num"])
            lines, after = await self.agreements.provided(session, consent, limit, before)
            told = {"what": "provided", "consent": consent.id, "found": len(lines)}
            await self._enter(session, Event.SUPPORT_CONSENTS_SHOWN, reader, told, consent.subject)
        self.wake()
        body = {"prov_consent_num": consent.id, "prov_cnt": len(lines), "prov_list": lines}
        return answered(request, {**body, **_next(after)})

    async def revoke(self, request: Request) -> Response:
        """지원-107: the person's own withdrawal, brought by the portal; again changes nothing.

        Never blocked: neither policy nor a ledger that lags is asked.
        """
        reader = self.admit(request, "withdraw")
        given = await members(request, {"user_ci": _PERSON, **_CONSENT}, ("user_ci", "prov_consent_num"))
        now = self._now()
        async with self.database.transaction() as session:
            before = await self._own(session, given["user_ci"], given["prov_consent_num"])
            after = await service.withdraw(
                session, self.journal, before.id, subject=before.subject, at=now, through=reader.id
            )
            if not before.ended:
                await self.after_withdrawal(session, after)
            ended = ended_at(after, await moments(session, [after]))
        self.wake()
        body = {"prov_consent_num": after.id, "status": STATUS[after.standing(now)]}
        return answered(request, {**body, **({"prov_revoke_dtime": dtime(ended)} if ended else {})})

    def admit(self, request: Request, scope: Scope) -> Reader:
        """The account that asks. Raises Problem `reader_unknown`, `reader_scope`."""
        return self.tokens.admit(request.headers.get("authorization"), scope)

    async def _list(self, request: Request, what: str, line: str, make: List) -> JSONResponse:
        reader = self.admit(request, "support")
        given = await members(request, _LIST, ("user_ci",))
        limit, before = limit_of(given), place_of(given.get("next_page"))
        lines: list[Line] = []
        after: Place | None = None
        async with self.database.transaction() as session:
            subject = await citizens.known(session, self.identity(given["user_ci"]))
            if subject is not None:
                lines, after = await make(session, subject, self._now(), limit, before)
            told: dict[str, Any] = {"what": what, "found": len(lines)}
            await self._enter(session, Event.SUPPORT_CONSENTS_SHOWN, reader, told, subject)
        self.wake()
        body = {f"{line}_cnt": len(lines), f"{line}_list": lines, **_next(after)}
        return answered(request, {"search_timestamp": dtime(self._now()), **body})

    async def _own(self, session: AsyncSession, person: str, consent_id: str) -> Consent:
        """The person's consent, locked. Raises Problem `consent_not_found`, also for another's."""
        subject = await citizens.known(session, self.identity(person))
        if subject is None:
            raise Problem("consent_not_found")
        found = await moving.own(session, consent_id, subject)
        if found.state in PENDING or found.state is State.REFUSED:
            raise Problem("consent_not_found")
        if not await moments(session, [found]):
            raise Problem("consent_not_found")
        return found

    async def _enter(
        self,
        session: AsyncSession,
        event: Event,
        reader: Reader,
        told: dict[str, Any],
        subject: SubjectId | None = None,
    ) -> None:
        """The look's entry; in nobody's trail when the person's key is gone."""
        at = self._now()
        try:
            await self.journal.append(session, event, subject=subject, party=reader.id, payload=told, at=at)
        except SubjectError:
            await self.journal.append(session, event, subject=None, party=reader.id, payload=told, at=at)

    def _now(self) -> int:
        return int(self.clock().timestamp())


def _next(after: Place | None) -> dict[str, str]:
    return {} if after is None else {"next_page": f"{after[0]}.{after[1]}"}
