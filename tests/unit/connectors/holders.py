"""Real sandbox holders over real HTTP in the test's own loop, and a gateway that is authorised at them."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import httpx
import uvicorn
from joserfc import jws
from joserfc.jwk import ECKey
from starlette.types import ASGIApp

from connectors.authorization import ConsentTerms, Gateway, HolderToken, link
from connectors.contract import Budget, Holder, Outcome, PullRequest
from connectors.http import open_client
from connectors.registry import Entry, connect
from connectors.runtime import Pulled, Runtime
from connectors.sandbox import finance
from connectors.sandbox.faults import Faults, FaultyDoor
from connectors.sandbox.holder import LINK_TYPE, HolderConfig
from connectors.sandbox.lives import (
    DepositAccount,
    DepositTransaction,
    PaidTransaction,
    Person,
    TelecomBill,
    TelecomContract,
)
from tests.serving import PromptServer

GATEWAY = "mydata-gateway"
ISSUER = "https://identity.example"
ORG = "HANBIT0001"


def key(kid: str) -> ECKey:
    """A new P-256 key."""
    return ECKey.generate_key("P-256", {"kid": kid})


GATEWAY_KEY, IDENTITY_KEY, FOREIGN_KEY = key("gateway"), key("identity"), key("foreign")
OTHER_GATEWAY_KEY = key("other")


def jwks(*keys: ECKey) -> dict[str, Any]:
    """A public JWK set."""
    return {"keys": [one.as_dict(private=False) for one in keys]}


def sign(claims: Mapping[str, Any], typ: str, signer: ECKey = GATEWAY_KEY) -> str:
    """A compact JWS."""
    header = {"alg": "ES256", "typ": typ, "kid": signer.kid}
    return jws.serialize_compact(header, json.dumps(claims).encode(), signer, algorithms=["ES256"])


def statement(person: str, holder: str = "hanbit-bank", signer: ECKey = IDENTITY_KEY, **other: Any) -> str:
    """What the identity provider says about a person to one holder."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": holder,
        "sub": person,
        "azp": GATEWAY,
        "jti": f"link-{next(_numbers)}",
        "iat": now,
        "exp": now + 60,
    }
    return sign({**claims, **other}, LINK_TYPE, signer)


_numbers = itertools.count()


def line(number: int, day: date, memo: str = "점심") -> DepositTransaction:
    """One withdrawal at noon."""
    return DepositTransaction(
        trans_no=f"{number:06d}",
        trans_dtime=f"{day:%Y%m%d}120000",
        trans_type="02",
        trans_class="체크카드",
        trans_amt=Decimal(1000 + number),
        balance_amt=Decimal(9_000_000 - number),
        trans_memo=memo,
    )


def people() -> list[Person]:
    """Kim with three accounts (one left out), Lee with one, Park a customer with nothing."""
    lines = tuple(line(n, date(2026, 5, 1 + n % 28)) for n in range(25))
    bills = tuple(TelecomBill(f"2026{m:02d}", f"2026{m + 1:02d}20", 33_000 + m) for m in range(4, 10))
    paid = (
        PaidTransaction("20260510", 5000, "바로웹툰", "코인 50개"),
        PaidTransaction("20260510", 5000, "바로웹툰", "코인 50개"),
        PaidTransaction("20260511", -5000, "바로웹툰", "코인 50개 환불"),
        PaidTransaction("20250511", 900, "바로웹툰", "너무 오래된 것"),
    )
    kim = Person(
        "ci-kim",
        "김한빛",
        date(1990, 1, 1),
        accounts=(
            DepositAccount("110-1", "모두의 통장", transactions=lines),
            DepositAccount("110-2", "숨긴 통장", is_consent=False, transactions=lines[:3]),
            DepositAccount("110-3", "빈 통장"),
        ),
        contracts=(
            TelecomContract("M-1", "010-0000-0001", bills=bills, paid=paid),
            TelecomContract("M-2", "010-0000-0002", is_consent=False, bills=bills, paid=paid),
        ),
    )
    lee = Person(
        "ci-lee", "이누리", date(1980, 2, 2), (DepositAccount("220-1", "통장", transactions=lines[:2]),)
    )
    park = Person("ci-park", "박무", date(1970, 3, 3), customer_of=frozenset({"finance", "telecom"}))
    return [kim, lee, park]


@asynccontextmanager
async def serve(build: Callable[[str], ASGIApp], **tls: Any) -> AsyncIterator[str]:
    """Serve an app on a free loopback port; its origin. `tls`: uvicorn's ssl_ arguments."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:  # else asyncio leaves Nagle on
        listening.bind(("127.0.0.1", 0))
        origin = f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(build(origin), log_level="critical", lifespan="off", ws="none", **tls)
        server = PromptServer(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        try:
            yield origin
        finally:
            server.end()
            await task


@dataclass(slots=True)
class Clock:
    """Time that moves when told, for holder and gateway alike."""

    shift: float = 0.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return time.time() + self.shift

    def whole(self) -> int:
        """Whole epoch seconds."""
        return int(self())


@dataclass(slots=True)
class Bench:
    """One holder with its connector, a gateway, and what they agreed on."""

    holder: Holder
    gateway: Gateway
    runtime: Runtime
    faults: Faults
    clock: Clock
    waits: list[float] = field(default_factory=list)

    def terms(self, consent: str = "c-1", version: int = 1, **other: Any) -> ConsentTerms:
        """Terms over every dataset, ending in an hour."""
        offered = tuple(dataset.id for dataset in self.holder.manifest.datasets)
        terms = ConsentTerms(consent, version, self.clock.whole() + 3600, offered)
        return replace(terms, **other)

    async def link(self, person: str) -> str:
        """Link a person here."""
        return await link(self.gateway, self.holder.manifest, statement(person, self.holder.manifest.id))

    async def token(self, person: str, terms: ConsentTerms | None = None) -> HolderToken:
        """The lazily asked token of a person."""
        linked = await self.link(person)
        return HolderToken(self.gateway, self.holder.manifest, linked, terms or self.terms())

    async def pull(self, dataset: str, person: str = "ci-kim", **how: Any) -> Pulled:
        """Pull one dataset of a person."""
        token = how.pop("token", None) or await self.token(person)
        return await self.runtime.collect(
            self.holder, request(dataset, **how.pop("window", {})), token, **how
        )


def request(dataset: str, since: date = date(2026, 1, 1), until: date = date(2026, 11, 21)) -> PullRequest:
    """A request for a dataset."""
    return PullRequest(dataset, (), since, until, "transfer-1")


def reach(holder: Holder, client: httpx.AsyncClient, waits: list[float], **more: Any) -> Runtime:
    """A runtime that does not really sleep but notes how long it would have."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return Runtime(client, sleep=sleep, random=lambda: 0.5, **more)


@asynccontextmanager
async def bench(
    sector: ModuleType = finance,
    *,
    holder_id: str = "hanbit-bank",
    page_size: int = 7,
    budget: Budget | None = None,
    crowd: Sequence[Person] | None = None,
) -> AsyncIterator[Bench]:
    """A holder of `sector` on a free port and a gateway it believes."""
    name = sector.__name__.rpartition(".")[2]
    clock, faults = Clock(), Faults()

    def build(origin: str) -> ASGIApp:
        config = HolderConfig(
            id=holder_id,
            org_code=ORG,
            origin=origin,
            sector=name,
            operators={GATEWAY: jwks(GATEWAY_KEY), "other-gateway": jwks(OTHER_GATEWAY_KEY)},
            identity={ISSUER: jwks(IDENTITY_KEY)},
            people=people() if crowd is None else crowd,
            datasets=sector.DATASETS,
            page_size=page_size,
            now=clock.whole,
        )
        return FaultyDoor(sector.create(config), faults)

    async with serve(build) as origin, open_client() as client:
        entry = Entry(holder_id, name, {"ko": holder_id, "en": holder_id}, origin, ORG, budget or Budget())
        holder = connect(entry)
        waits: list[float] = []
        gateway = Gateway(GATEWAY, sign, client, clock)
        yield Bench(holder, gateway, reach(holder, client, waits), faults, clock, waits)


__all__ = ["Bench", "Outcome", "bench", "people", "request", "serve", "sign", "statement"]
