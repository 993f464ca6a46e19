"""An authorization server for tests, with one client at it and the citizen's answers in reach."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consent import service
from consent.catalogue import load as load_catalogue
from consent.journal import Journal
from consent.ledger_tables import OUTBOX
from consent.records import Consent
from consent.service import Asked
from consent.subjects import SubjectKeys
from consent.terms import ClientInfo, HolderInfo, Terms, parse_details, to_details
from consent.text import ShownText
from gateway.database import Database
from gateway.errors import Problem
from gateway.keyring import Keyring, SigningKey
from gateway.oauth import (
    GatewayAuthorizationServer,
    Minter,
    Pending,
    Record,
    ResourceServer,
    Settlement,
    clients,
    interactions,
    recognition,
    routes,
)
from gateway.oauth.dpop_nonce import Nonces
from gateway.oauth.grants import follow_consent
from gateway.security.client_certificate import Terminators
from gateway.security.sessions import SignedIn
from tests.oauth_company import REDIRECT as REDIRECT
from tests.oauth_company import Clock, Company
from tests.oauth_company import asked_details as asked_details
from tests.oauth_keys import Key, b64, es256

SESSION = "browser-session"
STORED = ("consent", "authorization_request", "authorization_code", "oauth_grant", "refresh_token")
ENDED = (("authorization_code", "used_at"), ("oauth_grant", "revoked_at"), ("refresh_token", "revoked_at"))


def document(client_id: str, *keys: Key) -> dict[str, Any]:
    """A client document with these signing keys."""
    enc = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
    signing = [{**key.jwk, "use": "sig", "kid": f"k{n}", "alg": key.alg} for n, key in enumerate(keys)]
    return {
        "client_id": client_id,
        "name": {"ko": "든든가계부", "en": "Deundeun Budget"},
        "contact": "privacy@deundeun.example",
        "redirect_uris": [REDIRECT],
        "kinds": {"finance": "licensed_operator"},
        "jwks": {"keys": [*signing, {"kty": "OKP", "crv": "X25519", "use": "enc", "kid": "e", "x": enc}]},
    }


CATALOGUE = load_catalogue()
HOLDERS = {"hanbit-bank": HolderInfo("hanbit-bank", "finance", {"ko": "한빛은행", "en": "Hanbit Bank"})}


@dataclass
class Stage(Company):
    """One authorization server, one client at it, and the client's browser."""

    database: Database
    issuer: str
    clock: Clock = field(default_factory=Clock)
    client_id: str = "deundeun-budget"
    key: Key = field(default_factory=es256)
    dpop: Key = field(default_factory=es256)
    verifier: str = "v" * 50
    terminators: Terminators | None = None
    nonces: Nonces | None = None
    ticked: frozenset[str] = frozenset()
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.subjects = SubjectKeys(b"k" * 32)
        self.journal = Journal(self.subjects, "stage")
        self.consent: Consent | None = None
        keyring = Keyring((SigningKey.of(ec.generate_private_key(ec.SECP256R1())), *_other_keys()))
        self.server = GatewayAuthorizationServer(
            minter=Minter(self.issuer, self.issuer, keyring, b"p" * 32),
            database=self.database,
            record=Record(self.journal),
            clock=self.clock,
            validate_details=self.terms,
            session_of=lambda request: request.cookies.get("sid"),
            terminators=self.terminators,
            nonces=self.nonces,
        )
        guard = ResourceServer(self.server)

        async def data(request: Request) -> Response:
            found = await guard.for_grant(request)
            return JSONResponse({"grant": found.grant.id, "version": found.grant.consent.version})

        async def company(request: Request) -> Response:
            return JSONResponse({"client": (await guard.for_company(request)).client.id})

        async def page(_request: Request, problem: Exception) -> Response:
            assert isinstance(problem, Problem)
            headers = getattr(problem, "headers", {})
            return JSONResponse(problem.document("en"), problem.status, headers)

        doors = [Route("/data", data, methods=["GET", "POST"]), Route("/company", company)]
        self.app = Starlette(routes=[*routes(self.server), *doors], exception_handlers={Problem: page})
        self.app.router.redirect_slashes = False  # a 307 would send credentials on (FAPI 2.0 5.3.2.2-10)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.issuer)

    # --- set-up ---

    async def register(self, client_id: str | None = None, *keys: Key, **members: Any) -> None:
        """Register the client (or another one), with these members of its document."""
        id = client_id or self.client_id
        made = {**document(id, *(keys or (self.key,))), **self.registered_as(id), **members}
        async with self.database.transaction() as session:
            await clients.add(session, made, at=self.now)

    def registered_as(self, client_id: str) -> dict[str, Any]:
        """What a client of this stage registers beside the usual."""
        return {}

    @property
    def identity(self) -> tuple[str, Key, Key]:
        """Who the client is: its id and its keys. Set it to go on as another one."""
        return self.client_id, self.key, self.dpop

    @identity.setter
    def identity(self, value: tuple[str, Key, Key]) -> None:
        self.client_id, self.key, self.dpop = value

    async def become(self, client_id: str, key: Key | None = None, **members: Any) -> tuple[str, Key, Key]:
        """Register a client with keys of its own and go on as it; who it was before."""
        before = self.identity
        self.identity = (client_id, key or es256(), es256())
        await self.register(**members)
        return before

    async def register_signing(self, client_id: str, key: Key | None = None) -> None:
        """Go on as a new client of this id that may only send signed requests."""
        dpop = self.dpop
        await self.become(client_id, key, require_signed_request_object=True)
        self.dpop = dpop

    def terms(self, details: list[Any], client: clients.Client) -> Terms:
        """The terms asked for; refuses what the catalogue does not allow."""
        info = ClientInfo(
            client.id, frozenset({"household-finance"}), name=client.name, contact=client.contact
        )
        return parse_details(details, catalogue=CATALOGUE, holders=HOLDERS, client=info, today=self.today)

    async def interaction(self, **form: Any) -> str:
        """Push and visit; the interaction the browser is sent to."""
        pushed = await self.push(**form)
        assert pushed.status_code == 201, pushed.text
        visited = await self.visit(pushed.json()["request_uri"])
        assert visited.status_code == 303, visited.text
        return visited.headers["location"].rpartition("/")[2]

    async def settle(self, interaction: str, *, allowed: bool = True) -> Consent | None:
        """The citizen answers in one transaction with the consent; the consent."""
        async with self.database.transaction() as session:
            asking = await interactions.load(session, interaction, at=self.now)
            terms = self.terms(asking.details, asking.client)
            subject = await self.subjects.create(session)
            asked = Asked(subject, self.client_id, interaction, terms, ShownText("shown", "1", "en"))
            if not allowed:
                await service.refuse(session, self.journal, asked, at=self.now)
                await interactions.settle(session, interaction, Settlement(False, SESSION), at=self.now)
                return None
            consent = await service.give(session, self.journal, asked, terms, at=self.now)
            await self.recognise(session, asking, subject)
            version, details = consent.version, to_details(consent.terms)
            answer = Settlement(True, SESSION, consent.id, version, subject, details)
            await interactions.settle(session, interaction, answer, at=self.now)
        return consent

    async def recognise(self, session: AsyncSession, asking: Pending, subject: str) -> None:
        """The citizen agrees to be recognised too, and ticks what is in `self.ticked`."""
        if asking.openid.recognising:
            given = recognition.agreed(asking.openid, subject, self.signed_in, self.ticked, "ko")
            await recognition.keep(session, asking.interaction_id, self.client_id, given, at=self.now)

    @property
    def signed_in(self) -> SignedIn:
        """When and how the citizen signed in: a minute ago."""
        return SignedIn(self.now - 60, "urn:test:acr", ("test",))

    async def withdraw(self) -> None:
        """The citizen takes the consent of the last code back."""
        assert self.consent is not None
        id, subject = self.consent.id, self.consent.subject
        async with self.database.transaction() as session:
            await service.withdraw(session, self.journal, id, subject=subject, at=self.now)

    async def narrow(self) -> list[dict[str, Any]]:
        """The citizen leaves one field; the grant follows. The details from now on."""
        consent = self.consent
        assert consent is not None
        item = replace(consent.terms.items[0], fields=consent.terms.items[0].fields[:1])
        terms = replace(consent.terms, items=(item,))
        shown = ShownText("narrowed", "1", "en")
        async with self.database.transaction() as session:
            moved = await service.narrow(
                session, self.journal, consent.id, subject=consent.subject, version=consent.version,
                terms=terms, text=shown, at=self.now,
            )  # fmt: skip
            details = to_details(moved.terms)
            await follow_consent(session, consent.id, moved.version, details, at=self.now)
        return details

    async def resume(self, interaction: str, session: str = SESSION) -> httpx.Response:
        """The browser goes on to the ending."""
        self.http.cookies.set("sid", session)
        return await self.http.get(interactions.resume_path(interaction))

    async def code(self, **form: Any) -> str:
        """A fresh code; `self.consent` is its consent."""
        interaction = await self.interaction(**form)
        self.consent = await self.settle(interaction)
        return self.told(await self.resume(interaction))["code"]

    def told(self, response: httpx.Response) -> dict[str, str]:
        """What a redirect to the client says."""
        return redirected(response)

    async def tokens(self) -> dict[str, Any]:
        """The whole way to a token response."""
        answered = await self.token(await self.code())
        assert answered.status_code == 200, answered.text
        body: dict[str, Any] = answered.json()
        return body

    # --- what is stored ---

    async def state(self) -> dict[str, int]:
        """Everything a refusal must not change: how much there is and how much of it was used up or ended."""
        counted: dict[str, int] = {}
        tables = SQLModel.metadata.tables
        async with self.database.reading() as session:
            for name in STORED:
                query = select(func.count()).select_from(tables[name])
                counted[name] = (await session.execute(query)).scalar_one()
            for name, column in ENDED:
                query = select(func.count(tables[name].c[column]))
                counted[f"{name}.{column}"] = (await session.execute(query)).scalar_one()
        return counted

    async def entries(self) -> int:
        """How many ledger entries are promised."""
        async with self.database.reading() as session:
            return int((await session.execute(select(func.count()).select_from(OUTBOX))).scalar_one())


@cache
def _other_keys() -> tuple[SigningKey, SigningKey]:
    """Keys for clients that registered another algorithm; made once, RSA keys take long."""
    rsa_key = rsa.generate_private_key(65537, 2048)
    return SigningKey.of(rsa_key), SigningKey.of(Ed25519PrivateKey.generate())


def redirected(response: httpx.Response) -> dict[str, str]:
    """The parameters a redirect to the client carries."""
    assert response.status_code == 303, response.text
    assert response.headers["location"].startswith(REDIRECT)
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()
    }
