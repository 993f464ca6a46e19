"""The grant types, each an Authlib grant with our rules: every token bound to a key, every code once.

They decide only. What they read stands in the exchange; what they change is appended to `exchange.writes`.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidScopeError, grants
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.client_certificate import binding, unwanted_proof
from gateway.oauth.clients import Client
from gateway.oauth.details import less_of
from gateway.oauth.dpop import check_proof
from gateway.oauth.exchange import Exchange
from gateway.oauth.grants import Code, Grant, RefreshToken, claim_code, refusal_now
from gateway.oauth.openid_request import authorization_scope
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.resources import COMPANY_SCOPES
from gateway.oauth.tls_client import METHODS
from gateway.oauth.tokens import new_secret
from gateway.oauth.unit import StillAlive

AUTH_METHODS = list(METHODS)


def prove_possession(exchange: Exchange, bound_to: str | None) -> None:
    """Verify the DPoP proof of a token request and that it is of the key `bound_to`, if any is bound yet.

    A client registered for it proves its certificate instead (RFC 8705 3); both at once is refused.
    """
    arrival = exchange.arrival
    if exchange.client.certificate_bound:
        if arrival.proofs or bound_to is not None:
            raise unwanted_proof()
        exchange.cnf = binding(arrival.certificate)
        return
    proof = check_proof(
        arrival.proofs, method="POST", url=arrival.url, now=arrival.now, nonces=arrival.nonces
    )
    exchange.once.append(proof.once)
    exchange.cnf = {"jkt": proof.jkt}
    if bound_to not in (None, proof.jkt):
        raise OAuthRefusal("proof_key_mismatch")


def _alive(given: Code | RefreshToken, now: int) -> Grant:
    grant = given.grant
    if code := grant.refusal(now, generation=given.generation):
        raise OAuthRefusal(code)
    return grant


class CodeFlow(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """authorization_code: the code is claimed atomically when the token is stored (FAPI 2.0 5.3.2.2-9)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    request: Exchange

    def validate_requested_scope(self) -> None:
        """The scopes of OpenID Connect at most: data is asked for by authorization_details."""
        authorization_scope(self.request.payload.scope)

    def create_authorization_response(self, redirect_uri: str, grant_user: Any) -> Any:
        """The code; or, where the answer was no yes, the error it was."""
        if error := self.request.refused_with:
            raise OAuth2Error(redirect_uri=redirect_uri, error=error)
        return super().create_authorization_response(redirect_uri, grant_user)

    def generate_authorization_code(self) -> str:
        """A fresh code of 256 random bits."""
        return new_secret()

    def save_authorization_code(self, code: str, request: Exchange) -> None:
        """Hand the code to whoever flushes this exchange."""
        request.authorization_code = code

    def validate_token_request(self) -> None:
        """Client, code, redirect_uri and verifier (Authlib's order), then the key."""
        super().validate_token_request()
        code: Code = self.request.authorization_code
        prove_possession(self.request, code.dpop_jkt)
        self.request.details = _asked_less(self.request, code.grant)

    def query_authorization_code(self, code: str, client: Client) -> Code:  # noqa: ARG002
        """The loaded code, if it is this client's and still unused; says which it is not."""
        found = self.request.loaded.code
        if found is None or found.client_id != client.id:
            raise OAuthRefusal("code_unknown")
        if found.used:
            raise OAuthRefusal("code_replayed", grant_id=found.grant.id)
        if found.expires_at <= self.request.arrival.now:
            raise OAuthRefusal("code_expired")
        return found

    def authenticate_user(self, authorization_code: Code) -> Grant:
        """The grant the code stands for, alive with its consent."""
        return _alive(authorization_code, self.request.arrival.now)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Claim the code first of all writes; who loses the race, also against a withdrawal, is refused."""
        code, now = self.request.form["code"], self.request.arrival.now

        async def claim(session: AsyncSession) -> OAuthRefusal | None:
            if dead := await refusal_now(session, authorization_code.grant, at=now):
                return OAuthRefusal(dead)
            if await claim_code(session, code, at=now):
                return None
            return OAuthRefusal("code_replayed", grant_id=authorization_code.grant.id)

        self.request.writes.insert(0, claim)


class RefreshFlow(grants.RefreshTokenGrant):  # type: ignore[misc]
    """refresh_token: same token again (FAPI 2.0 5.3.2.1-9), details as the consent stands now.

    It is bound to its client, not to a proof key (RFC 9449 5): a client may go on with a new key, and the
    new access token is bound to that one.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = False
    request: Exchange

    def validate_token_request(self) -> None:
        """Client and token (Authlib's order), then a proof, then that nothing wider is asked for."""
        super().validate_token_request()
        token: RefreshToken = self.request.refresh_token
        prove_possession(self.request, None)
        self.request.details = _asked_less(self.request, token.grant)

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken:  # noqa: ARG002
        """The loaded token while it may be used."""
        found = self.request.loaded.refresh
        if found is None or found.revoked or found.client_id != self.request.client.id:
            raise OAuthRefusal("refresh_unknown")
        return found

    def authenticate_user(self, refresh_token: RefreshToken) -> Grant:
        """The grant, alive with its consent."""
        return _alive(refresh_token, self.request.arrival.now)

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Nothing is revoked: no rotation. But before all writes the grant is looked at again."""
        self.request.writes.insert(0, StillAlive(refresh_token.grant, self.request.arrival.now))


class CompanyFlow(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """client_credentials: a token without a citizen, for the client's own doors only."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    request: Exchange

    def validate_requested_scope(self) -> None:
        """The scopes of a client's own doors; those of a citizen's sign-in belong to no company."""
        if not set((self.request.payload.scope or "").split()) <= set(COMPANY_SCOPES):
            raise InvalidScopeError

    def validate_token_request(self) -> None:
        """Client and scope (Authlib's order), then the key."""
        super().validate_token_request()
        prove_possession(self.request, None)


def _asked_less(exchange: Exchange, grant: Grant) -> list[dict[str, Any]] | None:
    """The part of the grant's details this request asks for; None where it does not say (RFC 9396 6)."""
    text = exchange.form.get("authorization_details")
    if text is None:
        return None
    return less_of(text, grant.details)
