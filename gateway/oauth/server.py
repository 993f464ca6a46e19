"""The authorization server: Authlib's core with our doors around it.

    load (async)   the rows a request names            Door.load
    decide (sync)  Authlib's grants, our checks, no I/O Door.decide -> this class
    flush (async)  one transaction                      Door

Authlib's core is synchronous and asks the server for clients and tokens while it decides; here it finds
them in the current `Exchange` and leaves its writes there.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc9207 import IssuerParameter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from consent.clock import Clock
from consent.records import Consent
from gateway.database import Database
from gateway.oauth import client_assertion, client_certificate
from gateway.oauth.answers import Answer
from gateway.oauth.clients import Client
from gateway.oauth.details import TYPES, Validate
from gateway.oauth.dpop_nonce import Nonces
from gateway.oauth.exchange import Exchange, Write, narrowed
from gateway.oauth.flows import CodeFlow, CompanyFlow, RefreshFlow
from gateway.oauth.grants import Grant, keep_refresh
from gateway.oauth.id_token import IdTokens
from gateway.oauth.ledger import Record
from gateway.oauth.openid_request import OPENID
from gateway.oauth.pkce import S256Challenge
from gateway.oauth.refusals import OAuthRefusal, of_authlib
from gateway.oauth.resources import COMPANY, COMPANY_SCOPES
from gateway.oauth.tls_client import BY_NAME, PRIVATE_KEY_JWT, SELF_SIGNED
from gateway.oauth.together import Together
from gateway.oauth.tokens import Minter, new_secret, token_type
from gateway.security.client_certificate import ClientCertificate, Terminators
from gateway.security.peer import peer_of

_current: ContextVar[Exchange] = ContextVar("mydata_oauth_exchange")


async def _nobody(_client_id: str) -> bool:
    """No key set is ever read again."""
    return False


class _Issuer(IssuerParameter):  # type: ignore[misc]
    """`iss` in every authorization response, errors included (RFC 9207)."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        return self._issuer


class GatewayAuthorizationServer(AuthorizationServer):  # type: ignore[misc]
    """One per process; holds collaborators and no request state. Build it in gateway/app.py."""

    def __init__(
        self,
        *,
        minter: Minter,
        database: Database,
        record: Record,
        clock: Clock,
        validate_details: Validate,
        session_of: Callable[[Request], str | None],
        may_issue: Callable[[], Awaitable[None]] | None = None,
        terminators: Terminators | None = None,
        unknown_kid: Callable[[str], Awaitable[bool]] = _nobody,
        acr_values: tuple[str, ...] = (),
        after_revocation: Callable[[AsyncSession, Consent], Awaitable[None]] | None = None,
        nonces: Nonces | None = None,
    ) -> None:
        """Wire the collaborators.

        `validate_details(details, client)` refuses what may not be asked for. `session_of(request)` gives
        the hash that names the browser's session, the same as `Settlement.session_hash`. `may_issue()` raises
        Problem while the ledger lags: codes and tokens wait then, refusals and revocations do not. Without
        `terminators` mutual TLS is off: no certificate is looked at (RFC 8705). `acr_values` are the classes
        of sign-in the identity provider knows. `after_revocation` writes what else a consent's end by its
        party needs, in that transaction; it MUST NOT call anyone. With `nonces` every DPoP proof must carry
        one (RFC 9449 8).
        """
        super().__init__(scopes_supported=COMPANY_SCOPES)
        # Authlib logs whole tokens at debug level.
        logging.getLogger("authlib").setLevel(logging.INFO)
        self.issuer = minter.issuer
        self.minter = minter
        self.id_tokens = IdTokens(minter.issuer, minter.signing)
        self.database = database
        self.record = record
        self.together = Together(database, record.journal)
        self.clock = clock
        self.validate_details = validate_details
        self.session_of = session_of
        self.terminators = terminators
        self.after_revocation = after_revocation
        self.unknown_kid = unknown_kid
        self.acr_values = acr_values
        self.nonces = nonces
        self._may_issue = may_issue
        self.details_types = TYPES
        self.register_client_auth_method(PRIVATE_KEY_JWT, _private_key_jwt)
        for method in (BY_NAME, SELF_SIGNED):
            self.register_client_auth_method(method, _by_certificate(method))
        self.register_grant(CodeFlow, [S256Challenge()])
        self.register_grant(RefreshFlow)
        self.register_grant(CompanyFlow)
        self.register_token_generator("default", self._tokens)
        self.register_extension(lambda _server: _Issuer(self.issuer)(self))

    def now(self) -> int:
        """The present second."""
        return int(self.clock().timestamp())

    async def may_issue(self) -> None:
        """Raise Problem while no code or token may be made. MUST NOT be called inside a transaction."""
        if self._may_issue is not None:
            await self._may_issue()

    def certificate(self, request: Request) -> ClientCertificate | None:
        """The certificate a TLS terminator hands on with `request`. Raises ClientCertificateError."""
        ends = self.terminators
        if ends is None:
            return None
        values, verdicts = request.headers.getlist(ends.header), request.headers.getlist(ends.verified_header)
        return ends.read(peer_of(request), values, verdicts, self.clock())

    def address(self, path: str, certificate: ClientCertificate | None) -> str:
        """The address a request for `path` was sent to: who shows a certificate came by the mTLS origin."""
        by_mtls = self.terminators if certificate is not None else None
        return (by_mtls.origin if by_mtls else self.issuer) + path

    @contextmanager
    def deciding(self, exchange: Exchange) -> Iterator[None]:
        """Let the core decide on `exchange`; its errors come out as refusals."""
        token = _current.set(exchange)
        try:
            yield
        except OAuth2Error as error:
            raise of_authlib(error) from error
        finally:
            _current.reset(token)

    # --- what Authlib's core asks for ---

    def query_client(self, client_id: str) -> Client | None:
        """The loaded client, if it is the one asked for."""
        client = _current.get().loaded.client
        return client if client is not None and client.id == client_id else None

    def create_oauth2_request(self, request: Exchange) -> Exchange:
        """An exchange is Authlib's request already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Keep what the core answers; it becomes a response after the flush."""
        return Answer(status, body or None, dict(headers))

    def handle_error_response(self, request: Exchange, error: OAuth2Error) -> Answer:
        """Send an authorization error to the client's address; anything else is a refusal of the door."""
        if error.redirect_uri:
            return self.handle_response(*error(self.get_error_uri(request, error)))
        raise of_authlib(error)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens: what happened goes to the ledger."""

    def save_token(self, token: dict[str, Any], request: Exchange) -> None:
        """Nothing more: `_tokens` has put the writes of what it made into the exchange."""

    def _tokens(self, *, client: Client, user: Grant | None, include_refresh_token: bool, **_: Any) -> Any:
        """Authlib's token generator: an access token for a grant (`user`) or for the company itself."""
        exchange = _current.get()
        now, cnf, resource = exchange.arrival.now, exchange.cnf, exchange.form.get("resource")
        if user is None:
            scope = exchange.payload.scope or COMPANY
            minted = self.minter.for_company(client, scope, cnf, now, resource=resource)
            body: dict[str, Any] = {"scope": scope}
        else:
            user = narrowed(user, exchange)
            minted = self.minter.for_grant(client, user, cnf, now, resource=resource)
            body = {"authorization_details": user.details, "grant_id": user.id}
            body |= self._recognised(client, user, minted.token, exchange)
            if include_refresh_token:
                body["refresh_token"] = new_secret()
                exchange.writes.append(_keeping(body["refresh_token"], user, cnf, now))
        exchange.writes.append(self.record.issued(client, user, minted, at=now))
        return {
            "access_token": minted.token,
            "token_type": token_type(cnf),
            "expires_in": minted.expires_in,
            **body,
        }

    def _recognised(
        self, client: Client, grant: Grant, access_token: str, exchange: Exchange
    ) -> dict[str, str]:
        """The granted scope, and the id_token that goes with `openid` (OpenID Connect Core 3.1.3.3, 12.2)."""
        if not grant.scope:
            return {}
        given, again = exchange.loaded.recognition, exchange.loaded.refresh is not None
        if given is None or OPENID not in grant.scope.split():
            return {"scope": grant.scope}
        subject, now = self.minter.subject(client, grant.subject_id), exchange.arrival.now
        made = self.id_tokens.made(client, subject, given, access_token, now, again=again)
        return {"scope": grant.scope, "id_token": made}


def _private_key_jwt(_query: object, exchange: Exchange) -> Client | None:
    """Authlib's client authentication method: verify the assertion against the loaded client."""
    known = exchange.loaded.client
    if known is not None and known.auth_method != PRIVATE_KEY_JWT:
        return None
    if exchange.assertion is None:
        raise OAuthRefusal("client_assertion_missing" if known is not None else "client_unknown")
    once = client_assertion.authenticate(exchange.assertion, exchange.loaded.client)
    exchange.once.insert(0, once)
    exchange.client = exchange.loaded.client
    return exchange.loaded.client


def _by_certificate(method: str) -> Callable[[object, Exchange], Client | None]:
    """Authlib's client authentication method for clients registered for `method` (RFC 8705 2)."""

    def authenticate(_query: object, exchange: Exchange) -> Client | None:
        known = exchange.loaded.client
        if known is None or known.auth_method != method:
            return None
        alone = exchange.assertion is None
        client_certificate.authenticate(known, exchange.arrival.certificate, alone=alone)
        exchange.client = known
        return known

    return authenticate


def _keeping(token: str, grant: Grant, cnf: dict[str, str], now: int) -> Write:
    (jkt,) = cnf.values()

    async def keep(session: AsyncSession) -> None:
        await keep_refresh(session, token, grant, jkt=jkt, at=now)

    return keep
