"""The receipts of a consent, each made when asked for: with the proof that its event stands in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from consent import receipt_kinds, receipts, repository
from consent.calendar import korean_day
from consent.catalogue import Catalogue
from consent.changes import Step
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.parties import HolderInfo
from consent.receipt_kinds import Used
from consent.receipts import Evidence, Facts, House
from consent.records import Consent
from consent.text import TEXT_VERSION, Wording
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.oauth import clients
from gateway.oauth.clients import Client
from gateway.receipts import signed
from gateway.receipts.acknowledged import acknowledgements
from gateway.receipts.evidence import Proven, evidence_of
from gateway.receipts.listing import END, completed, ending, granting
from gateway.transfers import repository as transfers

_ISSUED = {
    "grant": Event.RECEIPT_GRANT_ISSUED,
    "use": Event.RECEIPT_USE_ISSUED,
    "termination": Event.RECEIPT_TERMINATION_ISSUED,
}


@dataclass(frozen=True, slots=True)
class Receipts:
    """Makes receipts. A receipt of the same event says the same, with the newest checkpoint.

    `principal` gives the name by which a client knows a citizen.
    """

    house: House
    database: Database
    journal: Journal
    log: Log
    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    sign: Callable[[dict[str, Any], str], str]
    principal: Callable[[Client, str], str]
    clock: Clock

    async def of(self, consent: Consent) -> bytes:
        """The signed receipt of the newest version of `consent` that was in force, as a compact JWS.

        Raises Problem `not_found` when it never was in force, `ledger_timeout` while the log lags. MUST NOT
        be called inside a transaction.
        """
        in_force = granting(await self._steps(consent))
        if not in_force:
            raise Problem("not_found")
        return await self._grant(in_force[-1], opened=True)

    async def part(self, consent: Consent, part: str, *, opened: bool = True) -> bytes:
        """The receipt of `consent` called `part` (`gateway.receipts.listing`); Problems as `of`.

        Without `opened` it is the recipient's copy, which has no opening.
        """
        steps = await self._steps(consent)
        if part == END:
            return await self._termination(steps, opened=opened)
        if part.isdecimal():
            found = [one for one in granting(steps) if str(one.after.version) == part]
            if not found:
                raise Problem("not_found")
            return await self._grant(found[0], opened=opened)
        return await self._use(steps, part, opened=opened)

    async def _grant(self, step: Step, *, opened: bool) -> bytes:
        consent = step.after
        proven = await self._proven(consent, f"consent:{consent.id}:{consent.version}", opened)
        facts = await self.facts(step, str(consent.version), proven.evidence)
        async with self.database.reading() as session:
            text = await repository.text_shown(session, consent.text_hash)
            own = await signed.kept(session, self.journal, consent)
        version = TEXT_VERSION if text is None else text.version
        told = None if own is None else own.told()
        made = receipt_kinds.grant(facts, text_version=version, signature=told)
        return await self._signed("grant", facts, made)

    async def _use(self, steps: list[Step], bundle_id: str, *, opened: bool) -> bytes:
        async with self.database.reading() as session:
            bundle = await transfers.bundle(session, bundle_id)
        if bundle is None or bundle.consent_id != steps[0].after.id:
            raise Problem("not_found")
        idem = f"{Event.BUNDLE_RELEASE_SEALED.value}/{bundle.transfer_id}/{bundle.transfer_id}"
        proven = await self._proven(steps[0].after, idem, opened)
        said = proven.said
        (step,) = [one for one in steps if one.after.version == said["version"]]
        used = Used(
            bundle=said["bundle"],
            transfer=said["transfer"],
            manifest=said["manifest"],
            at=bundle.created_at,
            sent=said["sent"],
            withheld=said["withheld"],
        )
        facts = await self.facts(step, bundle_id, proven.evidence)
        return await self._signed("use", facts, receipt_kinds.use(facts, used))

    async def _termination(self, steps: list[Step], *, opened: bool) -> bytes:
        last = ending(steps)
        if last is None:
            raise Problem("not_found")
        consent = last.after
        proven = await self._proven(consent, f"consent:{consent.id}:{consent.version}", opened)
        async with self.database.reading() as session:
            parties = await acknowledgements(session, consent)
        facts = await self.facts(last, END, proven.evidence)
        made = receipt_kinds.termination(facts, parties, completed_at=completed(steps))
        return await self._signed("termination", facts, made)

    async def _steps(self, consent: Consent) -> list[Step]:
        async with self.database.reading() as session:
            return await repository.steps_of(session, consent)

    async def _proven(self, consent: Consent, idem: str, opened: bool) -> Proven:
        return await evidence_of(self.database, self.journal, self.log, consent.subject, idem, opened=opened)

    async def facts(self, step: Step, part: str, evidence: Evidence) -> Facts:
        """What is told of the version `step` made, for the receipt called `part`."""
        consent, now = step.after, self.clock()
        async with self.database.reading() as session:
            client = await clients.find(session, consent.client_id)
        if client is None:
            raise Problem("not_found")
        today = korean_day(now)
        return Facts(
            id=f"{consent.id}.{part}",
            house=self.house,
            issued_at=now,
            consent=consent,
            move=step.move,
            principal=self.principal(client, consent.subject),
            recipient_country=client.country,
            wording=Wording(self.catalogue, self.holders, clients.info(client), consent.language, today),
            evidence=evidence,
        )

    async def _signed(self, kind: str, facts: Facts, payload: dict[str, Any]) -> bytes:
        receipt = await asyncio.to_thread(receipts.sign, payload, self.sign)
        await self._issued(_ISSUED[kind], facts, receipts.digest(receipt))
        return receipt

    async def _issued(self, event: Event, facts: Facts, digest: str) -> None:
        """Say once in the ledger that the receipt was given. Reading is never blocked: no store, no entry."""
        consent = facts.consent
        payload = {
            "consent": consent.id,
            "version": consent.version,
            "receipt_id": facts.id,
            "receipt": digest,
        }
        with suppress(Problem):
            async with self.database.transaction() as session:
                await self.journal.append(
                    session,
                    event,
                    subject=consent.subject,
                    party=consent.client_id,
                    payload=payload,
                    at=int(self.clock().timestamp()),
                    idem=f"{event.value}/{facts.id}",
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
