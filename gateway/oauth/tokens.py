"""Access tokens: ES256 `at+jwt` (RFC 9068), bound to a key or certificate, short, naming their consent."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.keyring import PublicKey, Signing
from gateway.oauth.clients import Client
from gateway.oauth.grants import Grant
from gateway.oauth.jws import JwsError, parse, verify
from gateway.oauth.pairwise import pairwise_subject
from gateway.oauth.resources import Resources

LIFETIME_SECONDS = 600
TYP = "at+jwt"
VERDICTS = 4096
"""Verified signatures remembered by the hash of their token."""


def new_secret() -> str:
    """A code, token or identifier: 256 random bits as text (FAPI 2.0 5.4.1 asks for 128)."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Minted:
    """A signed access token, how long it lives, and the name it has in the ledger."""

    token: str = field(repr=False)
    expires_in: int
    jti: str


class Minter:
    """Makes access tokens for one issuer. Keeps verdicts only; `audience` names the data doors (RFC 8707)."""

    def __init__(self, issuer: str, audience: str, signing: Signing, pairwise: bytes) -> None:
        """Sign with `signing`; name citizens to clients with the `pairwise` secret."""
        self.issuer = issuer
        self.audience = audience
        self.resources = Resources.of(issuer, audience)
        self.signing = signing
        self._pairwise = pairwise
        self._verified: OrderedDict[bytes, tuple[str, PublicKey, dict[str, Any]]] = OrderedDict()

    def for_grant(
        self, client: Client, grant: Grant, cnf: dict[str, str], now: int, *, resource: str | None = None
    ) -> Minted:
        """A token for what `grant` allows at `resource`, never outliving its consent."""
        claims = {
            "aud": self.resources.of_grant(grant.resources, grant.scope, resource),
            "sub": self.subject(client, grant.subject_id),
            "grant_id": grant.id,
            "grant_generation": grant.generation,
            "consent_version": grant.consent_version,
            "authorization_details": grant.details,
        }
        if grant.scope:
            claims["scope"] = grant.scope
        return self._mint(client, cnf, now, min(now + LIFETIME_SECONDS, grant.consent.end_at), claims)

    def for_company(
        self, client: Client, scope: str, cnf: dict[str, str], now: int, *, resource: str | None = None
    ) -> Minted:
        """A token without a citizen: it opens the client's own doors only."""
        aud = self.resources.of_company(scope, resource)
        claims = {"aud": aud, "sub": client.id, "scope": scope}
        return self._mint(client, cnf, now, now + LIFETIME_SECONDS, claims)

    def subject(self, client: Client, subject_id: str) -> str:
        """The pairwise `sub` of the citizen for this client and whoever shares its sector (Core 8.1)."""
        return pairwise_subject(self._pairwise, client.openid.sector, subject_id)

    def _mint(
        self, client: Client, cnf: dict[str, str], now: int, exp: int, claims: dict[str, Any]
    ) -> Minted:
        jti = new_secret()
        standard = {
            "iss": self.issuer,
            "client_id": client.id,
            "iat": now,
            "exp": exp,
            "jti": jti,
            "cnf": cnf,
        }
        return Minted(self.signing.sign({**standard, **claims}, TYP), exp - now, jti)

    def read(self, token: str, now: int) -> dict[str, Any] | None:
        """The claims of one of our own unexpired access tokens, else None. Says nothing about its consent."""
        claims = self._signed(token)
        ours = claims is not None and claims.get("iss") == self.issuer and self.resources.owns(claims)
        return claims if claims is not None and ours and claims["exp"] > now else None

    def _signed(self, token: str) -> dict[str, Any] | None:
        """The claims of a token one of our published keys has signed.

        A token comes many times in its life: the verdict on its signature, and that alone, is kept while the
        key is published.
        """
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        if (kept := self._verified.get(name)) is not None and self.signing.public(kept[0]) is kept[1]:
            return dict(kept[2])
        try:
            jws = parse(token)
        except JwsError:
            return None
        kid = str(jws.header.get("kid"))
        key = self.signing.public(kid)
        if key is None or jws.header.get("typ") != TYP or not verify(jws, key):
            return None
        self._verified[name] = kid, key, jws.claims
        if len(self._verified) > VERDICTS:
            self._verified.popitem(last=False)
        return dict(jws.claims)


def token_type(cnf: Mapping[str, str]) -> str:
    """How a token bound so is presented: with a proof of its key, or on a connection of its certificate."""
    return "DPoP" if "jkt" in cnf else "Bearer"


def jti_hash(jti: str) -> bytes:
    """Under what a revoked access token is remembered."""
    return hashlib.sha256(jti.encode()).digest()
