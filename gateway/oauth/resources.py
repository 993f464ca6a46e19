"""The protected resources this server makes tokens for, and which one a token is for (RFC 8707, RFC 9728).

A token opens the resources in its `aud` and no other. Who asks for one resource gets a token for it alone;
without asking, a token is for every resource its grant is for. Several `resource` values travel here as one
text, separated by spaces, which no URI holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.oauth.openid_request import MANAGING, OPENID
from gateway.oauth.refusals import OAuthRefusal

COMPANY = "company"
"""The scope of a client's own doors, without any citizen."""
COMPANY_SCOPES = (COMPANY, *MANAGING)
"""Scopes of client_credentials."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The identifiers of the protected resources, each an address of the gateway."""

    data: str
    userinfo: str
    grants: str

    @classmethod
    def of(cls, issuer: str, data: str) -> Resources:
        """Those of one issuer, its data doors being `data`."""
        return cls(data, f"{issuer}/userinfo", f"{issuer}/grants")

    def owns(self, claims: Mapping[str, Any]) -> bool:
        """Whether an access token is for any of them."""
        return any(for_resource(claims, one) for one in (self.data, self.userinfo, self.grants))

    def asked_for(self, text: str | None, scope: str) -> str:
        """What an authorization request may be for. Raises OAuthRefusal `resource_unknown`."""
        return " ".join(_within(text, self._usual(scope)))

    def of_grant(self, granted: str, scope: str, text: str | None) -> str | list[str]:
        """The audience of a token of a grant for the resources `granted`. Raises `resource_unknown`."""
        allowed = [one for one in granted.split() or self._usual(scope) if one in self._usual(scope)]
        asked = _within(text, allowed)
        if len(asked) > 1:
            raise OAuthRefusal("resource_unknown", what="a token is for one resource; ask once for each")
        if not allowed:
            raise OAuthRefusal("resource_unknown", what="the grant is for none that this scope opens")
        found = asked or allowed
        return found[0] if len(found) == 1 else found

    def of_company(self, scope: str, text: str | None) -> str:
        """The audience of a token of a client for itself. Raises OAuthRefusal `resource_unknown`."""
        found = {self.data if name == COMPANY else self.grants for name in scope.split()}
        if len(found) != 1:
            raise OAuthRefusal("resource_unknown", what="these scopes are of two resources; ask for each")
        return (_within(text, found) or list(found))[0]

    def _usual(self, scope: str) -> list[str]:
        names = set(scope.split())
        userinfo = [self.userinfo] if OPENID in names else []
        return [self.data, *userinfo, *([self.grants] if names & set(MANAGING) else [])]


def for_resource(claims: Mapping[str, Any], resource: str) -> bool:
    """Whether the access token with these claims is for `resource`."""
    aud = claims.get("aud")
    return aud == resource or (isinstance(aud, list) and resource in aud)


def _within(text: str | None, allowed: Iterable[str]) -> list[str]:
    """The resources in `text`, all of them allowed; none where nothing was said."""
    names, known = list(dict.fromkeys((text or "").split())), set(allowed)
    if not set(names) <= known or (text and not names):
        raise OAuthRefusal("resource_unknown", what="it is not a resource of this gateway for this scope")
    return names
