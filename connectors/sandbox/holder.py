"""The part every sandbox holder shares: linking a person, authorising the gateway, hearing of withdrawals.

    POST /links              identity statement + gateway statement -> a link: this person, for this gateway
    POST /oauth/2.0/token    gateway statement naming link and consent -> a short token (RFC 7523)
    POST /consent-notices    gateway statement: what became of a consent -> it is served accordingly
    GET  /healthz
    data doors of the sector: `authenticate(request, dataset)` -> Grant

A sector adds its data doors with `app(...)`. State is in memory: one process is one holder.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.assertions import Verifier
from connectors.sandbox.consents import Consents, Grant
from connectors.sandbox.lives import Person
from connectors.sandbox.refused import Refused, oauth_answer

REQUEST_TYPE = "mydata-holder-request+jwt"
NOTICE_TYPE = "mydata-consent-notice+jwt"
LINK_TYPE = "mydata-link+jwt"
CLIENT_TYPE = "client-authentication+jwt"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 300


def _now() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class HolderConfig:
    """What one sandbox holder is and whom it believes.

    `operators`: gateway operator code -> its public JWK set. `identity`: issuer -> public JWK set of the
    identity provider. `people`: whoever lives in the sandbox; those who `knows(sector)` are customers.
    `datasets`: catalogue ids served here. `page_size`: rows of a page at most.
    """

    id: str
    org_code: str
    origin: str
    sector: str
    operators: Mapping[str, Any]
    identity: Mapping[str, Any]
    people: Sequence[Person]
    datasets: tuple[str, ...]
    page_size: int = 50
    now: Callable[[], int] = _now
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))


class SandboxHolder:
    """The state and the common doors of one holder. Give it the sector's doors with `app`."""

    def __init__(self, config: HolderConfig) -> None:
        """Open with nobody linked."""
        self.config = config
        keys = {code: KeySet.import_key_set(jwks) for code, jwks in config.operators.items()}
        self._operators = Verifier(keys, config.now)
        issuers = {issuer: KeySet.import_key_set(jwks) for issuer, jwks in config.identity.items()}
        self._identity = Verifier(issuers, config.now)
        self._customers = {person.id: person for person in config.people if person.knows(config.sector)}
        self._linked: dict[tuple[str, str], Person] = {}
        self.key = ECKey.generate_key("P-256")
        self.consents = Consents(config.now, TOKEN_SECONDS, self._mint)

    def app(
        self,
        doors: Sequence[BaseRoute],
        refused: Callable[[Request, Exception], Response] = oauth_answer,
    ) -> Starlette:
        """The whole server: common doors and the sector's `doors`.

        `refused` renders a Refused of a data door in the sector's own wire format.
        """

        def answer(request: Request, error: Exception) -> Response:
            render = oauth_answer if request.url.path in _COMMON else refused
            return render(request, error)

        return Starlette(
            routes=[
                Route("/links", self._link, methods=["POST"]),
                Route("/oauth/2.0/token", self._token, methods=["POST"]),
                Route("/consent-notices", self._notice, methods=["POST"]),
                Route("/healthz", self._healthy, methods=["GET"]),
                *doors,
            ],
            exception_handlers={Refused: answer},
        )

    def authenticate(self, request: Request, *datasets: str, listing: bool = False) -> Grant:
        """The grant whose token this request carries, if it covers one of `datasets` now.

        A door that only lists what other doors refer to names every dataset it serves. Raises Refused: 401
        invalid_token (missing, unknown, expired, old version), 403 consent_withdrawn, consent_expired or
        dataset_not_granted, 404 unknown_dataset.
        """
        if any(dataset not in self.config.datasets for dataset in datasets):
            raise Refused(404, "invalid_scope", "unknown_dataset")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "invalid_token", "missing_token")
        return self.consents.check(token.strip(), datasets, listing=listing)

    def person(self, grant: Grant) -> Person:
        """The person a grant is about."""
        return self._linked[grant.operator, grant.link]

    async def _link(self, request: Request) -> Response:
        body = await _json(request)
        caller = self._operators.verify(
            body.get("client_assertion"), typ=CLIENT_TYPE, audience=self.config.origin
        )
        statement = self._identity.verify(body.get("assertion"), typ=LINK_TYPE, audience=self.config.id)
        if statement.get("azp") != caller["iss"]:
            raise Refused(403, "invalid_grant", "assertion_for_another_gateway")
        person = self._customers.get(str(statement.get("sub")))
        if person is None:
            raise Refused(404, "invalid_grant", "not_a_customer")
        link = self._opaque(f"{caller['iss']}|{person.id}")
        self._linked[caller["iss"], link] = person
        return _answer({"link": link})

    async def _token(self, request: Request) -> Response:
        try:
            pairs = parse_qsl((await request.body()).decode(), strict_parsing=True, max_num_fields=8)
        except ValueError:
            raise Refused(400, "invalid_request", "not_a_form") from None
        form = dict(pairs)
        if len(form) != len(pairs) or form.get("grant_type") != JWT_BEARER:
            raise Refused(400, "unsupported_grant_type", "grant_type")
        claims = self._operators.verify(form.get("assertion"), typ=REQUEST_TYPE, audience=self.config.origin)
        if (claims["iss"], claims.get("sub")) not in self._linked:
            raise Refused(400, "invalid_grant", "unknown_link")
        asked = claims.get("datasets")
        if not isinstance(asked, list) or not asked or any(one not in self.config.datasets for one in asked):
            raise Refused(400, "invalid_scope", "unknown_dataset")
        token, seconds = self.consents.issue(claims)
        return _answer({"access_token": token, "token_type": "Bearer", "expires_in": seconds})

    async def _notice(self, request: Request) -> Response:
        body = await _json(request)
        claims = self._operators.verify(body.get("notice"), typ=NOTICE_TYPE, audience=self.config.origin)
        self.consents.hear(claims)
        return _answer({"acknowledged": True, "at": self.config.now()})

    def _mint(self, claims: Mapping[str, Any]) -> str:
        """A token as the Korean standard has it: a JWS whose issuer is this holder's organisation code."""
        body = json.dumps({"iss": self.config.org_code, **claims})
        return jws.serialize_compact({"alg": "ES256", "typ": "at+jwt"}, body, self.key, algorithms=["ES256"])

    async def _healthy(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "holder": self.config.id, "sector": self.config.sector})

    def _opaque(self, text: str) -> str:
        return hmac.new(self.config.secret, text.encode(), hashlib.sha256).hexdigest()[:40]


_COMMON = frozenset({"/links", "/oauth/2.0/token", "/consent-notices", "/healthz"})


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise Refused(400, "invalid_request", "not_json") from None
    if not isinstance(body, dict):
        raise Refused(400, "invalid_request", "not_an_object")
    return body


def _answer(body: Mapping[str, Any]) -> Response:
    return JSONResponse(dict(body), headers={"cache-control": "no-store"})
