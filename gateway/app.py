"""`create_app(settings)`: routers, middleware, error handlers. The only wiring place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

from connectors.errors import HolderError
from consent.calendar import korean_day
from consent.clock import Clock, utc_now
from consent.consortium import client_scope
from consent.details import parse_details
from consent.errors import ConsentError
from consent.law.fair_use import fair_use
from gateway import ledger
from gateway.access import Access
from gateway.api import (
    awareness,
    consent_endings,
    consents,
    health,
    policy_memory,
    receipts,
    transfer_list,
    transfers,
)
from gateway.api import policy as policy_door
from gateway.api.description import described
from gateway.bundles.errors import BundleError
from gateway.citizen_site import holders_of, oversight_of, publisher_of, receipts_of, sessions_of, site_of
from gateway.errors import Problem
from gateway.failures import answer_error, caller_gone, refuse_cross_origin
from gateway.front import Front
from gateway.keyring import KeyringError
from gateway.movers import running
from gateway.oauth import clients
from gateway.oauth.bearer import ResourceServer
from gateway.oauth.clients import Client
from gateway.oauth.dpop_nonce import nonces
from gateway.oauth.ledger import Record
from gateway.oauth.routes import routes as oauth_routes
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import Minter
from gateway.parts import Parts, open_parts
from gateway.policy.errors import PolicyError
from gateway.policy.memory import Memory
from gateway.portal_site import portal_of
from gateway.probes import probes_of
from gateway.security.client_certificate import terminators
from gateway.security.cross_origin import CrossOrigin
from gateway.security.headers import HeaderSet, SecurityHeaders
from gateway.security.peer import Peer
from gateway.settings import Settings
from gateway.telemetry import Metrics
from gateway.transfers.consequences import after_ending
from gateway.web.routes import routes as web_routes
from gateway.web.site import Site

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
            site = site_of(parts, server := _server(parts, record))
            app.state.pages = site.renderer
            memory = Memory(parts.database, parts.journal, parts.clock, parts.log.wake)
            app.router.routes.extend(_routes(parts, server, site))
            app.router.routes.extend(oversight_of(parts, memory, site.renderer))
            app.put_in_front(FRONT_PATHS)
            app.include_router(transfers.router(_doors(parts, server)))
            app.include_router(transfer_list.router(_listed(parts, server)))
            app.include_router(consents.router(_standings(parts, server)))
            app.include_router(consent_endings.router(_endings(parts, server)))
            app.include_router(receipts.router(_receipts(parts, server)))
            app.include_router(policy_memory.router(policy_memory.Doors(memory, parts.readers)))
            async with running(parts, record):
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
        session_of=sessions_of(parts).session_hash,
        may_issue=parts.log.refuse_if_behind,
        terminators=terminators(settings),
        nonces=nonces(settings.dpop_nonce, keys.pairwise),
        after_revocation=after_ending(parts.worker, parts.notices),
        unknown_kid=parts.client_keys.unknown_kid,
        acr_values=parts.registry.identity.acr_values,
    )


def _validate(parts: Parts) -> Callable[[list[Any], Client], object]:
    """What a client may ask for: the catalogue, its own consortium, the registered holders."""
    holders = holders_of(parts)

    def validate(details: list[Any], client: Client) -> object:
        now = parts.clock()
        purposes, may_name = client_scope(parts.consortia, client.id, int(now.timestamp()))
        info = clients.info(client, purposes, may_name)
        today = korean_day(now)
        terms = parse_details(details, catalogue=parts.catalogue, holders=holders, client=info, today=today)
        fair_use().check(terms, today)
        return terms

    return validate


def _routes(parts: Parts, server: GatewayAuthorizationServer, site: Site) -> list[BaseRoute]:
    probes = probes_of(parts)
    return [
        *oauth_routes(server),
        *ledger.routes(parts.log),
        *health.routes(parts.metrics, probes, parts.log.watched),
        *policy_door.routes(parts.engine),
        *awareness.routes(awareness.Doors(parts.database, publisher_of(parts))),
        *web_routes(site),
        *portal_of(parts, probes),
    ]


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


def _receipts(parts: Parts, server: GatewayAuthorizationServer) -> receipts.Doors:
    return receipts.Doors(
        issuer=parts.settings.issuer,
        database=parts.database,
        resource=ResourceServer(server),
        sessions=sessions_of(parts),
        receipts=receipts_of(parts, server),
    )


def _endings(parts: Parts, server: GatewayAuthorizationServer) -> consent_endings.Doors:
    resource, issuer = ResourceServer(server), parts.settings.issuer
    return consent_endings.Doors(issuer, parts.database, resource, parts.journal, parts.clock)


def _listed(parts: Parts, server: GatewayAuthorizationServer) -> transfer_list.Doors:
    return transfer_list.Doors(parts.settings.issuer, parts.database, ResourceServer(server))


def _standings(parts: Parts, server: GatewayAuthorizationServer) -> consents.Doors:
    return consents.Doors(parts.settings.issuer, parts.database, ResourceServer(server), parts.clock)
