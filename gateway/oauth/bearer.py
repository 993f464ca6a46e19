"""The resource server's check of an access token: signature, proof of possession, then the LIVE rows.

FAPI 2.0 5.3.4, RFC 9449 7.2, RFC 8705 3. A withdrawn, paused, ended or changed consent, a revoked grant, a
suspended client: each makes the very next call fail, because nothing of it is cached or read from the token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from gateway.oauth import clients
from gateway.oauth.client_certificate import fits
from gateway.oauth.clients import Client
from gateway.oauth.dpop import check_proof
from gateway.oauth.grants import Grant, find_grant
from gateway.oauth.jws import ALGORITHMS
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime, is_spent, spend
from gateway.oauth.resources import COMPANY, for_resource
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import jti_hash, token_type
from gateway.security.client_certificate import ClientCertificate, ClientCertificateError

_TOLD = {
    "dpop_invalid": ("invalid_dpop_proof", 401),
    "dpop_replayed": ("invalid_dpop_proof", 401),
    "token_wrong_door": ("insufficient_scope", 403),
}


_SCHEME = "it must be sent once, with the scheme of its token_type"


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client acting on one citizen's consent: its grant, alive at this moment (`grant.consent`)."""

    client: Client
    grant: Grant


@dataclass(frozen=True, slots=True)
class AuthenticatedCompany:
    """A client at its own doors; no citizen is involved."""

    client: Client


class ResourceServer:
    """Checks the token of every call to the data doors. Keeps no state between calls."""

    def __init__(self, server: GatewayAuthorizationServer) -> None:
        """Check tokens of `server`, at addresses under its issuer."""
        self._server = server

    async def for_grant(self, request: Request, *, resource: str | None = None) -> AuthenticatedClient:
        """The client and the live grant its token names, as far as the token goes (RFC 9396 6).

        `resource` is what is called, else the data doors. Raises Problem with a WWW-Authenticate header.
        """
        claims, once = self._read(request, resource)
        refusal, client, grant = await self._live(claims, once)
        if refusal is None and grant is None:
            refusal = "token_wrong_door"
        if refusal or client is None or grant is None:
            raise self._challenge(_refusal(refusal))
        return AuthenticatedClient(client, replace(grant, details=claims["authorization_details"]))

    async def for_company(
        self, request: Request, *, scope: str = COMPANY, resource: str | None = None
    ) -> AuthenticatedCompany:
        """The client of a client_credentials token with `scope`. Raises Problem as `for_grant`."""
        claims, once = self._read(request, resource)
        refusal, client, _ = await self._live(claims, once)
        if refusal is None and ("grant_id" in claims or scope not in str(claims.get("scope", "")).split()):
            refusal = "token_wrong_door"
        if refusal or client is None:
            raise self._challenge(_refusal(refusal))
        return AuthenticatedCompany(client)

    def _read(self, request: Request, resource: str | None) -> tuple[dict[str, Any], OneTime | None]:
        """The claims of a token that is held by who sends it, and what must not be used again."""
        try:
            scheme, token = _token(request)
            claims = self._server.minter.read(token, self._server.now())
            if claims is None:
                raise OAuthRefusal("token_invalid", what="it is not one of ours, was changed or has expired")
            if not for_resource(claims, resource or self._server.minter.resources.data):
                raise OAuthRefusal("token_invalid", what="it is for another resource")
            if scheme != token_type(claims["cnf"]).lower():
                raise OAuthRefusal("token_invalid", what=_SCHEME)
            certificate = self._server.certificate(request)
            if scheme == "dpop":
                return claims, self._proved(request, token, claims, certificate)
            if not fits(claims["cnf"], certificate):
                raise OAuthRefusal("token_invalid", what="it is bound to another certificate, or none came")
        except ClientCertificateError as error:
            raise self._challenge(OAuthRefusal(error.code, what=error.what)) from error
        except OAuthRefusal as refused:
            raise self._challenge(refused) from refused
        return claims, None

    def _proved(
        self, request: Request, token: str, claims: dict[str, Any], certificate: ClientCertificate | None
    ) -> OneTime:
        proof = check_proof(
            request.headers.getlist("dpop"),
            method=request.method,
            url=self._server.address(request.url.path, certificate),
            now=self._server.now(),
            access_token=token,
        )
        if claims["cnf"]["jkt"] != proof.jkt:
            raise OAuthRefusal("token_invalid", what="it is bound to another key than the proof's")
        return proof.once

    async def _live(
        self, claims: dict[str, Any], once: OneTime | None
    ) -> tuple[str | None, Client | None, Grant | None]:
        """One transaction: the proof is spent, and the rows are read as they are now."""
        async with self._server.database.transaction() as session:
            if once is not None and not await spend(session, once):
                return once.code, None, None
            return await self._rows(session, claims)

    async def _rows(
        self, session: AsyncSession, claims: dict[str, Any]
    ) -> tuple[str | None, Client | None, Grant | None]:
        client = await clients.find(session, claims["client_id"])
        if client is None or not client.active:
            return "client_suspended", None, None
        if await is_spent(session, "revoked", jti_hash(claims["jti"]), claims["exp"]):
            return "grant_revoked", None, None
        if "grant_id" not in claims:
            return None, client, None
        grant = await find_grant(session, claims["grant_id"])
        if grant is None:
            return "grant_revoked", None, None
        return grant.refusal_of(claims, self._server.now()), client, grant

    def _challenge(self, refused: OAuthRefusal) -> OAuthRefusal:
        """The refusal as a protected resource tells it: 401 (RFC 9449 7.1, RFC 9728 5.1) or 403."""
        error, status = _TOLD.get(refused.code, ("invalid_token", 401))
        told = refused.at(error=error, status=status)
        metadata = f"{self._server.issuer}/.well-known/oauth-protected-resource"
        named = "" if refused.code == "token_missing" else f'error="{told.oauth_error}", '
        told.headers = {
            "WWW-Authenticate": f'DPoP {named}algs="{" ".join(ALGORITHMS)}", resource_metadata="{metadata}"',
            "Cache-Control": "no-store",
        }
        return told


def _refusal(code: str | None) -> OAuthRefusal:
    """The refusal `code` names; without one, a token nobody knows."""
    return OAuthRefusal(code) if code else OAuthRefusal("token_invalid", what="the token is not known")


def _token(request: Request) -> tuple[str, str]:
    """Scheme (lower case) and token of the one Authorization header; none else counts (FAPI 2.0 5.3.4-2)."""
    headers = request.headers.getlist("authorization")
    if not headers:
        raise OAuthRefusal("token_missing")
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() not in ("dpop", "bearer") or not token or " " in token:
        raise OAuthRefusal("token_invalid", what=_SCHEME)
    return scheme.lower(), token
