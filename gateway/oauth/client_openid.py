"""What a client registers about OpenID Connect: its sector, its userinfo, where to go after a sign-out.

OpenID Registration 2, Core 8.1, RP-Initiated Logout 3.1. Subjects are pairwise and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway.keyring import ALGORITHMS

MEMBERS = frozenset(
    {"subject_type", "sector_identifier_uri", "userinfo_signed_response_alg", "post_logout_redirect_uris"}
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST = 20


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """`sector` names those who know a citizen by the same `sub`; `userinfo_alg` None means plain JSON."""

    sector: str
    sector_identifier_uri: str | None = None
    userinfo_alg: str | None = None
    post_logout_redirect_uris: tuple[str, ...] = ()


def wrong_openid(values: Mapping[str, Any], is_address: Callable[[object], bool]) -> str | None:
    """What is wrong with these members, in words; None if nothing is. `is_address` judges redirect URIs."""
    if values.get("subject_type", "pairwise") != "pairwise":
        return "subject_type must be pairwise"
    if values.get("userinfo_signed_response_alg", ALGORITHMS[0]) not in ALGORITHMS:
        return f"userinfo_signed_response_alg must be one of {', '.join(ALGORITHMS)}"
    after = values.get("post_logout_redirect_uris", [])
    if not isinstance(after, list) or len(after) > _MOST or not all(is_address(uri) for uri in after):
        return "post_logout_redirect_uris must be a list of https addresses"
    if "sector_identifier_uri" in values:
        uri = values["sector_identifier_uri"]
        fine = is_address(uri) and str(uri).startswith("https://")
        return None if fine else "sector_identifier_uri must be an https address"
    if len(_hosts(values)) > 1:
        return "redirect_uris of several hosts need a sector_identifier_uri"
    return None


def openid_of(values: Mapping[str, Any]) -> OpenIdClient:
    """The members of a document that `wrong_openid` found nothing wrong with."""
    uri = values.get("sector_identifier_uri")
    return OpenIdClient(
        sector=_sector(values),
        sector_identifier_uri=uri,
        userinfo_alg=values.get("userinfo_signed_response_alg"),
        post_logout_redirect_uris=tuple(values.get("post_logout_redirect_uris", ())),
    )


def _sector(values: Mapping[str, Any]) -> str:
    """The host of sector_identifier_uri, else of the redirect URIs (Core 8.1).

    Loopback is a host of everybody's own machine, so native clients are never of one sector by it.
    """
    if "sector_identifier_uri" in values:
        return str(urlsplit(values["sector_identifier_uri"]).hostname)
    (host,) = _hosts(values)
    return f"client {values['client_id']}" if host in _LOOPBACK else host


def _hosts(values: Mapping[str, Any]) -> set[str]:
    return {str(urlsplit(uri).hostname) for uri in values["redirect_uris"]}
