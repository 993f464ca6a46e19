"""The resource server's check of an access token: signature, proof of possession, then the LIVE rows.

FAPI 2.0 5.3.4, RFC 9449 7.2. A withdrawn, paused, ended or changed consent, a revoked grant, a suspended
client: each makes the very next call fail, because nothing about them is cached or read from the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from gateway.oauth import clients
from gateway.oauth.clients import SCOPES, Client
from gateway.oauth.dpop import Proof, check_proof
from gateway.oauth.grants import Grant, find_grant
from gateway.oauth.jws import ALGORITHMS
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import is_spent, spend
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import jti_hash

_TOLD = {
    "dpop_invalid": ("invalid_dpop_proof", 401),
    "dpop_replayed": ("invalid_dpop_proof", 401),
    "token_wrong_door": ("insufficient_scope", 403),
}


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client acting on one citizen's consent: its grant, alive at this moment (`grant.consent`)."""

    client: Client
    grant: Grant
    jkt: str


@dataclass(frozen=True, slots=True)
class AuthenticatedCompany:
    """A client at its own doors; no citizen is involved."""

    client: Client
    jkt: str


class ResourceServer:
    """Checks the token of every call to the data doors. Keeps no state between calls."""

    def __init__(self, server: GatewayAuthorizationServer) -> None:
        """Check tokens of `server`, at addresses under its issuer."""
        self._server = server

    async def for_grant(self, request: Request) -> AuthenticatedClient:
        """The client and the live grant its token names. Raises Problem with a WWW-Authenticate header."""
        claims, proof = self._read(request)
        refusal, client, grant = await self._live(claims, proof)
        if refusal is None and grant is None:
            refusal = "token_wrong_door"
        if refusal or client is None or grant is None:
            raise self._challenge(_refusal(refusal))
        return AuthenticatedClient(client, grant, proof.jkt)

    async def for_company(self, request: Request) -> AuthenticatedCompany:
        """The client of a client_credentials token. Raises Problem with a WWW-Authenticate header."""
        claims, proof = self._read(request)
        refusal, client, _ = await self._live(claims, proof)
        if refusal is None and not SCOPES & set(str(claims.get("scope", "")).split()):
            refusal = "token_wrong_door"
        if refusal or client is None:
            raise self._challenge(_refusal(refusal))
        return AuthenticatedCompany(client, proof.jkt)

    def _read(self, request: Request) -> tuple[dict[str, Any], Proof]:
        now = self._server.now()
        try:
            token = _token(request)
            claims = self._server.minter.read(token, now)
            if claims is None:
                raise OAuthRefusal("token_invalid", what="it is not one of ours, was changed or has expired")
            proof = check_proof(
                request.headers.getlist("dpop"),
                method=request.method,
                url=self._server.issuer + request.url.path,
                now=now,
                access_token=token,
            )
            if claims["cnf"]["jkt"] != proof.jkt:
                raise OAuthRefusal("token_invalid", what="it is bound to another key than the proof's")
        except OAuthRefusal as refused:
            raise self._challenge(refused) from refused
        return claims, proof

    async def _live(
        self, claims: dict[str, Any], proof: Proof
    ) -> tuple[str | None, Client | None, Grant | None]:
        """One transaction: the proof is spent, and the rows are read as they are now."""
        async with self._server.database.transaction() as session:
            if not await spend(session, proof.once):
                return proof.once.code, None, None
            return await self._rows(session, claims)

    async def _rows(
        self, session: AsyncSession, claims: dict[str, Any]
    ) -> tuple[str | None, Client | None, Grant | None]:
        client = await clients.find(session, claims["client_id"])
        if client is None or not client.active:
            return "client_suspended", None, None
        if await is_spent(session, "revoked", jti_hash(claims["jti"])):
            return "grant_revoked", None, None
        if "grant_id" not in claims:
            return None, client, None
        grant = await find_grant(session, claims["grant_id"])
        if grant is None:
            return "grant_revoked", None, None
        return grant.refusal(self._server.now(), version=claims["consent_version"]), client, grant

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


def _token(request: Request) -> str:
    """The one token of the Authorization header; never one from a query or body (FAPI 2.0 5.3.4-2)."""
    headers = request.headers.getlist("authorization")
    if not headers:
        raise OAuthRefusal("token_missing")
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "dpop" or not token or " " in token:
        raise OAuthRefusal("token_invalid", what="it must be sent once, with the DPoP scheme")
    return token
