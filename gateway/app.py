"""`create_app(settings)`: routers, middleware, error handlers. The only wiring place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

from connectors.authorization import link
from connectors.contract import Reason
from connectors.errors import HolderError
from consent.calendar import korean_day
from consent.clock import Clock, utc_now
from consent.consortium import client_scope
from consent.details import parse_details
from consent.errors import ConsentError
from consent.parties import HolderInfo
from gateway import ledger
from gateway.access import Access
from gateway.api import health, transfers
from gateway.api import policy as policy_door
from gateway.api.description import described
from gateway.bundles.errors import BundleError
from gateway.errors import Problem
from gateway.failures import answer_error, caller_gone, refuse_cross_origin
from gateway.front import Front
from gateway.housekeeping import Housekeeping
from gateway.keyring import KeyringError
from gateway.oauth import clients
from gateway.oauth.answering import Answering
from gateway.oauth.bearer import ResourceServer
from gateway.oauth.clients import Client
from gateway.oauth.dpop_nonce import nonces
from gateway.oauth.ledger import Record
from gateway.oauth.routes import routes as oauth_routes
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import Minter
from gateway.parts import Parts, open_parts
from gateway.policy.errors import PolicyError
from gateway.receipts import Receipts, hook
from gateway.security.client_certificate import terminators
from gateway.security.cross_origin import CrossOrigin
from gateway.security.headers import HeaderSet, SecurityHeaders
from gateway.security.peer import Peer
from gateway.security.sessions import Sessions
from gateway.settings import Settings
from gateway.telemetry import Metrics, log
from gateway.transfers.consequences import after_change, after_ending
from gateway.web.openid import OpenIdProvider, RelyingParty
from gateway.web.rendering import Masthead, Renderer
from gateway.web.routes import routes as web_routes
from gateway.web.site import Site
from gateway.web.static_files import StaticFiles

OPEN_PATHS = frozenset({"/par", "/token", "/revoke", "/introspect", "/userinfo", "/transfers", "/logout"})
"""Any origin may call these: they read no cookie, or change nothing, so no ambient authority is used."""

FRONT_PATHS = ("/par", "/token", "/revoke", "/introspect")


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """The gateway as an ASGI application. Its parts open with the lifespan and close with it."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Front) -> AsyncIterator[None]:
        async with open_parts(settings, metrics, clock) as parts:
            app.state.parts = parts
            record = Record(parts.journal)
            site = _site(parts, server := _server(parts, record))
            app.state.pages = site.renderer
            app.router.routes.extend(_routes(parts, server, site))
            app.put_in_front(FRONT_PATHS)
            app.include_router(transfers.router(_doors(parts, server)))
            async with _running(parts, record):
                yield

    secure = settings.issuer.startswith("https://")
    app = Front(
        metrics=metrics,
        headers=HeaderSet(secure=secure),
        trusted=settings.trusted_proxies,
        failed=answer_error,
        described=described,
        title="MyData Gateway",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a 307 would send credentials on (FAPI2-SP 5.3.2.2-10)
    )
    app.add_middleware(CrossOrigin, origin=settings.issuer, refuse=refuse_cross_origin, open_paths=OPEN_PATHS)
    app.add_middleware(SecurityHeaders, secure=secure)
    app.add_middleware(Access, metrics=metrics)
    app.add_middleware(Peer, trusted=settings.trusted_proxies)
    named = (ConsentError, HolderError, BundleError, PolicyError, KeyringError)
    for kind in (Problem, HTTPException, *named, Exception):
        app.add_exception_handler(kind, answer_error)
    app.add_exception_handler(ClientDisconnect, caller_gone)
    return app


def _server(parts: Parts, record: Record) -> GatewayAuthorizationServer:
    settings, keys = parts.settings, parts.keys
    return GatewayAuthorizationServer(
        minter=Minter(settings.issuer, settings.issuer, keys.signing, keys.pairwise),
        database=parts.database,
        record=record,
        clock=parts.clock,
        validate_details=_validate(parts),
        session_of=_sessions(parts).session_hash,
        may_issue=parts.log.refuse_if_behind,
        terminators=terminators(settings),
        nonces=nonces(settings.dpop_nonce, keys.pairwise),
        after_revocation=after_ending(parts.worker, parts.notices),
        unknown_kid=parts.client_keys.unknown_kid,
        acr_values=parts.registry.identity.acr_values,
    )


def _validate(parts: Parts) -> Callable[[list[Any], Client], object]:
    """What a client may ask for: the catalogue, its own consortium, the registered holders."""
    holders = _holders(parts)

    def validate(details: list[Any], client: Client) -> object:
        now = parts.clock()
        purposes, may_name = client_scope(parts.consortia, client.id, int(now.timestamp()))
        info = clients.info(client, purposes, may_name)
        return parse_details(
            details, catalogue=parts.catalogue, holders=holders, client=info, today=korean_day(now)
        )

    return validate


def _holders(parts: Parts) -> dict[str, HolderInfo]:
    return {
        h.id: HolderInfo(h.id, h.sector, {"ko": h.name.ko, "en": h.name.en}) for h in parts.registry.holders
    }


def _sessions(parts: Parts) -> Sessions:
    return Sessions(secure=parts.settings.issuer.startswith("https://"), clock=parts.clock)


def _routes(parts: Parts, server: GatewayAuthorizationServer, site: Site) -> list[BaseRoute]:
    async def store() -> bool:
        async with parts.database.reading() as session:
            return bool((await session.execute(text("SELECT 1"))).scalar_one() == 1)

    async def policy() -> bool | str:
        return (await parts.engine.health()).state

    async def log_moves() -> bool:
        await parts.log.refuse_if_behind()
        return True

    probes = {"store": store, "policy": policy, "ledger": log_moves}
    return [
        *oauth_routes(server),
        *ledger.routes(parts.log),
        *health.routes(parts.metrics, probes, parts.log.watched),
        *policy_door.routes(parts.engine),
        *web_routes(site),
    ]


def _site(parts: Parts, server: GatewayAuthorizationServer) -> Site:
    settings, registry = parts.settings, parts.registry
    masthead = Masthead(
        name={"ko": "마이데이터 게이트웨이", "en": "MyData Gateway"},
        operator={"ko": registry.operator.name.ko, "en": registry.operator.name.en},
        contact=registry.operator.contact,
        sandbox=registry.operator.role == "sandbox",
    )
    party = RelyingParty(
        registry.identity.client_id, f"{settings.issuer}/sign-in/return", parts.keys.holder_requests.sign
    )
    receipts = Receipts(
        settings.issuer,
        parts.database,
        parts.journal,
        parts.log,
        parts.catalogue,
        _holders(parts),
        parts.keys.signing.sign,
        parts.clock,
    )
    return Site(
        origin=settings.issuer,
        party=registry.operator.code,
        database=parts.database,
        clock=parts.clock,
        catalogue=parts.catalogue,
        holders=_holders(parts),
        journal=parts.journal,
        sessions=_sessions(parts),
        renderer=Renderer(masthead, StaticFiles()),
        identity=OpenIdProvider(registry.identity.issuer, party, parts.gateway.client, clock=parts.clock),
        provider={"ko": registry.identity.name.ko, "en": registry.identity.name.en},
        identity_key=parts.keys.identity,
        make_link=_make_link(parts),
        answering=Answering(server),
        after_withdrawal=after_ending(parts.worker, parts.notices),
        after_change=after_change(parts.worker, parts.notices),
        receipt=hook(receipts),
        may_grant=parts.log.refuse_if_behind,
    )


def _make_link(parts: Parts) -> Callable[[str, str], Awaitable[str]]:
    async def make(holder_id: str, statement: str) -> str:
        holder = parts.holders.get(holder_id)
        if holder is None:
            raise HolderError(Reason.NO_LINK, "the holder is not registered")
        return await link(parts.gateway, holder.manifest, statement)

    return make


def _doors(parts: Parts, server: GatewayAuthorizationServer) -> transfers.Doors:
    return transfers.Doors(
        issuer=parts.settings.issuer,
        database=parts.database,
        resource=ResourceServer(server),
        asking=parts.asking,
        worker=parts.worker,
        journal=parts.journal,
        clock=parts.clock,
    )


@asynccontextmanager
async def _running(parts: Parts, record: Record) -> AsyncIterator[None]:
    """The log, the worker and the notices move while the doors are open."""
    counted, code = (record.bound, parts.asking.refusals), parts.registry.operator.code
    house = Housekeeping.of(
        parts.database, parts.journal, code, counted=counted, metrics=parts.metrics, clock=parts.clock
    )
    movers = {
        "ledger": parts.log.run,
        "transfers": parts.worker.run,
        "notices": parts.notices.run,
        "policy": parts.engine.run,
        "housekeeping": house.run,
        "keys": parts.rotation.run,
        "client_keys": parts.client_keys.run,
    }
    tasks = [asyncio.create_task(_kept_alive(name, run), name=name) for name, run in movers.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept_alive(name: str, run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except Exception as error:
            log.error("mover_failed", mover=name, error=type(error).__name__)
            await asyncio.sleep(1)
