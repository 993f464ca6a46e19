"""Consents that are over are written so: one move, one entry, what follows; once, whoever does it."""

from __future__ import annotations

import asyncio

import pytest

from consent.ledger.entry import decode
from gateway.database import Database
from gateway.retention.expiring import AT_ONCE
from tests.unit.gateway.retention.living import Living


@pytest.fixture
async def living(database: Database) -> Living:
    """One citizen, on each store."""
    made = Living(database)
    await made.citizen()
    return made


async def kinds(living: Living) -> list[str]:
    """The kinds of every entry that is promised, in order."""
    rows = sorted(await living.rows("ledger_outbox"), key=lambda row: row.id)
    return [decode(row.entry).kind for row in rows]


@pytest.mark.parametrize(("late", "state"), [(-1, "active"), (0, "expired")])
async def test_row_9_a_consent_expires_at_its_end(living: Living, late: int, state: str) -> None:
    """By the second: not one before its end, and then by the gateway, once, with one entry."""
    given = await living.given("c-1", days=90)
    for _ in range(2):
        await living.run(living.expiring, given.terms.end_at + late)
    assert (await living.state("c-1"))[0] == state
    expired = state == "expired"
    assert living.told == ([("c-1", "expired")] if expired else [])
    assert (await kinds(living)).count("consent:grant:expired") == int(expired)
    versions = [row for row in await living.rows("consent_version") if row.move == "expire"]
    assert [(row.by, row.why, row.at) for row in versions] == (
        [("gateway", None, given.terms.end_at)] if expired else []
    )


async def test_what_was_paused_expires_too(living: Living) -> None:
    """The end of a paused consent is the same end."""
    given = await living.given("c-1", days=90)
    await living.move("pause", "c-1", given.created_at + 1)
    await living.run(living.expiring, given.terms.end_at)
    assert await living.state("c-1") == ("expired", "gateway", None)


async def test_a_consent_outlives_an_erased_citizen_by_no_second(living: Living) -> None:
    """Without the citizen's key it expires all the same; the entry names the consent and nobody."""
    given = await living.given("c-1", days=90)
    async with living.database.transaction() as session:
        await living.journal.forget(session, living.subject, party="operator", at=given.created_at + 1)
    await living.run(living.expiring, given.terms.end_at)
    assert (await living.state("c-1"))[0] == "expired"


async def test_row_31_two_processes_expire_each_consent_once(living: Living) -> None:
    """Several at once over more than one batch, of two citizens: every one once, none forgotten."""
    names = []
    for person in range(2):
        await living.citizen()
        for number in range(AT_ONCE * 2 // 3):
            names.append((await living.given(f"c-{person}-{number}", days=30)).id)
    others = [Living(living.database, living.journal, living.told) for _ in range(2)]
    end = (await living.given("c-late", days=31)).terms.end_at - 86_400
    await asyncio.gather(*(one.run(one.expiring, end) for one in (living, *others)))
    await living.run(living.expiring, end)
    assert sorted(id for id, _ in living.told) == sorted(names)
    assert (await kinds(living)).count("consent:grant:expired") == len(names)
    assert (await living.state("c-late"))[0] == "active"
