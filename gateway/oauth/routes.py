"""The addresses of the authorization server, as plain Starlette routes."""

from __future__ import annotations

from functools import partial

from starlette.routing import Route

from gateway.keyring import Keyring
from gateway.oauth.authorize import authorize
from gateway.oauth.door import Door
from gateway.oauth.grant_api import PATH as GRANT
from gateway.oauth.grant_api import GrantApi
from gateway.oauth.introspect import IntrospectDoor
from gateway.oauth.metadata import resource_metadata, server_metadata
from gateway.oauth.par import PushDoor
from gateway.oauth.published import publish, publish_keys
from gateway.oauth.resume import resume
from gateway.oauth.revoke import RevokeDoor
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.token import TokenDoor
from gateway.oauth.userinfo import PATH as USERINFO
from gateway.oauth.userinfo import UserInfo

DOORS: tuple[type[Door], ...] = (PushDoor, TokenDoor, RevokeDoor, IntrospectDoor)


def routes(server: GatewayAuthorizationServer) -> list[Route]:
    """Every route of `server`. Browser routes raise Problem for the app's error page; the rest never do."""
    metadata, grants = publish(server_metadata(server)), GrantApi(server)
    return [
        *(Route(door.path, door(server).answer, methods=["POST"]) for door in DOORS),
        Route(USERINFO, UserInfo(server).answer, methods=["GET", "POST"]),
        Route("/authorize", partial(authorize, server), methods=["GET"]),
        _taken_once(Route("/authorize/resume/{interaction_id}", partial(resume, server), methods=["GET"])),
        Route("/.well-known/oauth-authorization-server", metadata),
        Route("/.well-known/openid-configuration", metadata),
        Route(GRANT, grants.query, methods=["GET"]),
        Route(GRANT, grants.revoke, methods=["DELETE"]),
        *(
            Route(f"/.well-known/oauth-protected-resource{path}", publish(resource_metadata(server, path)))
            for path in ("", "/userinfo", "/grants")
        ),
        Route("/.well-known/jwks.json", publish_keys(server.minter.signing)),
        Route("/.well-known/historical-jwks.json", publish_keys(server.minter.signing, Keyring.historical)),
    ]


def _taken_once(route: Route) -> Route:
    """Without HEAD, which Starlette adds to every GET: a look must not use the code up (RFC 9110 9.2.1)."""
    route.methods = {"GET"}
    return route
