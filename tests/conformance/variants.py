"""The certification profiles the official modules run in: what the suite's plans are run with."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal


@dataclass(frozen=True)
class Variant:
    """One profile. The other parameters never change: plain_fapi, rar."""

    client_auth_type: Literal["private_key_jwt", "mtls"] = "private_key_jwt"
    sender_constrain: Literal["dpop", "mtls"] = "dpop"
    fapi_request_method: Literal["unsigned", "signed_non_repudiation"] = "unsigned"
    fapi_response_mode: Literal["plain_response", "jarm"] = "plain_response"
    openid: Literal["plain_oauth", "openid_connect"] = "plain_oauth"
    grant_management: Literal["disabled", "enabled"] = "disabled"

    @property
    def id(self) -> str:
        """Its values, as they stand in the id of a test."""
        return "+".join(astuple(self))

    @property
    def shows_certificate(self) -> bool:
        """Whether the client calls by mutual TLS."""
        return "mtls" in (self.client_auth_type, self.sender_constrain)

    @property
    def signs(self) -> bool:
        """Whether requests are signed."""
        return self.fapi_request_method == "signed_non_repudiation"

    @property
    def signed_answers(self) -> bool:
        """Whether authorization responses are to be signed."""
        return self.fapi_response_mode == "jarm"

    @property
    def recognises(self) -> bool:
        """Whether the client asks for the scope openid and gets an id_token."""
        return self.openid == "openid_connect"

    @property
    def token_type(self) -> str:
        """The scheme of its access tokens, in lower case."""
        return "dpop" if self.sender_constrain == "dpop" else "bearer"

    def fits(self, only: dict[str, str]) -> bool:
        """Whether a module that exists for these values only runs in this profile."""
        own = self.grant_management == "disabled" or "grant_management" in only
        return own and all(getattr(self, name) == value for name, value in only.items())


LOOKS_AT_TLS = {"happy-flow", "ensure-holder-of-key-required", "refresh-token"}
"""Modules in which certificates are shown and left out; theirs travel in real handshakes, with nginx."""
BASE = Variant()
VARIANTS = (
    BASE,
    Variant("private_key_jwt", "mtls"),
    Variant("mtls", "dpop"),
    Variant("mtls", "mtls"),
    Variant(fapi_request_method="signed_non_repudiation"),
    Variant(fapi_response_mode="jarm"),
    Variant("mtls", "mtls", "signed_non_repudiation", "jarm"),
    Variant(openid="openid_connect"),
    Variant(grant_management="enabled"),
)
"""The four profiles of the Security Profile plan, then Message Signing: JAR, JARM, both with certificates;
then OpenID Connect; then Grant Management, in which only its own modules run."""
