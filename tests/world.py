"""A whole world in this process and event loop: gateway, identity provider, five holders, all over real HTTP.

async with open_world(folder) as world:
    given = await world.given()                       # a citizen agreed, the company has its tokens
    world.faults["hanbit-bank"].add(Fault.DOWN)       # a holder misbehaves
    await world.forward(1800)                         # time passes for everybody
    async with world.unchanged(entries=1):            # a refusal changes nothing
        ...
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlalchemy import func, select, union_all
from sqlmodel import SQLModel

from consent.calendar import korean_day
from consent.ledger.entry import Entry, decode
from consent.ledger_tables import ENTRY, OUTBOX, PAYLOAD
from gateway.app import create_app
from gateway.database import Database
from gateway.demo.browser import Browser, Page
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company, CompanyKeys
from gateway.demo.participants import CLIENT, client, details, registry
from gateway.demo.story import WISHES
from gateway.keys import Keys, create_keys, load_keys
from gateway.migrations.apply import upgrade
from gateway.oauth import clients
from gateway.parts import Parts
from gateway.settings import Settings
from gateway.transfers.repository import notices_due
from tests.sandbox_servers import Sandbox, TimedFaults, open_sandbox
from tests.serving import listening, origin_of, outside, serving
from tests.tables import SQLITE, with_tables
from tests.world_clock import WorldClock

REDIRECT = "http://127.0.0.1:9/callback"
"""Nobody listens there: the browser notes where it is sent."""

SECOND = "second-budget"
"""Another registered client of the same consortium."""

GUARDED = (
    "consent",
    "consent_version",
    "oauth_grant",
    "refresh_token",
    "authorization_code",
    "transfer",
    "bundle",
)
"""What no refusal may change (design 3.6)."""

SETTLED = frozenset({"ready", "failed", "cancelled"})


@dataclass
class Given:
    """A consent that was given: who, to whom, with which tokens."""

    company: Company
    citizen: Citizen
    consent_id: str
    tokens: dict[str, Any]


@dataclass
class World:
    """Everything that runs. `http` is the company's client; citizens bring their own."""

    folder: Path
    settings: Settings
    sandbox: Sandbox
    clock: WorldClock
    company_keys: CompanyKeys
    http: httpx.AsyncClient
    stack: AsyncExitStack
    database: Database
    app: Any = None
    second_keys: CompanyKeys = field(default_factory=CompanyKeys)

    @property
    def origin(self) -> str:
        """The gateway's origin and issuer."""
        return self.settings.issuer

    @property
    def faults(self) -> dict[str, TimedFaults]:
        """The switchboards of the holders, by id."""
        return self.sandbox.faults

    @property
    def parts(self) -> Parts:
        """The running gateway's parts."""
        parts: Parts = self.app.state.parts
        return parts

    def calm(self) -> None:
        """Every holder behaves again, and is believed to."""
        for faults in self.faults.values():
            faults.clear()
        self.parts.worker.puller.runtime._breakers.clear()

    async def forward(self, seconds: int) -> None:
        """Let time pass for everybody; the ledger kept up until then."""
        await self.parts.log.integrate_now()
        self.clock.forward(seconds)

    # --- who acts ---

    async def company(self, client_id: str = CLIENT, keys: CompanyKeys | None = None) -> Company:
        """A client of the gateway that has read the metadata."""
        keys = keys or (self.second_keys if client_id == SECOND else self.company_keys)
        made = Company(self.http, self.origin, client_id, keys, REDIRECT, lambda: self.clock.seconds)
        await made.discover()
        return made

    async def citizen(self, person: str = "p01", language: str = "ko") -> Citizen:
        """A person with a browser of their own."""
        visits = await self.stack.enter_async_context(outside())
        origins = (self.origin, self.sandbox.identity)
        return Citizen(Browser(visits, origins, language), self.origin, person)

    def asked(self) -> list[dict[str, Any]]:
        """What the company of the demo asks: five holders, today."""
        today = korean_day(self.clock())
        days = timedelta(days=180)
        return details(today.isoformat(), (today - days).isoformat(), (today + days).isoformat())

    async def question(
        self, company: Company, citizen: Citizen, asked: list[dict[str, Any]] | None = None
    ) -> Page:
        """The consent page of a fresh request, before this citizen."""
        address = await company.push(asked or self.asked())
        page = await citizen.browser.open(address)
        if any("/sign-in/start" in link for link in page.links):
            page = await citizen.sign_in(address)
        assert page.status == 200, page.words[:300]
        return page

    async def given(
        self,
        company: Company | None = None,
        citizen: Citizen | None = None,
        *,
        asked: list[dict[str, Any]] | None = None,
        wishes: Wishes = WISHES,
    ) -> Given:
        """The whole way to tokens."""
        company, citizen = company or await self.company(), citizen or await self.citizen()
        page = await self.question(company, citizen, asked)
        done = await citizen.answer(page, "agree", wishes)
        assert done.url.endswith("/done"), done.words[:500]
        consent = next(link for link in done.links if "/my/consents/c-" in link)
        tokens = await company.exchange(await citizen.return_to_company(done))
        return Given(company, citizen, consent.split("/my/consents/")[1].split("/")[0], tokens)

    async def settled(self, company: Company, transfer: dict[str, Any]) -> dict[str, Any]:
        """Wait until a transfer ended, at most thirty seconds; how."""
        for _ in range(600):
            transfer = await company.transfer(transfer["id"])
            if transfer["state"] in SETTLED:
                return transfer
            await asyncio.sleep(0.05)
        raise AssertionError(f"the transfer is still {transfer['state']}")

    # --- what is stored ---

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, in the order of its columns' text."""
        async with self.database.reading() as session:
            found = await session.execute(select(SQLModel.metadata.tables[table]))
            return sorted((dict(row) for row in found.mappings()), key=repr)

    async def entries(self) -> int:
        """How many ledger entries were ever promised."""
        async with self.database.reading() as session:
            return int((await session.execute(select(func.count()).select_from(PAYLOAD))).scalar_one())

    async def kinds(self) -> Counter[str]:
        """How many entries of each kind stand in the log or wait for it."""
        return Counter(entry.kind for entry in await self.promised())

    async def promised(self) -> list[Entry]:
        """Every entry in the order it was promised, whether it stands in the log or waits for it.

        One statement: an entry that moves from the one to the other is seen, and seen once.
        """
        waiting = select(OUTBOX.c.id, OUTBOX.c.entry)
        every = union_all(select(ENTRY.c.outbox_id, ENTRY.c.entry), waiting).subquery()
        async with self.database.reading() as session:
            found = await session.execute(select(every.c.entry).order_by(every.c.outbox_id))
            return [decode(raw) for raw in found.scalars()]

    async def contents(self) -> dict[str, list[dict[str, Any]]]:
        """The guarded tables, whole."""
        return {table: await self.rows(table) for table in GUARDED}

    async def _holders_told(self) -> None:
        """Wait until no notice to a holder is due: what earlier steps set off is not counted."""
        for _ in range(400):
            async with self.database.reading() as session:
                if not await notices_due(session, int(self.clock().timestamp())):
                    return
            await asyncio.sleep(0.05)
        raise AssertionError("holders are still to be told")

    @asynccontextmanager
    async def unchanged(self, *, entries: int = 0) -> AsyncIterator[None]:
        """Inside, no guarded table changes and at most `entries` ledger entries are added."""
        await self._holders_told()
        before, promised, known = await self.contents(), await self.entries(), await self.kinds()
        yield
        after = await self.contents()
        for table in GUARDED:
            assert after[table] == before[table], f"{table} changed"
        assert await self.entries() - promised <= entries, await self.kinds() - known


@asynccontextmanager
async def open_world(
    folder: Path,
    database: str | None = None,
    *,
    count: int = 1,
    opa: str | None = None,
    purposes: tuple[str, ...] = (),
    **changes: object,
) -> AsyncIterator[World]:
    """Everything up, two clients registered, until the block ends.

    `database` has the tables already; None makes a file of the world's own. `opa` decides; `purposes` are
    added to the consortium's; `changes` of settings.
    """
    clock, bound = WorldClock(), listening()
    origin = origin_of(bound)
    async with AsyncExitStack() as stack:
        keys = fresh_keys(folder / "keys")
        sandbox = await stack.enter_async_context(open_sandbox(keys, origin, clock, count=count))
        database = database or await with_tables(f"{SQLITE}{folder / 'mydata.db'}")
        settings = settings_for(folder, origin, sandbox, database, opa, purposes).model_copy(update=changes)
        store = Database(settings.database)
        stack.push_async_callback(store.close)
        http = await stack.enter_async_context(outside())
        world = World(folder, settings, sandbox, clock, CompanyKeys(), http, stack, store)
        await prepare(world)
        world.app = create_app(settings, clock)
        await stack.enter_async_context(serving(world.app, [bound], lifespan=True))
        yield world


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until `condition()` is true; AssertionError after `seconds`."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


def settings_for(
    folder: Path,
    origin: str,
    sandbox: Sandbox,
    database: str | None = None,
    opa: str | None = None,
    purposes: tuple[str, ...] = (),
) -> Settings:
    """The settings of a gateway at `origin` among these holders; its registry is written."""
    document = registry(sandbox.identity, sandbox.origins)
    document["consortia"][0]["recipients"].append(SECOND)
    document["consortia"][0]["purposes"] += purposes
    (folder / "registry.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    return Settings(
        profile="demo",
        issuer=origin,
        database=database or f"sqlite+aiosqlite:///{folder / 'mydata.db'}",
        keys=folder / "keys",
        registry=folder / "registry.yaml",
        ledger_origin="mydata.test/ledger/1",
        policy_engine="opa" if opa else "embedded",
        opa_url=opa or "http://127.0.0.1:1",
    )


async def prepare(world: World, *, migrate: bool = False) -> None:
    """The two registered clients, and before them the tables if the migrations are to make them."""
    if migrate:
        await upgrade(world.settings.database)
    async with world.database.transaction() as session:
        for id, keys in ((CLIENT, world.company_keys), (SECOND, world.second_keys)):
            await clients.add(session, {**client(keys, REDIRECT), "client_id": id}, at=world.clock.seconds)


def fresh_keys(folder: Path) -> Keys:
    """A gateway's keys, made in `folder`."""
    create_keys(folder)
    return load_keys(folder)
