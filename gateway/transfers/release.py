"""From pulled records to a bundle that may be fetched: treat, seal, look at the consent once more, commit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.contract import Holder
from connectors.runtime import Pulled
from consent import repository as consents
from consent import repository_use
from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectId
from gateway.bundles.pseudonym import Domain
from gateway.bundles.seal import Sealed, seal
from gateway.database import Database
from gateway.transfers import calls, repository
from gateway.transfers.coverage import Coverage, cover
from gateway.transfers.draft import Issue, draft
from gateway.transfers.endings import journal_end
from gateway.transfers.job import Job, ended
from gateway.transfers.states import State
from gateway.transfers.tables import BundleRow
from gateway.transfers.told import tell_kept_back
from gateway.transfers.treatment import treat_all

KEPT_SECONDS = 7 * 86_400
"""A sealed bundle that nobody fetched is deleted after a week."""


@dataclass(frozen=True, slots=True)
class Releasing:
    """Seals bundles. `domain` gives the pseudonymisation domain of a recipient."""

    database: Database
    journal: Journal
    catalogue: Catalogue
    holders: Mapping[str, Holder]
    sign: Callable[[dict[str, Any], str], str]
    domain: Callable[[str], Domain]
    issuer: str
    clock: Clock

    async def release(self, job: Job, pulled: Mapping[str, Pulled]) -> int | None:
        """Seal what was pulled and commit it; the outbox id of the release entry, None if called off."""
        bundle_id = "b-" + secrets.token_hex(15)
        sealed, coverage = await asyncio.to_thread(self._seal, job, pulled, bundle_id)
        now = int(self.clock().timestamp())
        async with self.database.transaction() as session:
            live = await consents.load(session, job.consent.id, lock=True)
            if why := ended(live, job.consent.version, now):
                if await repository.move(session, job.transfer, State.CANCELLED, now, reason=why):
                    await journal_end(session, self.journal, job.transfer, State.CANCELLED, why, now)
                return None
            outcome = orjson.dumps([one.record(job, now) for one in coverage])
            values = {"bundle_id": bundle_id, "outcome": outcome}
            if not await repository.move(session, job.transfer, State.SEALED, now, **values):
                return None
            session.add(_row(bundle_id, job, sealed, now))
            outcomes = [one.record(job, now) for one in coverage]
            await repository_use.record(session, outcomes)
            await tell_kept_back(session, SubjectId(job.consent.subject), outcomes, now)
            await calls.count(session, job.transfer, pulled)
            return await self._journal(session, job, pulled, sealed, coverage, now)

    def _seal(self, job: Job, pulled: Mapping[str, Pulled], bundle_id: str) -> tuple[Sealed, list[Coverage]]:
        treatment = treat_all(job, pulled, self.catalogue, self.domain(job.client.id))
        coverage = cover(job, treatment)
        issue = Issue(self.issuer, bundle_id, self.clock())
        manifest = draft(issue, job, treatment, coverage, self.holders)
        return seal(manifest, treatment.parts, [job.client.encryption_key], self.sign), coverage

    async def _journal(
        self,
        session: AsyncSession,
        job: Job,
        pulled: Mapping[str, Pulled],
        sealed: Sealed,
        coverage: list[Coverage],
        now: int,
    ) -> int:
        for name, one in pulled.items():
            payload: dict[str, object] = {
                "transfer": job.transfer.id,
                "item": name,
                "outcome": one.outcome.value,
                "records": len(one.records),
                "pages": one.pages,
                "requests": one.requests,
                "code": calls.code_of(one),
                "began": int(one.started.timestamp()),
                "ms": calls.milliseconds(one),
                "kind": job.transfer.kind,
                "gaps": [gap.reason.value for gap in one.gaps],
            }
            await self._append(session, job, Event.PULL_HOLDER_DONE, one.holder, payload, now, name)
        payload = {
            "transfer": job.transfer.id,
            "consent": job.consent.id,
            "version": job.consent.version,
            "bundle": sealed.manifest["id"],
            "manifest": sealed.manifest_hash,
            "sent": {one.item: list(one.sent) for one in coverage if one.sent},
            "withheld": {
                one.item: {name: code for name, (code, _) in one.withheld.items()}
                for one in coverage
                if one.withheld
            },
        }
        return await self._append(
            session, job, Event.BUNDLE_RELEASE_SEALED, job.client.id, payload, now, job.transfer.id
        )

    async def _append(
        self,
        session: AsyncSession,
        job: Job,
        kind: Event,
        party: str,
        payload: dict[str, object],
        now: int,
        about: str,
    ) -> int:
        appended = await self.journal.append(
            session,
            kind,
            subject=SubjectId(job.consent.subject),
            party=party,
            payload=payload,
            at=now,
            idem=f"{kind.value}/{job.transfer.id}/{about}",
        )
        return appended.outbox_id


def _row(bundle_id: str, job: Job, sealed: Sealed, now: int) -> BundleRow:
    return BundleRow(
        id=bundle_id,
        transfer_id=job.transfer.id,
        client_id=job.client.id,
        consent_id=job.consent.id,
        sealed=sealed.data,
        manifest_hash=sealed.manifest_hash,
        created_at=now,
        expires_at=now + KEPT_SECONDS,
    )
