"""What the authorization server says in the ledger, and how often it repeats a refusal there."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal, Said
from consent.subjects import SubjectId
from gateway.oauth.clients import Client
from gateway.oauth.exchange import Write
from gateway.oauth.grants import Grant
from gateway.oauth.tokens import Minted, jti_hash
from gateway.oauth.unit import Tell

REFUSALS_PER_MINUTE = 10


class RefusalBound:
    """At most `REFUSALS_PER_MINUTE` refusals of a client a minute are entered; the rest is counted."""

    def __init__(self) -> None:
        """Start with nothing entered."""
        self._minute = 0
        self._told: Counter[str] = Counter()
        self.uncounted: Counter[str] = Counter()

    def full(self, name: str, at: int) -> bool:
        """Whether the next refusal under this name would not be entered any more."""
        return at // 60 == self._minute and self._told[name] >= REFUSALS_PER_MINUTE

    def enter(self, client_id: str, code: str, at: int) -> bool:
        """Whether this refusal is entered."""
        if at // 60 != self._minute:
            self._minute, self._told = at // 60, Counter()
        self._told[client_id] += 1
        if self._told[client_id] <= REFUSALS_PER_MINUTE:
            return True
        self.uncounted[code] += 1
        return False


class Record:
    """Ledger entries of the OAuth doors, each in the transaction of what it tells.

    Refusals are entered only for authenticated clients, at most `REFUSALS_PER_MINUTE` a client and process;
    the rest is counted in `uncounted` by code, for the hourly summary and the metrics.
    """

    def __init__(self, journal: Journal) -> None:
        """Write through `journal`."""
        self.journal = journal
        self._bound = RefusalBound()

    @property
    def uncounted(self) -> Counter[str]:
        """How many refusals were not entered, by code."""
        return self._bound.uncounted

    @property
    def bound(self) -> RefusalBound:
        """What decides which refusals are entered, and counts the others."""
        return self._bound

    def issued(self, client: Client, grant: Grant | None, minted: Minted, *, at: int) -> Write:
        """The write that tells of an access token, by the hash of its jti."""
        payload: dict[str, Any] = {"token": jti_hash(minted.jti).hex(), "expires_in": minted.expires_in}
        if grant is not None:
            payload |= {"grant": grant.id, "consent": grant.consent_id, "version": grant.consent_version}
        subject = SubjectId(grant.subject_id) if grant else None
        return Tell(self.journal, Said(Event.TOKEN_ACCESS_ISSUED, subject, client.id, payload, at))

    def pushed(self, client: Client, payload: dict[str, Any], *, at: int) -> Write:
        """The write that tells of a pushed authorization request."""
        event = Event.OAUTH_AUTHORIZATION_PUSHED

        async def tell(session: AsyncSession) -> None:
            await self.journal.append(session, event, subject=None, party=client.id, payload=payload, at=at)

        return tell

    def revoked(self, grant: Grant, why: str, *, at: int) -> Write:
        """The write that tells of a grant's end by a party (its consent stays)."""
        subject, payload = SubjectId(grant.subject_id), {"grant": grant.id, "why": why}

        async def tell(session: AsyncSession) -> None:
            event = Event.TOKEN_REFRESH_REVOKED
            await self.journal.append(
                session, event, subject=subject, party=grant.client_id, payload=payload, at=at
            )

        return tell

    async def refused(self, session: AsyncSession, event: Event, client: Client, code: str, at: int) -> None:
        """Tell of a refusal after authentication, within the bound."""
        if not self._bound.enter(client.id, code, at):
            return
        await self.journal.append(
            session, event, subject=None, party=client.id, payload={"code": code}, at=at
        )
