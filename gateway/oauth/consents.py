"""A token is only as alive as its consent: what the doors read of the live row, and why it is dead."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.tables import ConsentRow

CONSENT = ConsentRow.__table__  # type: ignore[attr-defined]
COLUMNS: tuple[ColumnElement[object], ...] = (
    CONSENT.c.id.label("consent_id"),
    CONSENT.c.state.label("consent_state"),
    CONSENT.c.version.label("consent_now"),
    CONSENT.c.end_at.label("consent_end_at"),
)

_CODES = {
    "withdrawing": "consent_withdrawn",
    "withdrawn": "consent_withdrawn",
    "paused": "consent_paused",
    "expired": "consent_expired",
}


@dataclass(frozen=True, slots=True)
class LiveConsent:
    """The consent row at the moment of asking. `end_at` is epoch seconds, exclusive."""

    id: str
    state: str
    version: int
    end_at: int

    def refusal(self, now: int) -> str | None:
        """The code that says why this consent gives nothing now; None while it is in force."""
        if self.state != "active":
            return _CODES.get(self.state, "consent_not_active")
        return None if now < self.end_at else "consent_expired"


async def find_consent(session: AsyncSession, consent_id: str, *, hold: bool = False) -> LiveConsent | None:
    """The live row of one consent; with `hold` nobody else can move it until the transaction ends."""
    query = select(*COLUMNS).where(CONSENT.c.id == consent_id)
    row = (await session.execute(query.with_for_update(read=True) if hold else query)).one_or_none()
    return (
        LiveConsent(row.consent_id, row.consent_state, row.consent_now, row.consent_end_at) if row else None
    )
