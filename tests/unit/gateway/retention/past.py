"""Rows of the past, made directly: what was agreed, sent and issued long ago."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database
from gateway.migrations.tables import metadata
from gateway.retention.jobs import Job, jobs

NOW = 1_800_000_000
DAY = 86_400
YEAR = 366 * DAY
RELATIONS = (
    ("consent_version", "consent_id", "consent", "id"),
    ("transfer_item_outcome", "consent_id", "consent", "id"),
    ("transfer", "consent_id", "consent", "id"),
    ("policy_decision", "consent_id", "consent", "id"),
    ("holder_notice", "consent_id", "consent", "id"),
    ("ending_party", "consent_id", "consent", "id"),
    ("deletion_instruction", "consent_id", "consent", "id"),
    ("bundle", "transfer_id", "transfer", "id"),
    ("transfer", "decision_id", "policy_decision", "id"),
    ("transfer", "id", "policy_decision", "request_id"),
    ("refresh_token", "grant_id", "oauth_grant", "id"),
    ("consent", "id", "consent_version", "consent_id"),
    ("citizen", "subject_id", "subject", "id"),
    ("citizen_age", "subject_id", "citizen", "subject_id"),
)
"""(child, column, parent, column): every child's value is some parent's."""


@dataclass
class Past:
    """A store with a past. `journal` is the gateway's."""

    database: Database
    journal: Journal = field(default_factory=lambda: Journal(SubjectKeys(bytes(32)), "past"))

    def job(self, name: str) -> Job:
        """A job of its own process."""
        (found,) = (job for job in jobs(self.journal, "operator") if job.name == name)
        return found

    async def run(self, name: str, now: int = NOW) -> int:
        """Run a job until it has no more; how many were ended."""
        ended = 0
        for step in self.job(name).steps:
            while True:
                async with self.database.transaction() as session:
                    batch = await step(session, now)
                ended += batch.ended
                if not batch.more:
                    break
        return ended

    async def add(self, table: str, **values: Any) -> None:
        """One row."""
        async with self.database.transaction() as session:
            await put(session, table, **values)

    async def citizen(self, name: str, told_at: int = NOW - 10 * YEAR) -> str:
        """Somebody who last signed in at `told_at`, with a link at a holder and an entry in the ledger."""
        async with self.database.transaction() as session:
            subject = await self.journal.keys.create(session)
            await put(session, "citizen", identity_hash=name, subject_id=subject)
            await put(session, "citizen_age", subject_id=subject, sealed=b"x", told_at=told_at)
            await put(session, "holder_link", subject_id=subject, holder="bank", sealed=b"x", made_at=told_at)
            event = Event.CITIZEN_SESSION_STARTED
            await self.journal.append(
                session, event, subject=SubjectId(subject), party="operator", payload={}, at=told_at
            )
        return subject

    async def consent(
        self,
        id: str,
        subject: str,
        *,
        state: str = "withdrawn",
        changed_at: int = NOW - 4 * YEAR,
        end_at: int = NOW + YEAR,
        transfers: int = 2,
    ) -> None:
        """A consent with all that came of it: versions, grant, tokens, transfers, refusal, notice."""
        async with self.database.transaction() as session:
            await record(session, id, subject, state, changed_at, end_at)
            await issued(session, id, subject, at=changed_at, end_at=end_at)
            for number in range(transfers):
                await sent(session, f"t-{id}-{number}", id, subject, at=changed_at)
            await decided(session, f"t-{id}-refused", id, allow=False, at=changed_at)

    async def rows(self, table: str) -> list[Any]:
        """Every row of a table."""
        async with self.database.reading() as session:
            return list(await session.execute(select(metadata.tables[table])))

    async def ids(self, table: str, column: str = "id") -> set[str]:
        """The values of one column."""
        return {getattr(row, column) for row in await self.rows(table)}

    async def whole(self) -> None:
        """No row names one that is gone."""
        for child, own, parent, other in RELATIONS:
            missing = await self.ids(child, own) - await self.ids(parent, other)
            assert not missing, f"{child}.{own} without its {parent}: {missing}"


async def put(session: AsyncSession, table: str, **values: Any) -> None:
    """One row of a table."""
    await session.execute(insert(metadata.tables[table]).values(**values))


async def record(
    session: AsyncSession, id: str, subject: str, state: str, changed_at: int, end_at: int
) -> None:
    """A consent as it stands, its one version, the text, and a holder that has acknowledged."""
    about = {"state": state, "version": 1, "terms": b"[]", "text_hash": "h", "language": "ko"}
    if not (await session.execute(select(metadata.tables["consent_text"]))).first():
        await put(session, "consent_text", hash="h", version="1", language="ko", body="text", first_at=0)
    await put(
        session, "consent", **about, id=id, subject_id=subject, client_id="client", request_id=f"r-{id}",
        purpose="p", start_at=0, end_at=end_at, asked=b"[]", created_at=0, changed_at=changed_at,
    )  # fmt: skip
    await put(session, "consent_version", **about, consent_id=id, move="give", at=changed_at)
    await put(
        session, "holder_notice", consent_id=id, subject_id=subject, version=1, holder="bank",
        event="withdrawn", at=changed_at, state="acknowledged", attempts=1, next_at=0,
    )  # fmt: skip
    await put(
        session, "ending_party", consent_id=id, kind="holder", party="bank", told_at=changed_at,
        deadline_at=changed_at, answer="acknowledged", answered_at=changed_at,
    )  # fmt: skip
    await put(
        session, "deletion_instruction", id=f"d-{id}", consent_id=id, party="client", asked_at=changed_at,
        deadline_at=changed_at,
    )  # fmt: skip


async def issued(session: AsyncSession, id: str, subject: str, *, at: int, end_at: int) -> None:
    """A grant with a refresh token."""
    await put(
        session, "oauth_grant", id=f"g-{id}", client_id="client", subject_id=subject, consent_id=id,
        consent_version=1, scope="", details="[]", created_at=0, updated_at=at,
    )  # fmt: skip
    await put(
        session, "refresh_token", token_hash=f"rt-{id}".encode(), grant_id=f"g-{id}", client_id="client",
        jkt="j", created_at=0, expires_at=end_at,
    )  # fmt: skip


async def sent(session: AsyncSession, id: str, consent: str, subject: str, *, at: int) -> None:
    """A transfer that was ready, with its bundle and outcomes."""
    await decided(session, id, consent, allow=True, at=at)
    await put(
        session, "transfer", id=id, client_id="client", grant_id=f"g-{consent}", consent_id=consent,
        consent_version=1, subject_id=subject, idempotency_key="k" * 8, state="ready", decision_id=f"d-{id}",
        plan=b"null", reason="", bundle_id=f"b-{id}", created_at=at, changed_at=at, lease_until=0, attempts=1,
    )  # fmt: skip
    await put(
        session, "bundle", id=f"b-{id}", transfer_id=id, client_id="client", consent_id=consent, sealed=b"",
        manifest_hash="m", created_at=at, expires_at=at,
    )  # fmt: skip


async def decided(session: AsyncSession, id: str, consent: str, *, allow: bool, at: int) -> None:
    """A decision and what the citizen sees of it."""
    await put(
        session, "policy_decision", id=f"d-{id}", at=at, request_id=id, client_id="client",
        consent_id=consent, consent_version=1, allow=allow, available=True, codes="[]", granted="[]",
        withheld="[]", obligations="[]", revision="r", engine="e", input_digest="i",
    )  # fmt: skip
    for item in ("bank/a", "bank/b"):
        await put(
            session, "transfer_item_outcome", transfer_id=id, item=item, consent_id=consent, asked="[]",
            sent='["a"]', withheld="{}", records=1, outcome="complete", at=at,
        )  # fmt: skip
