"""What is in force is found whole, also when it is much, and nothing that has ended is."""

from __future__ import annotations

import orjson

from bench.history.past import TERMS
from consent import repository
from consent.items import to_details
from consent.subjects import SubjectId
from gateway.database import Database
from tests.unit.gateway.retention.past import put

NOW = 1_800_000_000
SHARED = {"asked": orjson.dumps(to_details(TERMS)), "terms": orjson.dumps(to_details(TERMS)), "purpose": "p"}


async def test_all_that_is_in_force_is_found(database: Database) -> None:
    """More than one batch, many ending in one second; what ended, was refused or is another's is left out."""
    ends = {f"open-{n:03}": ("paused" if n % 7 == 0 else "active", NOW + 1 + n // 50) for n in range(205)}
    ends |= {"ended": ("active", NOW), "refused": ("refused", NOW + 9), "withdrawn": ("withdrawn", NOW + 9)}
    async with database.transaction() as session:
        await put(session, "consent_text", hash="h", version="1", language="ko", body="x", first_at=0)
        for id, (state, end) in ends.items():
            about = {"client_id": "c", "state": state, "version": 1, "text_hash": "h", "language": "ko"}
            times = {"start_at": 0, "end_at": end, "created_at": 0, "changed_at": 0}
            await put(session, "consent", id=id, subject_id="s", request_id=id, **about, **times, **SHARED)
    async with database.reading() as session:
        found = await repository.open_of_subject(session, SubjectId("s"), NOW)
        others = await repository.open_of_subject(session, SubjectId("someone-else"), NOW)

    assert [consent.id for consent in found] == [f"open-{n:03}" for n in range(205)]
    assert others == []
