"""The receipt of a grant, made when asked for: with the proof that the grant stands in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from consent import receipts, repository
from consent.calendar import korean_day
from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal, payload_context
from consent.ledger_tables import ENTRY, PAYLOAD
from consent.parties import ClientInfo, HolderInfo
from consent.receipts import Evidence, Facts
from consent.records import Consent, State
from consent.text import Wording
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.oauth import clients

WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Receipts:
    """Makes receipts. A receipt of the same version says the same, with the newest checkpoint."""

    issuer: str
    database: Database
    journal: Journal
    log: Log
    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    sign: Callable[[dict[str, Any], str], str]
    clock: Clock

    async def of(self, consent: Consent) -> bytes:
        """The signed receipt of the newest version of `consent` that was in force, as a compact JWS.

        Raises Problem `not_found` when it never was in force, `ledger_timeout` while the log lags. MUST NOT
        be called inside a transaction.
        """
        granted = await self._granted(consent)
        evidence = await self._evidence(granted)
        client = await self._client(granted.client_id)
        facts = Facts(
            id=f"r-{granted.id}-{granted.version}",
            issuer=self.issuer,
            issued_at=self.clock(),
            consent=granted,
            wording=Wording(self.catalogue, self.holders, client, granted.language, korean_day(self.clock())),
            review_url=f"{self.issuer}/my/consents/{granted.id}",
            evidence=evidence,
        )
        receipt = await asyncio.to_thread(receipts.sign, receipts.build(facts), self.sign)
        await self._issued(granted, receipts.digest(receipt))
        return receipt

    async def _granted(self, consent: Consent) -> Consent:
        async with self.database.reading() as session:
            history = await repository.history(session, consent.id)
        in_force = [one for one in history if one.state is State.ACTIVE]
        if not in_force:
            raise Problem("not_found")
        return in_force[-1]

    async def _evidence(self, consent: Consent) -> Evidence:
        idem = f"consent:{consent.id}:{consent.version}"
        index = await self.log.wait_integrated(idem, WAIT_SECONDS)
        proof = await self.log.inclusion(index)
        joined = PAYLOAD.join(ENTRY, ENTRY.c.outbox_id == PAYLOAD.c.outbox_id)
        query = select(PAYLOAD.c.n, PAYLOAD.c.body, ENTRY.c.entry).select_from(joined)
        async with self.database.reading() as session:
            row = (await session.execute(query.where(PAYLOAD.c.idem == idem))).one()
            key = await self.journal.keys.key(session, consent.subject)
        return Evidence(
            entry=row.entry,
            index=proof.index,
            path=tuple(proof.path),
            checkpoint=proof.checkpoint,
            payload=key.unseal(row.body, payload_context(consent.subject, row.n)),
            salt=key.salt(row.n),
        )

    async def _client(self, client_id: str) -> ClientInfo:
        async with self.database.reading() as session:
            client = await clients.find(session, client_id)
        if client is None:
            raise Problem("not_found")
        return clients.info(client)

    async def _issued(self, consent: Consent, digest: str) -> None:
        """Say in the ledger that a receipt was given. Reading is never blocked: no store, no entry."""
        with suppress(Problem):
            async with self.database.transaction() as session:
                await self.journal.append(
                    session,
                    Event.RECEIPT_GRANT_ISSUED,
                    subject=consent.subject,
                    party=consent.client_id,
                    payload={"consent": consent.id, "version": consent.version, "receipt": digest},
                    at=int(self.clock().timestamp()),
                    idem=f"{Event.RECEIPT_GRANT_ISSUED.value}/{consent.id}/{consent.version}",
                )


def hook(made: Receipts) -> Callable[[Consent], Any]:
    """The receipt as the citizen's pages ask for it: None while the log lags behind the grant."""

    async def receipt(consent: Consent) -> bytes | None:
        try:
            return await made.of(consent)
        except Problem as problem:
            if problem.code == "ledger_timeout":
                return None
            raise

    return receipt
