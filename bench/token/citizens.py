"""Citizens who gave the company a consent, straight into our tables, as the doors would have written it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlalchemy import insert
from sqlmodel import SQLModel

from bench.token.signed import CLIENT_ID
from bench.token.works import LIVING
from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.keys import load_keys
from gateway.oauth.grants import hashed
from gateway.oauth.tokens import new_secret
from tests.oauth_company import asked_details

_YEAR = 31_536_000


async def settle(url: str, keys: Path) -> tuple[str, ...]:
    """LIVING citizens, each with a consent, a grant and a refresh token; the tokens."""
    database, subjects = Database(url), SubjectKeys(load_keys(keys).subject_kek)
    details = orjson.dumps(asked_details(datetime.now(UTC).date())).decode()
    tables, now, tokens = SQLModel.metadata.tables, int(time.time()), []
    text = {"hash": "0" * 64, "version": "1", "language": "en", "body": "bench", "first_at": now}
    async with database.transaction() as session:
        await session.execute(insert(tables["consent_text"]).values(**text))
        for n in range(LIVING):
            subject, token = await subjects.create(session), new_secret()
            tokens.append(token)
            await session.execute(
                insert(tables["consent"]).values(
                    id=f"c-{n}", subject_id=subject, client_id=CLIENT_ID, request_id=f"r-{n}", state="active",
                    version=1, purpose="household-finance", start_at=now, end_at=now + _YEAR,
                    asked=details.encode(), terms=details.encode(), text_hash="0" * 64, language="en",
                    created_at=now, changed_at=now,
                )
            )  # fmt: skip
            await session.execute(
                insert(tables["consent_version"]).values(
                    consent_id=f"c-{n}", version=1, move="give", state="active", terms=details.encode(),
                    text_hash="0" * 64, language="en", at=now,
                )
            )  # fmt: skip
            await session.execute(
                insert(tables["oauth_grant"]).values(
                    id=f"g-{n}", client_id=CLIENT_ID, subject_id=subject, consent_id=f"c-{n}",
                    consent_version=1, details=details, created_at=now, updated_at=now,
                )
            )  # fmt: skip
            await session.execute(
                insert(tables["refresh_token"]).values(
                    token_hash=hashed(token), grant_id=f"g-{n}", client_id=CLIENT_ID, jkt="bench",
                    created_at=now, expires_at=now + _YEAR,
                )
            )  # fmt: skip
    await database.close()
    return tuple(tokens)
