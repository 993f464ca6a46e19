"""The daily round: unused consents stop and end, renewals and reminders are told; each at its day, once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from consent.calendar import Period, korean_day_of
from consent.events import Event
from consent.ledger.entry import decode
from gateway.database import Database
from gateway.retention.rounds import VISITS
from tests.unit.gateway.retention.living import TODAY, Living, noon

HALF, WHOLE = Period(months=6), Period(months=12)
DAY = timedelta(days=1)


@pytest.fixture
async def living(database: Database) -> Living:
    """One citizen, on each store."""
    made = Living(database)
    await made.citizen()
    return made


async def on(living: Living, day: date) -> None:
    """The round of `day`."""
    await living.run(living.round, noon(day))


@pytest.mark.parametrize(("after", "state"), [(-1, "active"), (0, "active"), (1, "paused")])
async def test_row_31_an_unused_consent_is_paused_after_six_months(
    living: Living, after: int, state: str
) -> None:
    """Not on the last day of the sixth month, but on the day after; the citizen is told."""
    given = await living.given("c-1")
    await on(living, HALF.after(TODAY) + after * DAY)
    assert (await living.state("c-1"))[0] == state
    if state == "paused":
        assert await living.state("c-1") == ("paused", "gateway", "idle")
        assert living.told == [("c-1", "paused")]
        assert ("idle_paused", f"c-1#{given.version}") in await living.notices()
        (grant,) = await living.rows("oauth_grant")
        assert grant.consent_version == given.version + 1


async def test_what_is_used_is_not_stopped(living: Living) -> None:
    """A transfer that brought something counts from its day; one that brought nothing does not."""
    used, tried = await living.given("c-used"), await living.given("c-tried")
    month = noon(TODAY + 30 * DAY)
    await living.sent(used, month)
    await living.sent(tried, month + 1, fields=())
    await on(living, HALF.after(TODAY) + DAY)
    assert (await living.state("c-used"))[0] == "active"
    assert (await living.state("c-tried"))[0] == "paused"
    await on(living, HALF.after(TODAY + 30 * DAY) + DAY)
    assert (await living.state("c-used"))[0] == "paused"


async def test_resuming_counts_as_use(living: Living) -> None:
    """Whoever lets it go on is not stopped again the next day, but half a year later."""
    await living.given("c-1")
    stopped = HALF.after(TODAY) + DAY
    await on(living, stopped)
    await living.move("resume", "c-1", noon(stopped) + 60)
    await on(living, stopped + DAY)
    assert (await living.state("c-1"))[0] == "active"
    await on(living, HALF.after(stopped) + DAY)
    assert await living.state("c-1") == ("paused", "gateway", "idle")
    kinds = [kind for kind, _ in await living.notices() if kind == "idle_paused"]
    assert len(kinds) == 2


@pytest.mark.parametrize(("after", "state"), [(-1, "paused"), (0, "paused"), (1, "expired")])
async def test_row_31_what_stays_unused_ends_after_twelve_months(
    living: Living, after: int, state: str
) -> None:
    """Twelve months from the last use, not from the pause; then by the gateway, with one entry."""
    await living.given("c-1")
    await on(living, HALF.after(TODAY) + 40 * DAY)
    await on(living, WHOLE.after(TODAY) + after * DAY)
    assert (await living.state("c-1"))[0] == state
    if state == "expired":
        assert await living.state("c-1") == ("expired", "gateway", "idle")
        assert living.told[-1] == ("c-1", "expired")
        assert "idle_ended" in [kind for kind, _ in await living.notices()]
        entries = [decode(row.entry).kind for row in await living.rows("ledger_outbox")]
        assert entries.count(Event.CONSENT_GRANT_EXPIRED) == 1


async def test_a_gateway_that_was_off_pauses_before_it_ends(living: Living) -> None:
    """Two years without a round: first a pause and its notice, the end a day later."""
    await living.given("c-1")
    late = WHOLE.after(WHOLE.after(TODAY))
    await on(living, late)
    assert (await living.state("c-1"))[0] == "paused"
    await on(living, late + DAY)
    assert (await living.state("c-1"))[0] == "expired"


async def test_one_the_citizen_paused_ends_a_year_after_that(living: Living) -> None:
    """Pausing is a use like any other act of the citizen."""
    await living.given("c-1")
    await living.move("pause", "c-1", noon(TODAY + 100 * DAY))
    await on(living, WHOLE.after(TODAY + 100 * DAY))
    assert await living.state("c-1") == ("paused", "citizen", None)
    await on(living, WHOLE.after(TODAY + 100 * DAY) + DAY)
    assert await living.state("c-1") == ("expired", "gateway", "idle")


async def test_row_31_a_renewal_is_told_a_month_before_once(living: Living) -> None:
    """On the day it is first offered, however many rounds follow; and not for one that is paused."""
    given = await living.given("c-1", days=90)
    await living.given("c-paused", days=90)
    await living.move("pause", "c-paused", noon(TODAY + DAY))
    first = Period(months=1).before(given.terms.end)
    await on(living, first - DAY)
    assert "renewal" not in [kind for kind, _ in await living.notices()]
    for day in range(3):
        await on(living, first + day * DAY)
    told = [about for kind, about in await living.notices() if kind == "renewal"]
    assert told == [f"c-1#{given.terms.end.isoformat()}"]


async def test_check_28_a_reminder_every_ninety_days(living: Living) -> None:
    """What is shared is called to mind each quarter, once; a paused one shares nothing."""
    given = await living.given("c-1", days=365)
    paused = await living.given("c-2", days=365)
    await living.move("pause", paused.id, paused.created_at + 1)
    for day in (89, 90, 91, 179, 180, 181):
        await on(living, TODAY + day * DAY)
    told = [about for kind, about in await living.notices() if kind == "reminder"]
    assert told == [f"{given.id}#1", f"{given.id}#2"]


async def test_a_round_goes_on_where_it_stopped_and_comes_once_a_day(living: Living) -> None:
    """More than one step holds: another process goes on in between; the day's round ends with all."""
    for number in range(VISITS + 5):
        await living.given(f"c-{number:03}", days=1500 - number)
    late = noon(HALF.after(TODAY) + DAY)
    async with living.database.transaction() as session:
        first = await living.round(session, late)
    assert (first.ended, first.more) == (VISITS, True)
    other = Living(living.database, living.journal, living.told)
    assert await other.run(other.round, late) == 5
    assert len(living.told) == VISITS + 5
    assert await living.run(living.round, late + 3600) == 0


async def test_an_erased_citizen_is_left_alone(living: Living) -> None:
    """Nothing could be entered of them; the consent expires at its end."""
    given = await living.given("c-1")
    async with living.database.transaction() as session:
        await living.journal.forget(session, living.subject, party="operator", at=given.created_at)
    await on(living, WHOLE.after(TODAY) + DAY)
    assert (await living.state("c-1"))[0] == "active"


async def test_a_clock_set_back_goes_no_second_round(living: Living) -> None:
    """The day of the last round is remembered; an earlier day has had its round."""
    await living.given("c-1")
    await on(living, TODAY + 2 * DAY)
    rows = await living.rows("retention_cursor")
    await on(living, TODAY + DAY)
    assert await living.rows("retention_cursor") == rows
    assert korean_day_of(max(row.at for row in rows if row.job == "round/day")) == TODAY + 2 * DAY
