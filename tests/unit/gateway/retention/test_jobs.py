"""What is over ends, what lives stays, and what belongs together goes together."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from consent.journal import payload_context
from consent.ledger_tables import ENTRY, OUTBOX, PAYLOAD
from consent.subjects import SubjectError, SubjectId
from gateway.database import Database
from gateway.migrations.tables import metadata
from gateway.retention.schedule import schedule
from tests.unit.gateway.retention.past import DAY, NOW, YEAR, Past

LONG = schedule()["consent"].seconds
DEAD = schedule()["oauth_grant"].seconds


@pytest.fixture
def past(database: Database) -> Past:
    """A store with a past, on each store."""
    return Past(database)


@pytest.mark.parametrize(
    ("state", "changed_at", "end_at", "goes"),
    [
        ("withdrawn", NOW - LONG, NOW + YEAR, True),
        ("withdrawn", NOW - LONG + 1, NOW - 9 * YEAR, False),
        ("refused", NOW - LONG, NOW + YEAR, True),
        ("active", NOW - 9 * YEAR, NOW - LONG, True),
        ("active", NOW - 9 * YEAR, NOW - LONG + 1, False),
        ("active", NOW - 9 * YEAR, NOW + DAY, False),
        ("paused", NOW - 9 * YEAR, NOW + DAY, False),
    ],
)
async def test_a_record_is_kept_three_years_after_its_end(
    past: Past, state: str, changed_at: int, end_at: int, goes: bool
) -> None:
    """By the second; all of it goes or all of it stays, and a living consent stays however old it is."""
    subject = await past.citizen("someone", told_at=NOW)
    await past.consent("c", subject, state=state, changed_at=changed_at, end_at=end_at)
    await past.run("consent")
    left = {rule.table for rule in schedule().values() if rule.job == "consent"}
    for table in left:
        assert bool(await past.rows(table)) is not goes, table
    await past.whole()
    assert await past.rows("ledger_outbox"), "the ledger stays"


@pytest.mark.parametrize("state", ["accepted", "pulling", "sealed"])
async def test_a_record_with_a_transfer_under_way_stays(past: Past, state: str) -> None:
    """However long ago the consent ended, what still runs is not ended under it."""
    await past.consent("c", await past.citizen("someone"))
    table = metadata.tables["transfer"]
    async with past.database.transaction() as session:
        await session.execute(update(table).where(table.c.id == "t-c-0").values(state=state))
    assert await past.run("consent") == 0
    assert len(await past.rows("transfer")) == 2


async def test_a_record_whose_holder_was_not_told_stays(past: Past) -> None:
    """Until every holder has acknowledged the end, somebody still works on it."""
    await past.consent("c", await past.citizen("someone"))
    async with past.database.transaction() as session:
        await session.execute(update(metadata.tables["holder_notice"]).values(state="waiting"))
    assert await past.run("consent") == 0


async def test_a_long_record_goes_in_bounded_parts(past: Past) -> None:
    """A transaction ends at most a hundred transfers; between two of them everything left is whole."""
    await past.consent("c", await past.citizen("someone"), transfers=150)
    *_, step = past.job("consent").steps
    counts = []
    while True:
        async with past.database.transaction() as session:
            batch = await step(session, NOW)
        await past.whole()
        counts.append(batch.ended)
        if not batch.more:
            break
    assert counts == [100, 50, 1, 1, 0], "transfers, the refused request, the consent"


async def test_processes_at_once_end_everything_once(past: Past) -> None:
    """Four at the same time, each its own jobs: all of it goes, nobody waits for another for ever."""
    for number in range(30):
        await past.consent(f"c-{number}", await past.citizen(f"n-{number}"), transfers=1)
    names = ("consent", "oauth_grant", "holder_link", "citizen")
    for name in names:
        await asyncio.gather(*(past.run(name) for _ in range(4)))
        await past.whole()
    for table in ("consent", "transfer", "oauth_grant", "refresh_token", "holder_link", "citizen"):
        assert await past.rows(table) == [], table


async def test_dead_grants_go_with_their_tokens_and_living_ones_stay(past: Past) -> None:
    """Revoked, withdrawn or run out ninety days ago; a day less, or alive, stays."""
    subject = await past.citizen("someone")
    await past.consent("withdrawn", subject, changed_at=NOW - DEAD)
    await past.consent("lately", subject, changed_at=NOW - DEAD + 1)
    await past.consent("ran-out", subject, state="active", end_at=NOW - DEAD)
    await past.consent("alive", subject, state="active", changed_at=0, end_at=NOW + 1)
    await past.consent("revoked", subject, state="active", changed_at=0, end_at=NOW + 1)
    table = metadata.tables["oauth_grant"]
    async with past.database.transaction() as session:
        gone = update(table).where(table.c.id == "g-revoked")
        await session.execute(gone.values(revoked_at=NOW - DEAD, revoked_why="x"))
    assert await past.run("oauth_grant") == 3
    assert await past.ids("oauth_grant") == {"g-lately", "g-alive"}
    assert await past.ids("refresh_token", "grant_id") == {"g-lately", "g-alive"}
    await past.whole()


async def test_a_walk_visits_each_row_once_and_goes_on(past: Past) -> None:
    """What became due later is found later; a clock set back finds nothing and loses nothing."""
    subject = await past.citizen("someone")
    for number in range(3):
        await past.consent(f"c-{number}", subject, changed_at=NOW + number * DAY)
    assert await past.run("oauth_grant", NOW + DEAD) == 1
    assert await past.run("oauth_grant", NOW + DEAD) == 0
    assert await past.run("oauth_grant", NOW - DEAD) == 0
    assert await past.run("oauth_grant", NOW + DEAD + 2 * DAY) == 2


async def test_links_go_when_no_consent_is_left_to_use_them(past: Past) -> None:
    """Ninety days after the last consent ended or, with none, after the link was made; not one living."""
    living, ended, lately, never, fresh = [
        await past.citizen(name, told_at=NOW - YEAR)
        for name in ("living", "ended", "lately", "never", "fresh")
    ]
    await past.consent("a", living, state="active", end_at=NOW + DAY)
    await past.consent("b", living)
    await past.consent("c", ended)
    await past.consent("d", lately, changed_at=NOW - DAY)
    links = metadata.tables["holder_link"]
    async with past.database.transaction() as session:
        await session.execute(update(links).where(links.c.subject_id == fresh).values(made_at=NOW - DAY))
    await past.run("holder_link")
    assert await past.ids("holder_link", "subject_id") == {living, lately, fresh}
    await past.run("holder_link", NOW + DEAD + DAY)
    assert await past.ids("holder_link", "subject_id") == set(), (never, "everything is over now")


async def test_a_citizen_is_forgotten_when_no_record_is_left(past: Past) -> None:
    """Key, name, age, links and openings go; the ledger says so and keeps its entries."""
    forgotten, signed_in, recorded = [
        await past.citizen(name, told_at=at)
        for name, at in (("a", NOW - LONG), ("b", NOW - LONG + 1), ("c", 0))
    ]
    await past.consent("c", recorded, changed_at=NOW - LONG + 1)
    assert await past.run("citizen") == 1
    assert await past.ids("citizen", "subject_id") == {signed_in, recorded}
    assert await past.ids("citizen_age", "subject_id") == {signed_in, recorded}
    assert {row.subject for row in await past.rows("ledger_payload")} == {signed_in, recorded}
    assert len(await past.rows("ledger_outbox")) == 4, "three sign-ins and the erasure"
    async with past.database.reading() as session:
        with pytest.raises(SubjectError, match="subject_erased"):
            await past.journal.keys.key(session, SubjectId(forgotten))
        await past.journal.keys.key(session, SubjectId(recorded))
    assert await past.run("citizen") == 0


async def test_openings_of_the_living_still_open(past: Past) -> None:
    """Forgetting one citizen takes nothing from another."""
    await past.citizen("gone")
    subject = SubjectId(await past.citizen("here", told_at=NOW))
    await past.run("citizen")
    async with past.database.reading() as session:
        key = await past.journal.keys.key(session, subject)
        mine = select(PAYLOAD).where(PAYLOAD.c.subject == subject)
        (row,) = (await session.execute(mine)).all()
        assert b"citizen:session:started" in key.unseal(row.body, payload_context(subject, row.n))


@pytest.mark.parametrize(
    ("job", "when"),
    [
        ("authorization_request", "answer_by"),
        ("authorization_code", "expires_at"),
        ("citizen_session", "expires_at"),
        ("citizen_sign_in", "expires_at"),
    ],
)
async def test_what_lasts_minutes_goes_by_its_own_end(past: Past, job: str, when: str) -> None:
    """To the second, whatever came of it; the younger one stays."""
    span = schedule()[job].seconds
    for number, at in enumerate((NOW - span, NOW - span + 1)):
        table = metadata.tables[job]
        values = {c.name: _filler(c, number) for c in table.columns if not c.nullable}
        await past.add(job, **{**values, when: at})
    assert await past.run(job) == 1
    (left,) = await past.rows(job)
    assert getattr(left, when) == NOW - span + 1


def _filler(column: object, number: int) -> object:
    kind = type(column.type).__name__  # type: ignore[attr-defined]
    return {"BigInteger": number, "Integer": number, "LargeBinary": b"x%d" % number}.get(kind, f"x{number}")


async def test_nothing_of_the_ledger_ends(past: Past) -> None:
    """Every job over a store with a past of decades: the log and its promises stay as they were."""
    await past.citizen("someone", told_at=NOW)
    async with past.database.reading() as session:
        before = (await session.execute(select(OUTBOX))).all()
    for name in {rule.job for rule in schedule().values() if rule.job}:
        await past.run(name, NOW + 2 * LONG - DAY)
    async with past.database.reading() as session:
        after = (await session.execute(select(OUTBOX))).all()
        assert (await session.execute(select(ENTRY))).all() == []
    assert after[: len(before)] == before
