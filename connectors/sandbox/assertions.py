"""Checks of the signed statements a holder receives: who signed, for whom, how fresh, never twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from connectors.sandbox.refused import Refused

ALGORITHMS = ["ES256"]
LONGEST_SECONDS = 60
LONGEST_BYTES = 8192
SKEW_SECONDS = 5


class Replays:
    """Every `jti` seen while its statement still lives. In memory: one process is one holder."""

    def __init__(self) -> None:
        """Start empty."""
        self._seen: dict[tuple[str, str], int] = {}

    def claim(self, issuer: str, jti: str, expires: int, now: int) -> bool:
        """Claim (issuer, jti) once; False the second time."""
        for key in [key for key, until in self._seen.items() if until < now]:
            del self._seen[key]
        if (issuer, jti) in self._seen:
            return False
        self._seen[issuer, jti] = expires + SKEW_SECONDS
        return True


def _bad() -> Refused:
    return Refused(401, "invalid_client", "bad_assertion")


class Verifier:
    """Verifies compact JWS statements of known issuers (ES256 only). `now` gives epoch seconds."""

    def __init__(self, keys: Mapping[str, KeySet], now: Callable[[], int]) -> None:
        """Trust `keys`: issuer -> its public keys."""
        self._keys = keys
        self._now = now
        self._replays = Replays()

    def verify(self, value: object, *, typ: str, audience: str) -> dict[str, Any]:
        """The claims of a fresh statement of type `typ` for `audience`, never seen before.

        Raises Refused(401, invalid_client) reason bad_assertion, expired_assertion, replayed_assertion.
        """
        if not isinstance(value, str) or len(value) > LONGEST_BYTES:
            raise _bad()
        try:
            signed = jws.extract_compact(value.encode())
            issuer = json.loads(signed.payload).get("iss")
            verified = jws.deserialize_compact(value, self._keys[issuer], algorithms=ALGORITHMS)
            claims = json.loads(verified.payload)
        except (JoseError, ValueError, TypeError, AttributeError, KeyError):
            raise _bad() from None
        if verified.headers().get("typ") != typ or claims.get("aud") != audience:
            raise _bad()
        self._fresh(str(issuer), claims)
        return dict(claims)

    def _fresh(self, issuer: str, claims: dict[str, Any]) -> None:
        now, jti = self._now(), claims.get("jti")
        issued, expires = claims.get("iat"), claims.get("exp")
        if type(issued) is not int or type(expires) is not int or not isinstance(jti, str) or not jti:
            raise _bad()
        if expires - issued > LONGEST_SECONDS or issued > now + SKEW_SECONDS:
            raise _bad()
        if expires <= now - SKEW_SECONDS:
            raise Refused(401, "invalid_client", "expired_assertion")
        if not self._replays.claim(issuer, jti, expires, now):
            raise Refused(401, "invalid_client", "replayed_assertion")
