"""GET and POST /userinfo (OpenID Connect Core 5.3): what a client may be told of the citizen it recognises.

The token comes in the Authorization header and nowhere else (FAPI 2.0 5.3.4-2), bound and live as at every
data door, and needs the scope `openid`. Plain JSON, or a signed JWT for a client that registered that.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Problem
from gateway.oauth import recognition
from gateway.oauth.answers import NO_STORE, refused
from gateway.oauth.bearer import AuthenticatedClient, ResourceServer
from gateway.oauth.clients import Client
from gateway.oauth.openid_request import OPENID
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import token_type

PATH = "/userinfo"
TYP = "JWT"


class UserInfo:
    """The endpoint. Keeps no state between calls."""

    def __init__(self, server: GatewayAuthorizationServer) -> None:
        """Answer for `server`."""
        self._server = server
        self._guard = ResourceServer(server)

    async def answer(self, request: Request) -> Response:
        """The claims, or an error as a protected resource tells it (RFC 6750 3, RFC 9449 7.1)."""
        try:
            found = await self._guard.for_grant(request, resource=self._server.minter.resources.userinfo)
            claims = await self._claims(request, found)
        except Problem as problem:
            return refused(problem)
        return await self._server.minter.signing.offload(self._told, found.client, claims)

    async def _claims(self, request: Request, found: AuthenticatedClient) -> dict[str, Any]:
        async with self._server.database.reading() as session:
            given = await recognition.of_grant(session, found.grant.id)
        token = self._token(request)
        if given is None or OPENID not in str(token.get("scope", "")).split():
            scheme = token_type(token.get("cnf", {}))
            told = f'{scheme} error="insufficient_scope", scope="{OPENID}"'
            challenge = {"WWW-Authenticate": told, **NO_STORE}
            raise OAuthRefusal("scope_missing", headers=challenge)
        subject = self._server.minter.subject(found.client, found.grant.subject_id)
        return {"sub": subject, **given.claims_for("userinfo")}

    def _token(self, request: Request) -> dict[str, Any]:
        """The claims of the token that has just been let in; its scope may be narrower than its grant's."""
        token = request.headers["authorization"].partition(" ")[2]
        return self._server.minter.read(token, self._server.now()) or {}

    def _told(self, client: Client, claims: dict[str, Any]) -> Response:
        if client.openid.userinfo_alg is None:
            return Response(orjson.dumps(claims), headers=NO_STORE, media_type="application/json")
        signed = {"iss": self._server.issuer, "aud": client.id, **claims}
        text = self._server.minter.signing.signing(client.openid.userinfo_alg).sign(signed, TYP)
        return Response(text.encode("ascii"), headers=NO_STORE, media_type="application/jwt")
