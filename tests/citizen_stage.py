"""The citizen's pages with a real identity provider behind them, and a browser in front."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select, update
from sqlmodel import SQLModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.sandbox.identity.config import Client, IdentityConfig, signing_key
from connectors.sandbox.identity.provider import create_provider
from consent.calendar import korean_day
from consent.catalogue import load as load_catalogue
from consent.journal import Journal
from consent.parties import HolderInfo
from consent.subjects import SubjectId, SubjectKeys
from gateway.app import OPEN_PATHS
from gateway.awareness.questionnaire import Questionnaire
from gateway.database import Database
from gateway.demo.browser import Browser, Page
from gateway.errors import Problem
from gateway.keyring import Keyring, SigningKey
from gateway.oauth import GatewayAuthorizationServer, Minter, Record, clients
from gateway.oauth.answering import Answering
from gateway.oauth.par import ANSWER_SECONDS
from gateway.oauth.tables import AuthorizationRequestRow
from gateway.retention.jobs import Job, jobs
from gateway.retention.mandating import mandating
from gateway.retention.sweep import Sweep
from gateway.security.ages import CitizenAgeRow
from gateway.security.cross_origin import CrossOrigin
from gateway.security.headers import SecurityHeaders
from gateway.security.sessions import Sessions, hashed
from gateway.security.tables import CitizenSessionRow
from gateway.telemetry import Metrics
from gateway.web import Site, routes
from gateway.web.error_page import problem_page
from gateway.web.openid import OpenIdProvider, RelyingParty
from gateway.web.rendering import Masthead, Renderer
from gateway.web.site import Withheld
from gateway.web.static_files import StaticFiles
from tests.oauth_company import REDIRECT
from tests.oauth_keys import es256
from tests.oauth_stage import document
from tests.sandbox_servers import inhabitants

CATALOGUE = load_catalogue()
HOLDERS = {
    id: HolderInfo(id, sector, {"ko": korean, "en": english})
    for id, sector, korean, english in (
        ("hanbit-bank", "finance", "한빛은행", "Hanbit Bank"),
        ("nuri-telecom", "telecom", "누리텔레콤", "Nuri Telecom"),
        ("haeoreum-energy", "energy", "해오름에너지", "Haeoreum Energy"),
        ("dadam-market", "retail", "다담마켓", "Dadam Market"),
        ("saebom-hospital", "medical", "새봄병원", "Saebom Hospital"),
    )
}
ASKED = (
    ("hanbit-bank", "finance.deposit-transactions", True, "P7D"),
    ("nuri-telecom", "telecom.bills", False, "P7D"),
    ("nuri-telecom", "telecom.paid-transactions", False, "once"),
    ("haeoreum-energy", "energy.electricity-usage", False, "P1D"),
    ("dadam-market", "retail.orders", False, "once"),
    ("saebom-hospital", "medical.observations", False, "once"),
)
MASTHEAD = Masthead(
    {"ko": "마이데이터 게이트웨이", "en": "MyData Gateway"},
    {"ko": "마이데이터 시험소", "en": "MyData Sandbox"},
    "02-000-0000",
    sandbox=True,
)
Asking = tuple[tuple[str, str, bool, str], ...]


def details(today: date, asked: Asking = ASKED) -> list[dict[str, Any]]:
    """The authorization details of a request for `asked`: every field that can ever leave."""
    shared = {
        "type": "mydata_transfer",
        "purpose": "household-finance",
        "start": today.isoformat(),
        "end": (today + timedelta(days=180)).isoformat(),
        "retention": "P90D",
    }
    items: dict[str, list[dict[str, Any]]] = {}
    for holder, dataset, required, frequency in asked:
        fields = [name for name, known in CATALOGUE.dataset(dataset).fields.items() if known.leaves]
        item = {"dataset": dataset, "fields": fields, "required": required, "frequency": frequency}
        items.setdefault(holder, []).append({**item, "history_from": "2026-05-01"})
    return [{**shared, "holder": holder, "items": found} for holder, found in items.items()]


@dataclass
class Apps(httpx.AsyncBaseTransport):
    """A network of applications in this process, by host and port."""

    by_host: dict[str, httpx.AsyncBaseTransport]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request to the application of its host; an unknown host cannot be reached."""
        app = self.by_host.get(request.url.netloc.decode())
        if app is None:
            raise httpx.ConnectError("no such host", request=request)
        return await app.handle_async_request(request)


@dataclass
class CitizenStage:
    """The pages at `origin`, the provider at `issuer`; `down` and `strangers` change how holders answer."""

    database: Database
    origin: str = "https://gateway.test"
    issuer: str = "https://id.test"
    at: datetime = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    down: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    withheld: dict[str, Withheld] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    changed: list[tuple[str, int, int]] = field(default_factory=list)
    receipt: bytes | None = b"header.payload.signature"

    def __post_init__(self) -> None:
        self.subjects = SubjectKeys(b"k" * 32)
        self.journal = Journal(self.subjects, "stage")
        self.key = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
        self.identity_config = self._identity()
        self.identity_app = create_provider(self.identity_config)
        hosts = {urlsplit(self.issuer).netloc: httpx.ASGITransport(self.identity_app)}
        self.network = Apps(dict(hosts))
        self.http = httpx.AsyncClient(transport=self.network)
        self.server = self._server()
        self.site = self._site()
        self.app = self._app()
        self.network.by_host[urlsplit(self.origin).netloc] = httpx.ASGITransport(self.app)

    def clock(self) -> datetime:
        """The moment it is."""
        return self.at

    def later(self, **span: int) -> None:
        """Let time pass."""
        self.at += timedelta(**span)

    @property
    def now(self) -> int:
        """The second it is."""
        return int(self.at.timestamp())

    # --- set-up ---

    async def register(self, **members: Any) -> None:
        """Register the company that asks, with these members of its document."""
        made = document("deundeun-budget", es256()) | members
        made |= {"legal_name": "주식회사 든든", "registration": "110-81-12345"}
        made |= {"contact": "1600-0000 · help@deundeun.example"}
        async with self.database.transaction() as session:
            await clients.add(session, made, at=self.now)

    async def ask(self, asked: Asking = ASKED, **parameters: Any) -> str:
        """Put a request before a citizen, a second after whatever was before; the address of its page."""
        self.later(seconds=1)
        id = secrets.token_urlsafe(24)
        wanted = orjson.dumps(details(korean_day(self.at), asked)).decode()
        pushed = {"authorization_details": wanted, "client_id": "deundeun-budget", "redirect_uri": REDIRECT}
        pushed |= parameters
        row = AuthorizationRequestRow(
            interaction_id=id,
            request_hash=secrets.token_bytes(32),
            client_id="deundeun-budget",
            parameters=orjson.dumps(pushed).decode(),
            created_at=self.now,
            expires_at=self.now + 300,
            answer_by=self.now + ANSWER_SECONDS,
        )
        async with self.database.transaction() as session:
            session.add(row)
        return f"{self.origin}/consent/{id}"

    def browser(self, language: str = "ko") -> Browser:
        """One more person's browser."""
        http = httpx.AsyncClient(transport=self.network)
        return Browser(http, (self.origin, self.issuer), language)

    async def sign_in(self, browser: Browser, page: Page, person: str = "p02") -> Page:
        """Follow the sign-in page to the provider, choose a person, come back."""
        go = next(link for link in page.links if "/sign-in/start" in link)
        choices = await browser.open(go)
        return await browser.submit(choices, choices.form("person"), {"person": person})

    async def at_question(self, browser: Browser, asked: Asking = ASKED, *, person: str = "p02") -> Page:
        """Ask, sign in, and stand before the question."""
        return await self.sign_in(browser, await browser.open(await self.ask(asked)), person)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        async with self.database.reading() as session:
            return int(
                (
                    await session.execute(select(func.count()).select_from(SQLModel.metadata.tables[table]))
                ).scalar_one()
            )

    async def given(self) -> int:
        """How many versions of consents there ever were under which data may flow."""
        return sum(row.state == "active" for row in await self.rows("consent_version"))

    async def housekeep(self) -> None:
        """Let every job of the house run, as it does each minute."""
        party, pause = "mydata-gateway", lambda _seconds: asyncio.sleep(0)
        every = (Job("mandating", (mandating(self.journal, party),)), *jobs(self.journal, party))
        await Sweep(self.database, every, Metrics(), pause).once(self.now)

    async def subject(self, browser: Browser) -> SubjectId:
        """Who is signed in at this browser."""
        name = browser.http.cookies.get(self.site.sessions.cookie)
        found = {row.id_hash: row.subject_id for row in await self.rows("citizen_session")}
        return SubjectId(found[hashed(str(name))])

    async def aged(self, subject: SubjectId, age: int, band: str) -> None:
        """The identity provider told another age of `subject`."""
        table, session_of = CitizenAgeRow.__table__, CitizenSessionRow.__table__  # type: ignore[attr-defined]
        async with self.database.transaction() as session:
            key = await self.subjects.key(session, subject)
            sealed = key.seal(f"{age} {self.now}".encode(), f"citizen-age/{subject}")
            mine = update(table).where(table.c.subject_id == subject)
            await session.execute(mine.values(sealed=sealed, told_at=self.now))
            there = update(session_of).where(session_of.c.subject_id == subject)
            await session.execute(there.values(age_band=band))

    async def rows(self, table: str) -> list[Any]:
        """Every row of a table."""
        async with self.database.reading() as session:
            return list(await session.execute(select(SQLModel.metadata.tables[table])))

    async def close(self) -> None:
        """Close the provider's client."""
        await self.http.aclose()

    # --- wiring ---

    def _identity(self) -> IdentityConfig:
        today = korean_day(self.at)
        party = Client(
            client_id="gateway",
            redirect_uris=(f"{self.origin}/sign-in/return",),
            jwks={"keys": [self.key.jwk()]},
        )
        return IdentityConfig(
            issuer=self.issuer,
            clients={"gateway": party},
            holders=frozenset(HOLDERS),
            people={person.handle: person for person in inhabitants(6, today)},
            today=today,
            key=signing_key(None),
            pairwise_secret=b"p" * 32,
            now=lambda: self.now,
            token=lambda: secrets.token_urlsafe(16),
        )

    def _server(self) -> GatewayAuthorizationServer:
        return GatewayAuthorizationServer(
            minter=Minter(self.origin, self.origin, Keyring((self.key,)), b"p" * 32),
            database=self.database,
            record=Record(self.journal),
            clock=self.clock,
            validate_details=lambda _details, _client: None,
            session_of=lambda _request: None,
        )

    def _site(self) -> Site:
        def sign(claims: dict[str, Any], typ: str) -> str:
            return self.key.sign(claims, typ)

        party = RelyingParty("gateway", f"{self.origin}/sign-in/return", sign)

        async def make_link(holder: str, statement: str) -> str:
            assert statement.count(".") == 2
            if holder in self.down:
                raise HolderError(Reason.HOLDER_DOWN, "does not answer")
            if holder in self.strangers:
                raise HolderError(Reason.NO_LINK, "no such customer")
            return f"link-at-{holder}"

        async def after_withdrawal(_session: Any, consent: Any) -> None:
            self.told += list(consent.terms.holders)

        async def after_change(_session: Any, before: Any, after: Any) -> None:
            self.changed.append((after.id, before.version, after.version))

        async def receipt(_consent: Any) -> bytes | None:
            return self.receipt

        async def precheck(_terms: Any, _client: str) -> dict[str, Withheld]:
            return self.withheld

        return Site(
            origin=self.origin,
            party="mydata-gateway",
            database=self.database,
            clock=self.clock,
            catalogue=CATALOGUE,
            holders=HOLDERS,
            journal=self.journal,
            sessions=Sessions(secure=self.origin.startswith("https://"), clock=self.clock),
            renderer=Renderer(MASTHEAD, StaticFiles()),
            identity=OpenIdProvider(self.issuer, party, self.http, clock=self.clock),
            provider={"ko": "체험용 본인 확인", "en": "Sandbox identity"},
            identity_key=b"i" * 32,
            make_link=make_link,
            answering=Answering(self.server),
            after_withdrawal=after_withdrawal,
            after_change=after_change,
            receipt=receipt,
            precheck=precheck,
            questionnaire=Questionnaire.of(self.database, b"i" * 32, self.clock),
        )

    def _app(self) -> Starlette:
        async def resumed(_request: Request) -> Response:
            return PlainTextResponse("back at the service")

        async def refuse(request: Request, problem: Problem) -> Response:
            return problem_page(self.site.renderer, request, problem)

        return Starlette(
            routes=[*routes(self.site), Route("/authorize/resume/{id}", resumed)],
            middleware=[
                Middleware(SecurityHeaders, secure=self.site.secure),
                Middleware(CrossOrigin, origin=self.origin, refuse=refuse, open_paths=OPEN_PATHS),
            ],
        )
