"""What a sandbox holder remembers of each consent: whose it is, which version, whether it still stands."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.refused import Refused

LONGEST_LISTING_SECONDS = 7 * 86_400
"""A request for the list of accounts (request type 0) ends within a week."""
EVENTS = frozenset({"withdrawn", "narrowed", "paused", "resumed", "renewed", "expired"})
"""What a notice may say became of a consent."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one holder token allows: one person (through `link`), one consent version, some datasets."""

    operator: str
    link: str
    consent_id: str
    consent_version: int
    datasets: frozenset[str]
    expires: int
    listing: bool = False
    """Request type 0: the lists of accounts may be read, and nothing in them."""


@dataclass(slots=True)
class _Consent:
    link: str = ""
    version: int = 0
    end: int = 0
    withdrawn: bool = False
    paused: bool = False


class Consents:
    """Consents by (operator, id) and the tokens issued under them. `now` gives epoch seconds."""

    def __init__(
        self, now: Callable[[], int], token_seconds: int, mint: Callable[[Mapping[str, Any]], str]
    ) -> None:
        """Start with none; `mint` signs the claims of a token."""
        self._now = now
        self._mint = mint
        self._token_seconds = token_seconds
        self._consents: dict[tuple[str, str], _Consent] = {}
        self._grants: dict[bytes, Grant] = {}

    def issue(self, claims: Mapping[str, Any]) -> tuple[str, int]:
        """A token for a verified request, and its seconds; never past the consent's end.

        Raises Refused(400, invalid_grant): malformed_consent, consent_withdrawn, consent_expired,
        consent_paused (told so, and asked under no later version), old_version, or
        another_persons_consent when the consent was first used with another link.
        """
        consent_id, version, end = (claims.get(f"consent_{name}") for name in ("id", "version", "end"))
        if not isinstance(consent_id, str) or type(version) is not int or type(end) is not int:
            raise Refused(400, "invalid_grant", "malformed_consent")
        listing = claims.get("request_type", 1) == 0
        if listing and end > self._now() + LONGEST_LISTING_SECONDS:
            raise Refused(400, "invalid_grant", "list_request_too_long")
        operator, link = str(claims["iss"]), str(claims["sub"])
        consent = self._consents.get((operator, consent_id), _Consent())
        if consent.link and consent.link != link:
            raise Refused(403, "invalid_grant", "another_persons_consent")
        if consent.withdrawn:
            raise Refused(400, "invalid_grant", "consent_withdrawn")
        if end <= self._now():
            raise Refused(400, "invalid_grant", "consent_expired")
        if version < consent.version:
            raise Refused(400, "invalid_grant", "old_version")
        if consent.paused and version == consent.version:
            raise Refused(400, "invalid_grant", "consent_paused")
        consent.link, consent.version, consent.end = link, version, end
        consent.paused = False
        self._consents[operator, consent_id] = consent
        seconds = min(self._token_seconds, end - self._now())
        datasets = frozenset(claims["datasets"])
        token = self._mint(
            {
                "aud": operator,
                "jti": secrets.token_urlsafe(16),
                "exp": self._now() + seconds,
                "scope": " ".join(sorted(datasets)),
            }
        )
        self._grants[_digest(token)] = Grant(
            operator, link, consent_id, version, datasets, self._now() + seconds, listing
        )
        return token, seconds

    def check(self, token: str, datasets: Sequence[str], *, listing: bool = False) -> Grant:
        """The grant of a living token that covers one of `datasets`; raises Refused.

        A token for lists opens only the doors that say they are `listing`.
        """
        grant = self._grants.get(_digest(token))
        if grant is None or grant.expires <= self._now():
            raise Refused(401, "invalid_token", "unknown_or_expired_token")
        consent = self._consents[grant.operator, grant.consent_id]
        if consent.withdrawn:
            raise Refused(403, "access_denied", "consent_withdrawn")
        if consent.end <= self._now():
            raise Refused(403, "access_denied", "consent_expired")
        if consent.paused:
            raise Refused(403, "access_denied", "consent_paused")
        if grant.consent_version < consent.version:
            raise Refused(401, "invalid_token", "old_version")
        if grant.datasets.isdisjoint(datasets):
            raise Refused(403, "insufficient_scope", "dataset_not_granted")
        if grant.listing and not listing:
            raise Refused(403, "insufficient_scope", "list_only")
        return grant

    def hear(self, claims: Mapping[str, Any]) -> None:
        """Take note of a verified consent notice. Hearing it twice, or late, changes nothing more."""
        consent_id, version, event = claims.get("consent_id"), claims.get("version"), claims.get("event")
        if not isinstance(consent_id, str) or type(version) is not int:
            raise Refused(400, "invalid_request", "malformed_notice")
        if event not in EVENTS:
            raise Refused(400, "invalid_request", "unknown_event")
        consent = self._consents.setdefault((str(claims["iss"]), consent_id), _Consent())
        if version >= consent.version:
            consent.paused = event == "paused"
        consent.version = max(consent.version, version)
        consent.withdrawn = consent.withdrawn or event in ("withdrawn", "expired")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
