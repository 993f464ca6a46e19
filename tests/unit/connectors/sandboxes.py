"""A sandbox holder in this process, the gateway that is authorised at it, and one pull: shared by tests."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from types import ModuleType
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

from connectors.authorization import ConsentTerms, Gateway, HolderToken, link
from connectors.contract import Holder, PullRequest
from connectors.registry import Entry, connect
from connectors.runtime import Pulled, Runtime
from connectors.sandbox.holder import HolderConfig
from connectors.sandbox.people import Citizen, people

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:9"
IDENTITY = "http://id.example"
CODE = "mydata-gateway"


@cache
def everybody() -> tuple[Citizen, ...]:
    """The same thirteen people for every test of this process."""
    return tuple(people(2026, 13, today=TODAY))


def someone(trait: str) -> Citizen:
    """The first person with this trait."""
    return next(person for person in everybody() if trait in person.traits)


async def _no_sleep(_seconds: float) -> None:
    return None


class Sandbox:
    """One holder of `connectors.sandbox` and a gateway that may pull from it."""

    def __init__(self, module: ModuleType, sector: str, *, page_size: int = 20) -> None:
        """Start the server of a sector's sandbox module."""
        self.key = ECKey.generate_key("P-256")
        self.at = int(NOW.timestamp())
        jwks = {"keys": [self.key.as_dict(private=False)]}
        config = HolderConfig(
            id=f"{sector}-holder",
            org_code="ZZAA000001",
            origin=ORIGIN,
            sector=sector,
            operators={CODE: jwks},
            identity={IDENTITY: jwks},
            people=everybody(),
            datasets=module.DATASETS,
            page_size=page_size,
            now=lambda: self.at,
        )
        self.holder: Holder = connect(
            Entry(config.id, sector, {"ko": "보기", "en": "example"}, ORIGIN, config.org_code)
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(module.create(config)), base_url=ORIGIN)
        self.gateway = Gateway(CODE, self.sign, self.http, now=NOW.timestamp)
        self.runtime = Runtime(self.http, clock=lambda: NOW, sleep=_no_sleep)
        self.dataset: str = module.DATASETS[0]

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """A statement signed with the one key of this test."""
        return jws.serialize_compact(
            {"alg": "ES256", "typ": typ}, json.dumps(claims), self.key, algorithms=["ES256"]
        )

    async def link(self, person: Citizen) -> str:
        """The holder's link for a person."""
        now = int(NOW.timestamp())
        claims = {
            "iss": IDENTITY,
            "aud": self.holder.manifest.id,
            "sub": person.id,
            "azp": CODE,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_hex(8),
        }
        return await link(self.gateway, self.holder.manifest, self.sign(claims, "mydata-link+jwt"))

    async def token(self, person: Citizen, consent: str = "", *datasets: str) -> HolderToken:
        """The token of one pull under a consent (their own, unless named) that ends in a day."""
        terms = ConsentTerms(
            consent or f"consent-{person.handle}",
            1,
            int(NOW.timestamp()) + 86_400,
            datasets or (self.dataset,),
        )
        return HolderToken(self.gateway, self.holder.manifest, await self.link(person), terms)

    async def pull(
        self, person: Citizen, since: date, until: date = TODAY, token: HolderToken | None = None
    ) -> Pulled:
        """Pull the sector's dataset for a person."""
        request = PullRequest(self.dataset, (), since, until, "t1")
        return await self.runtime.collect(self.holder, request, token or await self.token(person))

    async def get(self, person: Citizen, path: str, consent: str = "") -> httpx.Response:
        """Knock at a data door with the person's token."""
        held = await self.token(person, consent)
        return await self.http.get(path, headers={"authorization": f"Bearer {await held(False)}"})
