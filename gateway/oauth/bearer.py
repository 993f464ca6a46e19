"""The resource server's check of an access token: signature, proof of possession, then the LIVE rows.

FAPI 2.0 5.3.4, RFC 9449 7.2, RFC 8705 3. A withdrawn, paused, ended or changed consent, a revoked grant, a
suspended client: each makes the very next call fail, because nothing of it is cached or read from the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from gateway.oauth.client_certificate import CONFIRMATION, fits
from gateway.oauth.clients import Client
from gateway.oauth.dpop import check_proof
from gateway.oauth.dpop_nonce import tell
from gateway.oauth.grants import Grant
from gateway.oauth.jws import ALGORITHMS
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime
from gateway.oauth.resources import COMPANY, for_resource
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import token_type
from gateway.oauth.unit import Unit, question_of
from gateway.security.client_certificate import ClientCertificate, ClientCertificateError

_TOLD = {
    "dpop_invalid": ("invalid_dpop_proof", 401),
    "dpop_replayed": ("invalid_dpop_proof", 401),
    "dpop_nonce_needed": ("use_dpop_nonce", 401),
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
    """A client at its own doors. `grant_id` is the one grant its token is of; None: a token of its own."""

    client: Client
    grant_id: str | None = None


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
            raise self._challenge(_refusal(refusal), resource, claims["cnf"])
        return AuthenticatedClient(client, replace(grant, details=claims["authorization_details"]))

    async def for_company(
        self, request: Request, *, scope: str = COMPANY, resource: str | None = None
    ) -> AuthenticatedCompany:
        """The client of a client_credentials token with `scope`. Raises Problem as `for_grant`."""
        return await self._with_scope(request, scope, resource, own=True)

    async def for_managing(
        self, request: Request, *, scope: str, resource: str | None = None
    ) -> AuthenticatedCompany:
        """The client of a token with `scope`, its own or one of a grant. Raises Problem as `for_grant`.

        The caller MUST let a token of a grant open nothing but that grant (`grant_id`).
        """
        return await self._with_scope(request, scope, resource, own=False)

    async def _with_scope(
        self, request: Request, scope: str, resource: str | None, *, own: bool
    ) -> AuthenticatedCompany:
        claims, once = self._read(request, resource)
        refusal, client, _ = await self._live(claims, once)
        foreign = own and "grant_id" in claims
        if refusal is None and (foreign or scope not in str(claims.get("scope", "")).split()):
            refusal = "token_wrong_door"
        if refusal or client is None:
            raise self._challenge(_refusal(refusal), resource, claims["cnf"])
        return AuthenticatedCompany(client, claims.get("grant_id"))

    def _read(self, request: Request, resource: str | None) -> tuple[dict[str, Any], OneTime | None]:
        """The claims of a token that is held by who sends it, and what must not be used again."""
        tell(request, self._server.nonces, self._server.now())
        cnf: Mapping[str, str] = {}
        try:
            scheme, token = _token(request)
            claims = self._server.minter.read(token, self._server.now())
            if claims is None:
                raise OAuthRefusal("token_invalid", what="it is not one of ours, was changed or has expired")
            cnf = claims["cnf"]
            if not for_resource(claims, resource or self._server.minter.resources.data):
                raise OAuthRefusal("token_invalid", what="it is for another resource")
            if scheme != token_type(cnf).lower():
                raise OAuthRefusal("token_invalid", what=_SCHEME)
            certificate = self._server.certificate(request)
            if scheme == "dpop":
                return claims, self._proved(request, token, claims, certificate)
            if not fits(cnf, certificate):
                raise OAuthRefusal("token_invalid", what="it is bound to another certificate, or none came")
        except ClientCertificateError as error:
            raise self._challenge(OAuthRefusal(error.code, what=error.what), resource, cnf) from error
        except OAuthRefusal as refused:
            raise self._challenge(refused, resource, cnf) from refused
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
            nonces=self._server.nonces,
        )
        if claims["cnf"]["jkt"] != proof.jkt:
            raise OAuthRefusal("token_invalid", what="it is bound to another key than the proof's")
        return proof.once

    async def _live(
        self, claims: dict[str, Any], once: OneTime | None
    ) -> tuple[str | None, Client | None, Grant | None]:
        """The proof is spent; then the rows are read as they are now: nothing older than that counts."""
        together = self._server.together
        if once is not None and (code := await together.do(Unit((once,)))) is not None:
            return code, None, None
        seen = await together.look(question_of(claims))
        if seen.client is None or not seen.client.active:
            return "client_suspended", None, None
        if seen.given_up:
            return "grant_revoked", None, None
        if "grant_id" not in claims:
            return None, seen.client, None
        if seen.grant is None:
            return "grant_revoked", None, None
        return seen.grant.refusal_of(claims, self._server.now()), seen.client, seen.grant

    def _challenge(self, refused: OAuthRefusal, resource: str | None, cnf: Mapping[str, str]) -> OAuthRefusal:
        """The refusal as a protected resource tells it: 401 (RFC 9449 7.1, RFC 9728 5.1) or 403.

        The scheme is the one the token is to be sent with: Bearer where `cnf` names a certificate.
        """
        error, status = _TOLD.get(refused.code, ("invalid_token", 401))
        told = refused.at(error=error, status=status)
        where = "/.well-known/oauth-protected-resource"
        if resource is not None and resource.startswith(self._server.issuer):
            where += resource.removeprefix(self._server.issuer)
        members = [] if refused.code == "token_missing" else [f'error="{told.oauth_error}"']
        scheme = "Bearer" if CONFIRMATION in cnf else "DPoP"
        if scheme == "DPoP":
            members.append(f'algs="{" ".join(ALGORITHMS)}"')
        members.append(f'resource_metadata="{self._server.issuer}{where}"')
        told.headers = {
            **refused.headers,
            "WWW-Authenticate": f"{scheme} {', '.join(members)}",
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
