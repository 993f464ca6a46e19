"""The right to answer once: a ticket on the page, never in an address, never beside an answer.

Its name is a keyed digest of the consent, so that one consent gives one ticket of each kind however often the
page is opened, and nobody without the key can say which consent it is. A spent name lies among the one-time
values (`replay`) with the last day of the ticket and nothing else, and is forgotten after that day.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from consent.calendar import day_ends, korean_day_of
from gateway.awareness.answers import KINDS
from gateway.errors import Problem
from gateway.oauth.replay import OneTime

DAYS = 7
"""So many days after the day of the consent or withdrawal it may still be answered."""

PURPOSE = "questionnaire"
_SHAPE = re.compile(
    rf"({'|'.join(KINDS)})\.([0-9]{{10}})\.([A-Za-z0-9_-]{{43}})\.([A-Za-z0-9_-]{{43}})", re.ASCII
)
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that is genuine and in time: what it is about, and what spends it."""

    kind: str
    once: OneTime


class Tickets:
    """Gives tickets and reads them. Keeps nothing."""

    def __init__(self, secret: bytes) -> None:
        """Derive its keys from `secret` (32 bytes of the gateway's own)."""
        self._names = hmac.digest(secret, b"questionnaire/name", hashlib.sha256)
        self._seals = hmac.digest(secret, b"questionnaire/seal", hashlib.sha256)

    def give(self, kind: str, consent_id: str, at: int, now: int) -> str | None:
        """The ticket for what happened to a consent at `at` (epoch seconds); None once its days are over."""
        until = day_ends(korean_day_of(at)) + DAYS * _DAY
        if now >= until:
            return None
        name = hmac.digest(self._names, f"{kind}/{consent_id}".encode(), hashlib.sha256)
        told = f"{kind}.{until}.{_text(name)}"
        return f"{told}.{self._seal(told)}"

    def read(self, text: str, now: int) -> Ticket:
        """The ticket `text`. Raises Problem `questionnaire_over`: not ours, or its days are over."""
        found = _SHAPE.fullmatch(text)
        if found is None:
            raise Problem("questionnaire_over")
        told = text.rpartition(".")[0]
        if not hmac.compare_digest(self._seal(told), found[4]) or now >= int(found[2]):
            raise Problem("questionnaire_over")
        spent = hashlib.sha256(found[3].encode()).digest()
        return Ticket(found[1], OneTime(PURPOSE, spent, int(found[2]), "questionnaire_over"))

    def _seal(self, told: str) -> str:
        return _text(hmac.digest(self._seals, told.encode(), hashlib.sha256))


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
