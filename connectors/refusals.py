"""What a holder's refusal means: from its HTTP status and, where it sends one, its OAuth error body."""

from __future__ import annotations

from datetime import datetime

import msgspec

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.http import Answer
from connectors.retry import retry_after

_BY_WORD = {
    "consent_withdrawn": Reason.REVOKED,
    "consent_expired": Reason.REVOKED,
    "consent_paused": Reason.REVOKED,
    "unknown_link": Reason.NO_LINK,
    "not_a_customer": Reason.NO_LINK,
    "unknown_dataset": Reason.UNKNOWN_DATASET,
    "invalid_scope": Reason.UNKNOWN_DATASET,
    "invalid_grant": Reason.DENIED,
    "invalid_client": Reason.DENIED,
    "access_denied": Reason.DENIED,
}


class _Body(msgspec.Struct):
    error: str = ""
    reason: str = ""


def refusal(answer: Answer, now: datetime) -> HolderError | None:
    """The error an answer stands for; None for a 2xx. Nothing the holder wrote is repeated in it."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if status == 429:
        return HolderError(Reason.THROTTLED, "too many requests (429)", retry_after=asked_wait(answer, now))
    if status >= 500:
        return HolderError(
            Reason.HOLDER_DOWN, f"the holder failed ({status})", retry_after=asked_wait(answer, now)
        )
    if 300 <= status < 400:
        return HolderError(Reason.FOREIGN_NEXT, f"the holder redirects ({status}); never followed")
    if status == 410:
        return HolderError(Reason.CURSOR_EXPIRED, "the page is no longer there (410)")
    usual = Reason.DENIED if status in (401, 403, 404) else Reason.CONTRACT
    return HolderError(_named(answer.body) or usual, f"the holder refused ({status})")


def asked_wait(answer: Answer, now: datetime) -> float | None:
    """Seconds the holder asked us to stay away, if it did."""
    return retry_after(answer.headers.get("retry-after"), now)


def _named(body: bytes) -> Reason | None:
    try:
        read = msgspec.json.decode(body[:4096], type=_Body)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return _BY_WORD.get(read.reason) or _BY_WORD.get(read.error)
