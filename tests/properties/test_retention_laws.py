"""Whatever the past and whatever the clocks of many processes say: what lives stays, what is over goes."""

from __future__ import annotations

import asyncio
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from gateway.database import Database
from gateway.retention.schedule import schedule
from tests.unit.gateway.retention.past import DAY, NOW, Past

LONG, DEAD = schedule()["consent"].seconds, schedule()["oauth_grant"].seconds
ENDED = ("withdrawn", "refused", "revoked", "expired")
DAYS = st.integers(-2_000, 2_000)
CONSENTS = st.lists(
    st.tuples(st.sampled_from(("active", "paused", *ENDED)), DAYS, DAYS), min_size=1, max_size=5
)
TICKS = st.lists(st.tuples(DAYS, st.sampled_from(("oauth_grant", "consent", "holder_link"))), max_size=4)


def over_at(state: str, changed: int, end: int) -> int:
    """The day a consent ended, or ends."""
    return changed if state in ENDED else end


@settings(max_examples=5, deadline=None)
@given(consents=CONSENTS, ticks=TICKS)
def test_what_lives_stays_and_what_is_over_goes(
    consents: list[tuple[str, int, int]], ticks: list[tuple[int, str]]
) -> None:
    """Jobs in any order at any times: never too early by any clock, always in the end, never in part."""
    asyncio.run(_checked(consents, ticks))


async def _checked(consents: list[tuple[str, int, int]], ticks: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/past.db")
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        past, subject = Past(database), ""
        subject = await past.citizen("someone", told_at=NOW)
        for n, (state, changed, end) in enumerate(consents):
            times = {"changed_at": NOW + changed * DAY, "end_at": NOW + end * DAY}
            await past.consent(f"c-{n}", subject, state=state, transfers=1, **times)
        latest = {"consent": -LONG, "oauth_grant": -LONG}
        for day, job in ticks:
            await past.run(job, NOW + day * DAY)
            latest[job] = max(latest.get(job, -LONG), day * DAY)
            await past.whole()
            await _as_the_law_says(past, consents, latest)
        far = 10_000 * DAY
        for job in ("oauth_grant", "consent", "holder_link"):
            await past.run(job, NOW + far)
        for table in (
            "consent",
            "consent_version",
            "oauth_grant",
            "refresh_token",
            "transfer",
            "holder_link",
        ):
            assert await past.rows(table) == [], table
        await database.close()


async def _as_the_law_says(past: Past, consents: list[tuple[str, int, int]], latest: dict[str, int]) -> None:
    """Exactly the consents whose three years were over by the latest clock are gone; no grant went early."""
    over = {f"c-{n}": over_at(*one) * DAY for n, one in enumerate(consents)}
    kept = {id for id, at in over.items() if at > latest["consent"] - LONG}
    assert await past.ids("consent") == kept
    early = {f"g-{id}" for id in kept if over[id] > latest["oauth_grant"] - DEAD}
    assert early <= await past.ids("oauth_grant")
