"""Registered clients: what they registered, checked once, and the repository that keeps them.

A document is one JSON object (`mydata client add FILE`):

    {"client_id": "deundeun-budget", "name": {"ko": "든든가계부", "en": "Deundeun Budget"},
     "legal_name": "주식회사 든든", "registration": "123-45-67890", "contact": "privacy@deundeun.example",
     "redirect_uris": ["https://deundeun.example/callback"],
     "kinds": {"finance": "licensed_operator", "telecom": "general"},
     "jwks": {"keys": [{... "use": "sig"}, {"kty": "OKP", "crv": "X25519", "use": "enc", ...}]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.parties import ClientInfo
from gateway.keyring import DEFAULT
from gateway.oauth.client_document import (
    GRANT_TYPES,
    RESPONSE_ALGS,
    ClientDocumentError,
    checked,
    encryption_key,
    signing_keys,
)
from gateway.oauth.client_openid import OpenIdClient, openid_of
from gateway.oauth.jws import Jws, PublicKey, verify
from gateway.oauth.tables import ClientRow
from gateway.oauth.tls_client import BY_NAME, PRIVATE_KEY_JWT, Subject, subject_of

__all__ = [
    "GRANT_TYPES",
    "Client",
    "ClientDocumentError",
    "add",
    "document_of",
    "every",
    "find",
    "of_row",
    "parse_client",
    "resume",
    "store",
    "suspend",
]

SCOPES = frozenset({"company"})
"""`company`: a client's own doors, without any citizen (client_credentials)."""

_TABLE = ClientRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One public signing key of a client. `alg` narrows it when the client said so."""

    kid: str | None
    alg: str | None
    key: PublicKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):  # type: ignore[misc]
    """A confidential client as the doors see it. Immutable."""

    id: str
    name: Mapping[str, str]
    contact: str
    legal_name: str
    registration: str
    country: str
    redirect_uris: tuple[str, ...]
    kinds: Mapping[str, str]
    keys: tuple[ClientKey, ...]
    encryption_key: Mapping[str, str]
    grant_types: tuple[str, ...]
    openid: OpenIdClient
    require_signed_request_object: bool = False
    active: bool = True
    auth_method: str = PRIVATE_KEY_JWT
    tls_subject: Subject | None = None
    certificate_bound: bool = False
    """Whether its tokens are bound to its certificate (RFC 8705 3) instead of a DPoP key."""
    authorization_signed_response_alg: str = DEFAULT
    introspection_signed_response_alg: str = DEFAULT
    id_token_signed_response_alg: str = DEFAULT
    jwks_uri: str | None = None
    """Where it publishes its keys, if it does; `keys` are those read last (`client_keys_refresh`)."""

    def lacks(self, jws: Jws) -> bool:
        """Whether the key this names may be one published since its keys were read last."""
        kid = jws.header.get("kid")
        if self.jwks_uri is None or not isinstance(kid, str):
            return False
        return kid not in {key.kid for key in self.keys}

    def signed(self, jws: Jws) -> bool:
        """Whether a registered key of this client, the one named by `kid` if any, made the signature."""
        kid, alg = jws.header.get("kid"), jws.header.get("alg")
        fitting = (key.key for key in self.keys if kid in (None, key.kid) and key.alg in (None, alg))
        return any(verify(jws, key) for key in fitting)

    # What Authlib's grants ask of a client (`authlib.oauth2.rfc6749.ClientMixin`).
    def get_client_id(self) -> str:
        """The client identifier."""
        return self.id

    def get_default_redirect_uri(self) -> None:
        """None: redirect_uri is always required (FAPI 2.0 5.3.2.2-6)."""
        return

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scopes of an authorization request; data is asked for by authorization_details, so none."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether exactly this address is registered."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:  # noqa: ARG002
        """False: no client has a secret (FAPI 2.0 5.3.2.1-6)."""
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Whether the client registered this method; it may use no other."""
        return method == self.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Only `code` (FAPI 2.0 5.3.2.2-1)."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client registered this grant type."""
        return grant_type in self.grant_types


def parse_client(document: Mapping[str, Any], *, active: bool = True) -> Client:
    """The client a document describes. Raises ClientDocumentError naming what is wrong."""
    values = checked(document)
    method = values["token_endpoint_auth_method"]
    jwks, published = values["jwks"], "jwks_uri" in values
    signing = signing_keys(jwks, needed=method != BY_NAME and not published, twice=published)
    return Client(
        id=values["client_id"],
        name=values["name"],
        contact=values["contact"],
        legal_name=values["legal_name"],
        registration=values["registration"],
        country=values["country"],
        redirect_uris=tuple(values["redirect_uris"]),
        kinds=values["kinds"],
        keys=tuple(ClientKey(kid, alg, key) for kid, alg, key in signing),
        encryption_key=encryption_key(jwks) if jwks["keys"] or not published else {},
        jwks_uri=values.get("jwks_uri"),
        grant_types=tuple(values["grant_types"]),
        require_signed_request_object=values["require_signed_request_object"],
        active=active,
        auth_method=method,
        tls_subject=subject_of(values),
        certificate_bound=values["tls_client_certificate_bound_access_tokens"],
        **{name: values[name] for name in RESPONSE_ALGS},
        openid=openid_of(values),
    )


def info(
    client: Client, purposes: frozenset[str] = frozenset(), holders: frozenset[str] | None = None
) -> ClientInfo:
    """The client as texts, pages and the reading of its requests need it (PIPA 17(2)1)."""
    return ClientInfo(
        id=client.id,
        purposes=purposes,
        holders=holders,
        name=client.name,
        legal_name=client.legal_name,
        registration=client.registration,
        contact=client.contact,
    )


@lru_cache(maxsize=4096)
def _parsed(document: str, active: bool) -> Client:
    # The text itself is the key, so a changed registration is never served from before.
    return parse_client(orjson.loads(document), active=active)


def of_row(document: str, status: str) -> Client:
    """The client of a stored row; parsed once per text."""
    return _parsed(document, status == "active")


async def find(session: AsyncSession, client_id: str) -> Client | None:
    """The client registered as `client_id`, suspended or not."""
    row = (
        await session.execute(select(_TABLE.c.document, _TABLE.c.status).where(_TABLE.c.id == client_id))
    ).one_or_none()
    return of_row(row.document, row.status) if row else None


async def document_of(session: AsyncSession, client_id: str) -> dict[str, Any] | None:
    """What is stored as the registration of `client_id`, fetched keys included."""
    query = select(_TABLE.c.document).where(_TABLE.c.id == client_id)
    row = (await session.execute(query)).one_or_none()
    return orjson.loads(row.document) if row else None


async def store(session: AsyncSession, document: Mapping[str, Any], *, at: int) -> Client:
    """Put `document` in the place of what its client registered, or raise ClientDocumentError."""
    client = parse_client(document)
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    change = update(_TABLE).where(_TABLE.c.id == client.id).values(document=text, updated_at=at)
    await session.execute(change)
    return client


async def every(session: AsyncSession) -> list[Client]:
    """Every registered client, by id."""
    rows = await session.execute(select(_TABLE.c.document, _TABLE.c.status).order_by(_TABLE.c.id))
    return [of_row(row.document, row.status) for row in rows]


async def add(session: AsyncSession, document: Mapping[str, Any], *, at: int) -> Client:
    """Register a client. Raises ClientDocumentError, also when the id is taken; then nothing changes."""
    client = parse_client(document)
    if await find(session, client.id):
        raise ClientDocumentError("client_exists", f"{client.id} is already registered")
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    await session.execute(
        insert(_TABLE).values(id=client.id, document=text, status="active", created_at=at, updated_at=at)
    )
    return client


async def suspend(session: AsyncSession, client_id: str, *, at: int) -> bool:
    """Stop a client at once: its live tokens too, since every door reads this row. False if unknown."""
    return await _set_status(session, client_id, "suspended", at)


async def resume(session: AsyncSession, client_id: str, *, at: int) -> bool:
    """Lift a suspension: what did not end meanwhile opens doors again. False if unknown."""
    return await _set_status(session, client_id, "active", at)


async def _set_status(session: AsyncSession, client_id: str, status: str, at: int) -> bool:
    change = update(_TABLE).where(_TABLE.c.id == client_id).values(status=status, updated_at=at)
    return (await session.execute(change.returning(_TABLE.c.id))).one_or_none() is not None
