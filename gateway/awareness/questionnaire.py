"""Taking a questionnaire: the ticket is spent in one transaction, the answers go another way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consent.clock import Clock
from gateway.awareness.answers import Box
from gateway.awareness.ticket import Tickets
from gateway.database import Database
from gateway.oauth import replay


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """What the pages need to ask and to take answers."""

    tickets: Tickets
    box: Box

    @classmethod
    def of(cls, database: Database, secret: bytes, clock: Clock) -> Questionnaire:
        """The questionnaire of one process."""
        return cls(Tickets(secret), Box(database, clock))

    async def take(self, database: Database, ticket: str, answers: Mapping[str, str], now: int) -> bool:
        """Count `answers` once; False if the ticket was used before. Raises Problem `questionnaire_over`.

        Spending commits first and alone: the store never sees the ticket and an answer in one transaction.
        """
        read = self.tickets.read(ticket, now)
        async with database.transaction() as session:
            fresh = await replay.spend(session, read.once)
        if fresh:
            await self.box.drop(read.kind, answers)
        return fresh
