"""The way through every client-authenticated endpoint: read, load, decide, flush; and how it refuses.

A refusal changes no consent, grant, token or code (design 3.6). Once the client is authenticated it spends
the assertion and proof and may enter the ledger; before that it is only counted. The one exception is a
replayed code: every token of its grant ends (RFC 6749 4.1.2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from consent.events import Event
from gateway.errors import Problem, catalogue
from gateway.oauth import client_assertion, clients
from gateway.oauth.answers import Answer, refused
from gateway.oauth.client_certificate import unwanted_proof
from gateway.oauth.dpop_nonce import tell
from gateway.oauth.endings import end_tokens
from gateway.oauth.exchange import Arrival, Exchange, Loaded
from gateway.oauth.flows import AUTH_METHODS
from gateway.oauth.form import read_form
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import spend
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.unit import STALE, Known, Unit, unit_of


class Door(ABC):
    """One endpoint. Subclasses say what to load beyond the client and how to decide."""

    path: str
    refusal: Event = Event.TOKEN_ACCESS_REFUSED
    issues: bool = False
    """Whether what it gives waits for a ledger that lags (design 3.5)."""

    def __init__(self, server: GatewayAuthorizationServer) -> None:
        """Serve for `server`; keeps no request state."""
        self.server = server

    async def load(self, session: AsyncSession, form: Mapping[str, str], loaded: Loaded) -> Loaded:  # noqa: ARG002
        """Read what this endpoint decides on, beside the client. MUST NOT write."""
        return loaded

    async def look(self, client_id: str, form: Mapping[str, str]) -> Loaded | None:  # noqa: ARG002
        """The same in company with other requests; None where this request needs `load`."""
        return None

    def remembered(self, client_id: str, form: Mapping[str, str]) -> Known | None:  # noqa: ARG002
        """The client as it was read before, where it alone is what this request is decided on."""
        return None

    @abstractmethod
    def decide(self, exchange: Exchange) -> Answer:
        """The answer, or OAuthRefusal. No I/O; changes go to `exchange.writes`."""

    def authenticate(self, exchange: Exchange) -> clients.Client:
        """Prove the client, by Authlib's registry of methods."""
        client: clients.Client = self.server.authenticate_client(exchange, AUTH_METHODS, self.path)
        if client.certificate_bound and exchange.arrival.proofs:
            raise unwanted_proof()
        return client

    async def answer(self, request: Request) -> Response:
        """Answer one request; every Problem becomes an OAuth error response."""
        tell(request, self.server.nonces, self.server.now())
        exchange: Exchange | None = None
        try:
            arrival, assertion = await self._arrive(request)
            if (at_once := await self._at_once(arrival, assertion)) is not None:
                return at_once.response()
            exchange = await self._loaded(arrival, assertion)
            decided = await self._decided(exchange)
            if self.issues:
                await self.server.may_issue()
            await self._flush(exchange)
        except Exception as error:
            return refused(await self._refuse(exchange, _problem(error)))
        return decided.response()

    async def _decided(self, exchange: Exchange) -> Answer:
        with self.server.deciding(exchange):
            return await self.server.minter.signing.offload(self.decide, exchange)

    async def _at_once(self, arrival: Arrival, assertion: client_assertion.Presented | None) -> Answer | None:
        """The answer for a client known from before, if its row is still the same when the answer is stored.

        None for whatever is not a plain yes: then nothing has changed, and all is read and decided anew.
        """
        client_id = arrival.form["client_id"] if assertion is None else assertion.client_id
        known = self.remembered(client_id, arrival.form)
        if known is None:
            return None
        exchange = Exchange(arrival, Loaded(client=known.client), assertion)
        try:
            decided = await self._decided(exchange)
            unit = unit_of(exchange.once, exchange.writes)
        except Exception:
            return None
        if unit is None:
            return None
        if self.issues:
            await self.server.may_issue()
        stale = await self._do(exchange, replace(unit, known=known))
        return None if stale else decided

    async def _arrive(self, request: Request) -> tuple[Arrival, client_assertion.Presented | None]:
        form = await read_form(request)
        now = self.server.now()
        certificate = self.server.certificate(request)
        assertion = self._assertion(form, now)
        accept = ",".join(request.headers.getlist("accept"))
        proofs = request.headers.getlist("dpop")
        address = self.server.address(self.path, certificate)
        return Arrival(form, proofs, address, now, accept, certificate, self.server.nonces), assertion

    async def _loaded(self, arrival: Arrival, assertion: client_assertion.Presented | None) -> Exchange:
        form = arrival.form
        client_id = form["client_id"] if assertion is None else assertion.client_id
        loaded = await self._look(client_id, form)
        lacking = assertion and loaded.client and loaded.client.lacks(assertion.jws)
        if lacking and await self.server.unknown_kid(client_id):
            loaded = await self._look(client_id, form)
        return Exchange(arrival, loaded, assertion)

    async def _load(self, client_id: str, form: Mapping[str, str]) -> Loaded:
        async with self.server.database.reading() as session:
            client = await clients.find(session, client_id)
            return await self.load(session, form, Loaded(client=client)) if client else Loaded()

    async def _look(self, client_id: str, form: Mapping[str, str]) -> Loaded:
        return await self.look(client_id, form) or await self._load(client_id, form)

    def _assertion(self, form: Mapping[str, str], now: int) -> client_assertion.Presented | None:
        """The assertion; None where a client that names itself may be one of mutual TLS (RFC 8705 2)."""
        by_name = self.server.terminators is not None and "client_id" in form
        if by_name and not form.keys() & {"client_assertion", "client_assertion_type", "client_secret"}:
            return None
        return client_assertion.present(form, issuer=self.server.issuer, now=now)

    async def _flush(self, exchange: Exchange) -> None:
        unit = unit_of(exchange.once, exchange.writes)
        if unit is None:
            await self._flush_alone(exchange)
        else:
            await self._do(exchange, unit)

    async def _do(self, exchange: Exchange, unit: Unit) -> bool:
        """Carry the unit out; whether the client it knew is not the registered one any more."""
        code = await self.server.together.do(unit)
        if code is None or code == STALE:
            return code is not None
        refusal = OAuthRefusal(code)
        async with self.server.database.transaction() as session:
            await self._tell(session, exchange, refusal)
        raise _Told(refusal)

    async def _flush_alone(self, exchange: Exchange) -> None:
        async with self.server.database.transaction() as session:
            refusal = await _spend(session, exchange)
            for write in exchange.writes if refusal is None else ():
                if (refusal := await write(session)) is not None:
                    break
            if refusal is not None:
                await self._tell(session, exchange, refusal)
        if refusal is not None:
            raise _Told(refusal)

    async def _refuse(self, exchange: Exchange | None, problem: Problem) -> Problem:
        if isinstance(problem, _Told):
            return problem.refusal
        if exchange is None or not exchange.authenticated or problem.status >= 500:
            self.server.record.uncounted[problem.code] += 1
            return problem
        try:
            async with self.server.database.transaction() as session:
                problem = await _spend(session, exchange) or problem
                await self._tell(session, exchange, problem)
        except Problem as unstored:
            return unstored
        return problem

    async def _tell(self, session: AsyncSession, exchange: Exchange, problem: Problem) -> None:
        now, loaded = exchange.arrival.now, exchange.loaded
        if problem.code == "code_replayed" and loaded.code is not None:
            spent = replace(loaded.code.grant, generation=loaded.code.generation)
            await end_tokens(session, self.server.record, spent, problem.code, at=now)
        await self.server.record.refused(session, self.refusal, exchange.client, problem.code, now)


class _Told(OAuthRefusal):
    """A refusal the flush has already written down."""

    def __init__(self, refusal: OAuthRefusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


async def _spend(session: AsyncSession, exchange: Exchange) -> OAuthRefusal | None:
    for once in exchange.once:
        if not await spend(session, once):
            return OAuthRefusal(once.code)
    return None


def _problem(error: Exception) -> Problem:
    """The problem an error means; an error nobody named goes on as it is."""
    if isinstance(error, Problem):
        return error
    if getattr(error, "code", None) in catalogue():
        return Problem.of(error)
    raise error
