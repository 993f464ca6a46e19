"""The servers around a gateway under test: identity provider and five holders, over real HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.faults import Faults, FaultyDoor
from connectors.sandbox.holder import HolderConfig
from connectors.sandbox.identity.config import Client as Party
from connectors.sandbox.identity.config import IdentityConfig, signing_key
from connectors.sandbox.identity.provider import create_provider, public_keys
from connectors.sandbox.people import Citizen as Somebody
from connectors.sandbox.people import people
from consent.calendar import korean_day
from gateway.demo.participants import HOLDERS, OPERATOR
from gateway.keys import Keys
from tests.serving import listening, origin_of, port_of, serving
from tests.world_clock import WorldClock

SEED = 7

Around = Callable[[ASGIApp], ASGIApp]


class TimedFaults(Faults):
    """A holder's switchboard that also knows when each request arrived, in seconds of the loop."""

    def due(self, path: str) -> Any:
        """As `Faults.due`; notes the time."""
        self.times.append((asyncio.get_running_loop().time(), path))
        return super().due(path)

    @property
    def times(self) -> list[tuple[float, str]]:
        """(moment, path) of every request so far."""
        return self.__dict__.setdefault("_times", [])  # type: ignore[no-any-return]


@dataclass
class Sandbox:
    """The servers around a gateway. `faults` and `origins` of holders by id and by sector."""

    identity: str
    origins: dict[str, str]
    faults: dict[str, TimedFaults]
    people: tuple[Somebody, ...]
    jwks: dict[str, Any]
    names: Callable[[str], str]
    """The identity provider's `sub` for the gateway, by a person's handle."""


@cache
def inhabitants(count: int, today: Any) -> tuple[Somebody, ...]:
    """The same people for every world of this process."""
    return tuple(people(SEED, count, today=today))


@asynccontextmanager
async def open_sandbox(
    keys: Keys, gateway: str, clock: WorldClock, *, count: int = 1, around: Around | None = None
) -> AsyncIterator[Sandbox]:
    """Identity provider and five holders for the gateway at `gateway`, each at an origin of its own.

    `around` may stand in front of each of them, to listen.
    """
    today, bound = korean_day(clock()), {name: listening() for name in ("identity", *HOLDERS)}
    issuer, who = origin_of(bound["identity"]), inhabitants(count, today)
    relying = Party(
        client_id=OPERATOR,
        redirect_uris=(f"{gateway}/sign-in/return",),
        jwks={"keys": [keys.holder_requests.jwk()]},
        code=OPERATOR,
    )
    identity = IdentityConfig(
        issuer=issuer,
        clients={OPERATOR: relying},
        holders=frozenset(h["id"] for h in HOLDERS.values()),
        people={person.handle: person for person in who},
        today=today,
        key=signing_key(None),
        pairwise_secret=secrets.token_bytes(32),
        now=lambda: clock.seconds,
        token=lambda: secrets.token_urlsafe(32),
    )
    origins = {s: origin_of(bound[s]) for s in HOLDERS}
    sandbox = Sandbox(issuer, origins, {}, who, public_keys(identity), _names(identity))
    apps: dict[int, ASGIApp] = {port_of(bound["identity"]): create_provider(identity)}
    for sector, facts in HOLDERS.items():
        module = import_module(f"connectors.sandbox.{sector}")
        faults = sandbox.faults[facts["id"]] = TimedFaults()
        config = HolderConfig(
            id=facts["id"],
            org_code=facts["org_code"],
            origin=sandbox.origins[sector],
            sector=sector,
            operators={OPERATOR: {"keys": [keys.holder_requests.jwk()]}},
            identity={issuer: sandbox.jwks},
            people=who,
            datasets=module.DATASETS,
            page_size=5 if sector == "retail" else 50,
            now=lambda: clock.seconds,
        )
        apps[port_of(bound[sector])] = FaultyDoor(module.create(config), faults)
    if around is not None:
        apps = {port: around(app) for port, app in apps.items()}
    async with serving(_by_port(apps), list(bound.values())):
        yield sandbox


def _by_port(apps: dict[int, ASGIApp]) -> ASGIApp:
    """One server for several origins: the port that was called names the application."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    return dispatch


def _names(identity: IdentityConfig) -> Callable[[str], str]:
    def name(handle: str) -> str:
        about = f"{OPERATOR}\0{identity.people[handle].id}".encode()
        digest = hmac.digest(identity.pairwise_secret, about, hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    return name
