"""One citizen and one company with one living consent, and as many past ones as asked, made in bulk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent.items import Item, Terms, to_details
from consent.journal import Journal
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database
from gateway.migrations.tables import metadata
from gateway.oauth import clients
from tests.oauth_keys import b64, es256

CHUNK = 100_000
BIG = ("consent", "consent_version", "oauth_grant", "refresh_token", "transfer", "transfer_item_outcome")
"""The tables that grow with the past."""
NOW = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
CLIENT = "deundeun-budget"
ITEM = Item("hanbit-bank", "finance.accounts", ("account_num", "prod_name"), True, "P7D", date(2026, 1, 1))
TERMS = Terms("household-finance", date(2026, 11, 1), date(2027, 4, 30), "P90D", (ITEM,))
ABOUT: dict[str, Any] = {"version": 1, "text_hash": "h", "language": "ko"}


@dataclass
class Living:
    """The present: its consent is `c`, its grant `g`, its transfer `t`."""

    database: Database
    journal: Journal = field(default_factory=lambda: Journal(SubjectKeys(bytes(32)), "bench"))
    subject: SubjectId = field(default_factory=lambda: SubjectId(""))
    past: int = 0

    async def begin(self) -> None:
        """Make the present, in empty tables."""
        async with self.database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        enc = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
        keys = [{**es256().jwk, "use": "sig"}, {"kty": "OKP", "crv": "X25519", "use": "enc", "x": enc}]
        names = {"ko": "든든가계부", "en": "Deundeun Budget"}
        document: dict[str, Any] = {"client_id": CLIENT, "name": names, "contact": "privacy@deundeun.example"}
        document |= {"redirect_uris": ["https://deundeun.example/callback"], "jwks": {"keys": keys}}
        document["kinds"] = {"finance": "licensed_operator"}
        async with self.database.transaction() as session:
            await clients.add(session, document, at=NOW)
            self.subject = await self.journal.keys.create(session)
            await self._present(session)

    async def _present(self, session: AsyncSession) -> None:
        terms = orjson.dumps(to_details(TERMS))
        details, now = terms.decode(), {"created_at": NOW, "changed_at": NOW}
        who = {"subject_id": self.subject, "client_id": CLIENT}
        consent = {**ABOUT, **who, **now, "id": "c", "request_id": "r", "state": "active"}
        consent |= {"purpose": TERMS.purpose, "start_at": TERMS.start_at, "end_at": TERMS.end_at}
        shown = {"hash": "h", "version": "1", "language": "ko", "body": "shown", "first_at": NOW}
        await _put(session, "consent_text", **shown)
        await _put(session, "consent", **consent, asked=terms, terms=terms)
        version = {**ABOUT, "consent_id": "c", "move": "give", "state": "active", "terms": terms, "at": NOW}
        await _put(session, "consent_version", **version)
        grant = {**who, "id": "g", "consent_id": "c", "consent_version": 1, "details": details}
        await _put(session, "oauth_grant", **grant, created_at=NOW, updated_at=NOW)
        token = {"token_hash": b"rt", "grant_id": "g", "client_id": CLIENT, "jkt": "j", "created_at": NOW}
        await _put(session, "refresh_token", **token, expires_at=TERMS.end_at)
        transfer = {**who, **now, "id": "t", "grant_id": "g", "consent_id": "c", "consent_version": 1}
        transfer |= {"idempotency_key": "key-1234", "state": "ready", "decision_id": "d", "plan": b"null"}
        transfer |= {"lease_until": 0}
        await _put(session, "transfer", **transfer)
        outcome: dict[str, Any] = {
            "transfer_id": "t",
            "item": ITEM.name,
            "consent_id": "c",
            "asked": "[]",
            "sent": '["a"]',
        }
        outcome |= {"withheld": "{}", "records": 1, "outcome": "complete", "at": NOW}
        await _put(session, "transfer_item_outcome", **outcome)

    async def grow(self, to: int) -> None:
        """Add past consents up to `to`: withdrawn, run out and refused, each with all that came of it."""
        while self.past < to:
            last = min(to, self.past + CHUNK)
            async with self.database.transaction() as session:
                for table in BIG:
                    await session.execute(text(self._copy(table)), {"first": self.past + 1, "last": last})
            self.past = last
        async with self.database.engine.connect() as connection:
            free = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await free.exec_driver_sql("ANALYZE" if self.database.dialect == "sqlite" else "VACUUM ANALYZE")

    def _copy(self, table: str) -> str:
        """Copies of the living row with other keys: the present with `n` behind each name."""
        changed = _CHANGED[table]
        columns = list(metadata.tables[table].columns.keys())
        chosen = ", ".join(changed.get(name, name) for name in columns)
        if self.database.dialect == "sqlite":
            chosen = chosen.replace("AS BYTEA", "AS BLOB")
        alone = f"{_NAME[table]} = '{_OWN[table]}'"
        series = "SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM past WHERE n < :last"
        into = f"INSERT INTO {table} ({', '.join(columns)})"
        return f"WITH RECURSIVE past(n) AS ({series}) {into} SELECT {chosen} FROM {table}, past WHERE {alone}"  # noqa: S608


_STATE = "CASE n % 3 WHEN 0 THEN 'withdrawn' WHEN 1 THEN 'active' ELSE 'refused' END"
_AGO = f"{NOW} - n"
_NAME = {"consent": "id", "consent_version": "consent_id", "oauth_grant": "id", "transfer": "id"}
_NAME |= {"transfer_item_outcome": "transfer_id", "refresh_token": "grant_id"}
_OWN = {"consent": "c", "consent_version": "c", "oauth_grant": "g", "transfer": "t"}
_OWN |= {"transfer_item_outcome": "t", "refresh_token": "g"}
_CONSENT_ID = {"consent_id": "'c' || n"}
_CHANGED = {
    "consent": {
        "id": "'c' || n", "request_id": "'r' || n", "state": _STATE, "created_at": _AGO, "changed_at": _AGO,
        "end_at": f"CASE n % 3 WHEN 1 THEN {_AGO} ELSE end_at END",
    },
    "consent_version": {**_CONSENT_ID, "state": _STATE, "at": _AGO},
    "oauth_grant": {**_CONSENT_ID, "id": "'g' || n", "created_at": _AGO, "updated_at": _AGO},
    "refresh_token": {"token_hash": "CAST('rt' || n AS BYTEA)", "grant_id": "'g' || n"},
    "transfer": {
        **_CONSENT_ID, "id": "'t' || n", "grant_id": "'g' || n", "created_at": _AGO, "changed_at": _AGO,
    },
    "transfer_item_outcome": {**_CONSENT_ID, "transfer_id": "'t' || n", "at": _AGO},
}  # fmt: skip


async def _put(session: AsyncSession, table: str, **values: Any) -> None:
    await session.execute(insert(metadata.tables[table]).values(**values))
