"""Signed authorization responses (JARM, FAPI 2.0 Message Signing 5.4): one parameter, `response`, a JWT."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from authlib.common.urls import add_params_to_uri

from gateway.keyring import SigningKey

LIFETIME_SECONDS = 300
"""JARM 2.1 recommends ten minutes at most; the code inside lives one."""
JWT_MODES = ("jwt", "query.jwt")
"""`jwt` means `query.jwt` for response type code (JARM 2.3.4)."""
MODES = ("query", *JWT_MODES)
TYP = "JWT"


def packed(location: str, redirect_uri: str, *, signing: SigningKey, client_id: str, now: int) -> str:
    """`location`, an answer to `redirect_uri` with its parameters in the query, as a signed response.

    `code` or `error`, `state` and `iss` go into the JWT and nowhere else (JARM 2.1, RFC 9207 2.4); the
    query that belongs to the redirect URI itself stays outside.
    """
    own = len(_pairs(redirect_uri))
    claims = {**dict(_pairs(location)[own:]), "aud": client_id, "exp": now + LIFETIME_SECONDS}
    return str(add_params_to_uri(redirect_uri, [("response", signing.sign(claims, TYP))]))


def _pairs(uri: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(uri).query, keep_blank_values=True)
