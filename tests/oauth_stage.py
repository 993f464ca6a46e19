"""A client company and an authorization server for tests, with every field of every message in reach."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func, select
from sqlmodel import SQLModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consent import service
from consent.calendar import KST
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
    Record,
    ResourceServer,
    Settlement,
    clients,
    interactions,
    routes,
)
from gateway.oauth.grants import follow_consent
from tests.oauth_keys import Key, b64, es256

REDIRECT = "https://deundeun.example/callback"
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


class Clock:
    """A clock tests move."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """The moment it is set to."""
        return self.at

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


CATALOGUE = load_catalogue()
HOLDERS = {"hanbit-bank": HolderInfo("hanbit-bank", "finance", {"ko": "한빛은행", "en": "Hanbit Bank"})}


def asked_details(today: date, *, days: int = 90, **item: Any) -> list[dict[str, Any]]:
    """A request for one item of one holder, its members replaced by `item`."""
    return [
        {
            "type": "mydata_transfer",
            "holder": "hanbit-bank",
            "purpose": "household-finance",
            "start": today.isoformat(),
            "end": (today + timedelta(days=days)).isoformat(),
            "retention": "P90D",
            "items": [
                {
                    "dataset": "finance.deposit-transactions",
                    "fields": ["trans_dtime", "trans_amt"],
                    "required": True,
                    "frequency": "once",
                    "history_from": (today - timedelta(days=30)).isoformat(),
                    **item,
                }
            ],
        }
    ]


@dataclass
class Stage:
    """One authorization server, one client at it, and the client's browser."""

    database: Database
    issuer: str
    clock: Clock = field(default_factory=Clock)
    client_id: str = "deundeun-budget"
    key: Key = field(default_factory=es256)
    dpop: Key = field(default_factory=es256)
    verifier: str = "v" * 50
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.subjects = SubjectKeys(b"k" * 32)
        self.journal = Journal(self.subjects, "stage")
        self.consent: Consent | None = None
        keyring = Keyring((SigningKey.of(ec.generate_private_key(ec.SECP256R1())),))
        self.server = GatewayAuthorizationServer(
            minter=Minter(self.issuer, self.issuer, keyring, b"p" * 32),
            database=self.database,
            record=Record(self.journal),
            clock=self.clock,
            validate_details=self.terms,
            session_of=lambda request: request.cookies.get("sid"),
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
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.issuer)

    # --- set-up ---

    async def register(self, client_id: str | None = None, *keys: Key) -> None:
        """Register the client (or another one)."""
        async with self.database.transaction() as session:
            made = document(client_id or self.client_id, *(keys or (self.key,)))
            await clients.add(session, made, at=self.now)

    @property
    def today(self) -> date:
        """The day it is in Korea."""
        return self.clock().astimezone(KST).date()

    def terms(self, details: list[Any], client: clients.Client) -> Terms:
        """The terms asked for; refuses what the catalogue does not allow."""
        info = ClientInfo(
            client.id, frozenset({"household-finance"}), name=client.name, contact=client.contact
        )
        return parse_details(details, catalogue=CATALOGUE, holders=HOLDERS, client=info, today=self.today)

    @property
    def now(self) -> int:
        """The stage's second."""
        return int(self.clock().timestamp())

    # --- messages ---

    def assertion(self, key: Key | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A client assertion; any claim may be replaced, None drops it."""
        standard = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": self.now}
        standard |= {"exp": self.now + 60, "jti": secrets.token_urlsafe(12)}
        return (key or self.key).jws(header or {"kid": "k0"}, {**standard, **claims})

    def proof(
        self,
        method: str,
        path: str,
        key: Key | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A DPoP proof; any header member or claim may be replaced, None drops it."""
        key = key or self.dpop
        standard = {
            "htm": method,
            "htu": self.issuer + path,
            "iat": self.now,
            "jti": secrets.token_urlsafe(12),
        }
        return key.jws({"typ": "dpop+jwt", "jwk": key.jwk, **(header or {})}, {**standard, **claims})

    async def post(self, path: str, proof: str | None = "", **form: Any) -> httpx.Response:
        """POST a form with assertion and proof ("" makes one, None sends none; a None field is left out)."""
        fields = {
            "client_id": self.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(),
            **form,
        }
        headers = {} if proof is None else {"DPoP": proof or self.proof("POST", path)}
        sent = {name: value for name, value in fields.items() if value is not None}
        return await self.http.post(path, data=sent, headers=headers)

    async def push(self, proof: str | None = None, **form: Any) -> httpx.Response:
        """A pushed authorization request."""
        fields = {
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "state": "s-1",
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "authorization_details": json.dumps(asked_details(self.today)),
        }
        return await self.post("/par", proof, **{**fields, **form})

    async def visit(self, request_uri: str, **query: str) -> httpx.Response:
        """The browser goes to /authorize."""
        asked = {"client_id": self.client_id, "request_uri": request_uri, **query}
        return await self.http.get("/authorize", params={k: v for k, v in asked.items() if v})

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
            version, details = consent.version, to_details(consent.terms)
            answer = Settlement(True, SESSION, consent.id, version, subject, details)
            await interactions.settle(session, interaction, answer, at=self.now)
        return consent

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
        return redirected(await self.resume(interaction))["code"]

    async def token(self, code: str, proof: str | None = "", /, **form: Any) -> httpx.Response:
        """Exchange a code."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return await self.post("/token", proof, **{**fields, "code_verifier": self.verifier, **form})

    async def refresh(self, token: str, proof: str | None = "", **form: Any) -> httpx.Response:
        """Use a refresh token."""
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.post("/token", proof, **{**fields, **form})

    async def tokens(self) -> dict[str, Any]:
        """The whole way to a token response."""
        answered = await self.token(await self.code())
        assert answered.status_code == 200, answered.text
        body: dict[str, Any] = answered.json()
        return body

    async def call(
        self, token: str, path: str = "/data", key: Key | None = None, **more: Any
    ) -> httpx.Response:
        """A call with a bound token; `more` replaces claims of the proof."""
        ath = b64(hashlib.sha256(token.encode()).digest())
        proof = self.proof("GET", path, key, **{"ath": ath, **more})
        return await self.http.get(path, headers={"Authorization": f"DPoP {token}", "DPoP": proof})

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


def redirected(response: httpx.Response) -> dict[str, str]:
    """The parameters a redirect to the client carries."""
    assert response.status_code == 303, response.text
    assert response.headers["location"].startswith(REDIRECT)
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()
    }
