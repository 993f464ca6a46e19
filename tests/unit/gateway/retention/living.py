"""Consents that live, each given through the service, and the jobs that look after them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import lasting, repository, repository_use, service
from consent.calendar import day_begins, korean_day_of
from consent.catalogue import load as load_catalogue
from consent.journal import Journal
from consent.records import Consent
from consent.subjects import SubjectId, SubjectKeys
from consent.text import ShownText
from consent.usage import ItemOutcome
from gateway.database import Database
from gateway.migrations.tables import metadata
from gateway.retention.batch import Step
from gateway.retention.expiring import Follows, expiring
from gateway.retention.rounds import Round
from tests.unit.consent.household import AT, CLIENT, details, parsed

CATALOGUE = load_catalogue()
TODAY = korean_day_of(AT)
NOON = 12 * 3600


def noon(day: date) -> int:
    """Twelve o'clock in Korea on `day`."""
    return day_begins(day) + NOON


@dataclass
class Living:
    """One citizen with consents. `told` is what followed from the gateway's moves."""

    database: Database
    journal: Journal = field(default_factory=lambda: Journal(SubjectKeys(bytes(32)), "living"))
    told: list[tuple[str, str]] = field(default_factory=list)
    subject: SubjectId = field(init=False)

    async def citizen(self) -> SubjectId:
        """A person the ledger knows; the one who gives from now on."""
        async with self.database.transaction() as session:
            self.subject = await self.journal.keys.create(session)
        return self.subject

    async def given(self, name: str, *, on: date = TODAY, days: int = 1500) -> Consent:
        """A consent given at noon on `on`, for so many days, with a grant and a refresh token."""
        terms = replace(parsed(details()), start=on, end=on + timedelta(days=days))
        asked = service.Asked(self.subject, CLIENT.id, name, terms, ShownText("text", "1", "ko"))
        async with self.database.transaction() as session:
            made = await service.give(session, self.journal, asked, terms, at=noon(on), new_id=lambda: name)
            await _granted(session, made)
        return made

    async def sent(self, consent: Consent, at: int, *, fields: tuple[str, ...] = ("trans_amt",)) -> None:
        """A transfer under it that brought `fields`."""
        item = consent.terms.items[0].name
        came = ItemOutcome(consent.id, f"t-{at}", item, ("trans_amt",), fields, at=at)
        async with self.database.transaction() as session:
            await repository_use.record(session, [came])

    async def move(self, step: str, consent_id: str, at: int) -> Consent:
        """The citizen pauses or resumes it."""
        made = {"pause": lasting.pause, "resume": lasting.resume}[step]
        async with self.database.transaction() as session:
            now = await repository.load(session, consent_id, lock=True)
            assert now is not None
            return await made(session, self.journal, now.id, subject=now.subject, version=now.version, at=at)

    @property
    def follows(self) -> Follows:
        """What follows here: it is noted."""

        async def ended(_session: AsyncSession, consent: Consent) -> None:
            self.told.append((consent.id, consent.state.value))

        async def changed(_session: AsyncSession, _before: Consent, after: Consent) -> None:
            self.told.append((after.id, after.state.value))

        return Follows(ended, changed)

    @property
    def expiring(self) -> Step:
        """The step that writes what has expired."""
        return expiring(self.journal, self.follows)

    @property
    def round(self) -> Step:
        """The daily round."""
        return Round(self.journal, CATALOGUE, self.follows).step

    async def run(self, step: Step, now: int) -> int:
        """Run a step until it has no more; how many were moved."""
        moved = 0
        while True:
            async with self.database.transaction() as session:
                batch = await step(session, now)
            moved += batch.ended
            if not batch.more:
                return moved

    async def state(self, consent_id: str) -> tuple[str, str, str | None]:
        """How a consent stands: state, by whom, why."""
        async with self.database.reading() as session:
            found = await repository.load(session, consent_id)
        assert found is not None
        return found.state.value, found.by.value, found.why

    async def rows(self, table: str) -> list[Any]:
        """Every row of a table."""
        async with self.database.reading() as session:
            return list(await session.execute(select(metadata.tables[table])))

    async def notices(self) -> list[tuple[str, str]]:
        """What the citizen was told: kind and about what, in order."""
        return [(row.kind, row.about) for row in sorted(await self.rows("notice"), key=lambda row: row.at)]


async def _granted(session: AsyncSession, consent: Consent) -> None:
    grant: dict[str, Any] = {
        "id": f"g-{consent.id}",
        "client_id": consent.client_id,
        "subject_id": consent.subject,
    }
    grant |= {"consent_id": consent.id, "consent_version": consent.version, "scope": "", "details": "[]"}
    at = consent.created_at
    await session.execute(
        insert(metadata.tables["oauth_grant"]).values(**grant, created_at=at, updated_at=at)
    )
    token = {"token_hash": consent.id.encode(), "grant_id": grant["id"], "client_id": consent.client_id}
    row = insert(metadata.tables["refresh_token"])
    await session.execute(row.values(**token, jkt="j", created_at=at, expires_at=consent.terms.end_at))
