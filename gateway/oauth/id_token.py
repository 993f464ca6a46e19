"""id_tokens (OpenID Connect Core 2, 3.1.3.3, 12.2): made with the code and at refresh, read back as hints.

Signed by the algorithm the client registered; never `none`, never RS256 (FAPI 2.0 5.4.1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from gateway.keyring import Signing, base64url
from gateway.oauth.clients import Client
from gateway.oauth.jws import JwsError, parse, verify
from gateway.oauth.recognition import Recognition
from gateway.oauth.refusals import OAuthRefusal

LIFETIME_SECONDS = 300
TYP = "JWT"


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Makes and reads the id_tokens of one issuer. Stateless."""

    issuer: str
    signing: Signing

    def made(
        self, client: Client, subject: str, given: Recognition, access_token: str, now: int, *, again: bool
    ) -> str:
        """The id_token for `client` about the citizen it knows as `subject`.

        `again`: at refresh, where `auth_time` stays that of the sign-in and no nonce is repeated (Core 12.2).
        """
        alg = client.id_token_signed_response_alg
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": client.id,
            "exp": now + LIFETIME_SECONDS,
            "iat": now,
            "at_hash": at_hash(access_token, alg),
            **given.claims_for("id_token"),
        }
        if given.nonce is not None and not again:
            claims["nonce"] = given.nonce
        return self.signing.signing(alg).sign(claims, TYP)

    def hinted(self, text: str, client_id: str | None = None) -> dict[str, Any]:
        """The claims of an id_token of ours, also an expired one, to `client_id` if one is named.

        Raises OAuthRefusal `invalid_request` (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 2).
        """
        try:
            jws = parse(text)
        except JwsError as error:
            raise _refused() from error
        key = self.signing.public(str(jws.header.get("kid")))
        if key is None or jws.header.get("typ") != TYP or not verify(jws, key):
            raise _refused()
        claims = jws.claims
        # A signed authorization response has no sub, a signed userinfo answer no exp.
        if claims.get("iss") != self.issuer or not {"sub", "aud", "exp", "iat"} <= claims.keys():
            raise _refused()
        if client_id is not None and claims["aud"] != client_id:
            raise _refused()
        return claims


def at_hash(access_token: str, alg: str) -> str:
    """The left half of the token's hash, by the hash of the signature algorithm (Core 3.1.3.6)."""
    sha = hashlib.sha512 if alg in ("EdDSA", "Ed25519") else hashlib.sha256
    digest = sha(access_token.encode("ascii")).digest()
    return base64url(digest[: len(digest) // 2])


def _refused() -> OAuthRefusal:
    return OAuthRefusal("invalid_request", what="id_token_hint must be an id_token issued to this client")
