"""The questionnaire at its door: answered once, never in the way, joined to nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from gateway.awareness.answers import QUESTIONS
from gateway.awareness.hiding import STEP
from gateway.awareness.ticket import DAYS
from gateway.database import Database
from gateway.demo.browser import Browser, Page
from gateway.retention.jobs import jobs
from gateway.retention.sweep import Sweep
from gateway.telemetry import Metrics
from tests.citizen_stage import CitizenStage

ALL_YES = dict.fromkeys(QUESTIONS, "yes")


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[CitizenStage]:
    """The pages on each store."""
    made = CitizenStage(database)
    await made.register()
    yield made
    await made.close()


async def agreed(stage: CitizenStage, person: str = "p02") -> tuple[Browser, Page]:
    """A citizen who agreed, on the page that says so."""
    browser = stage.browser("en")
    page = await stage.at_question(browser, person=person)
    return browser, await browser.submit(page, page.form("decision"), {"decision": "agree"})


async def post(stage: CitizenStage, values: dict[str, str], origin: str | None = None) -> Any:
    """Send a questionnaire without any cookie, as any browser of this site would."""
    headers = {"origin": origin or stage.origin, "sec-fetch-site": "same-origin"}
    return await stage.http.post(f"{stage.origin}/questionnaire", data=values, headers=headers)


def ticket_of(page: Page) -> str:
    """The ticket in the form of a page."""
    return next(field.value for field in page.form("ticket").fields if field.name == "ticket") or ""


async def tickets(stage: CitizenStage, number: int, kind: str = "grant") -> list[str]:
    """So many tickets of consents there might be."""
    assert stage.site.questionnaire is not None
    give = stage.site.questionnaire.tickets.give
    return [str(give(kind, f"consent-{n}", stage.now, stage.now)) for n in range(number)]


async def counts(stage: CitizenStage) -> Counter[tuple[str, str, str]]:
    """What is counted so far."""
    rows = await stage.rows("questionnaire_count")
    return Counter({(row.kind, row.question, row.answer): row.number for row in rows if row.number})


async def test_after_giving_it_is_offered_and_answered_without_a_session(stage: CitizenStage) -> None:
    """One closed section with a plain form; its answer needs no cookie and leads to a page of thanks."""
    _, page = await agreed(stage)
    assert "Three short questions" in page.text
    answer = await post(stage, {"ticket": ticket_of(page), "understood": "yes", "free": "", "easy": "partly"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/questionnaire/thanks")
    assert "set-cookie" not in answer.headers
    assert "ticket" not in answer.headers["location"]


async def test_after_withdrawing_it_is_asked_about_the_withdrawal(stage: CitizenStage) -> None:
    """Another ticket with words of its own; leaving it costs nothing."""
    browser, page = await agreed(stage)
    given = ticket_of(page)
    row = (await stage.rows("consent"))[0]
    asked = await browser.open(f"{stage.origin}/my/consents/{row.id}/withdraw")
    page = await browser.submit(asked, asked.form("decision"), {"decision": "withdraw"})
    assert "Did you feel free to withdraw?" in page.text
    assert ticket_of(page).startswith("withdrawal.")
    assert ticket_of(page) != given
    assert not await stage.rows("questionnaire_count")


async def test_who_declines_is_not_asked(stage: CitizenStage) -> None:
    """The page after a refusal asks nothing more."""
    browser = stage.browser("en")
    page = await stage.at_question(browser)
    page = await browser.submit(page, page.form("decision"), {"decision": "decline"})
    assert "Three short questions" not in page.text


async def test_a_ticket_counts_once(stage: CitizenStage) -> None:
    """Pressed twice, sent again later with other answers: counted the first time only."""
    [one] = await tickets(stage, 1)
    for answers in (ALL_YES, ALL_YES, dict.fromkeys(QUESTIONS, "no")):
        assert (await post(stage, {"ticket": one, **answers})).status_code == 303
    for other in (await tickets(stage, STEP))[1:]:
        await post(stage, {"ticket": other, **ALL_YES})
    assert await counts(stage) == {("grant", question, "yes"): STEP for question in QUESTIONS}


async def test_no_answer_is_written_alone(stage: CitizenStage) -> None:
    """Four wait; with the fifth all are written as one sum. Another kind waits for its own."""
    for one in (await tickets(stage, STEP))[:-1]:
        await post(stage, {"ticket": one, **ALL_YES})
    [other] = await tickets(stage, 1, "withdrawal")
    await post(stage, {"ticket": other, **ALL_YES})
    assert not await stage.rows("questionnaire_count")
    await post(stage, {"ticket": (await tickets(stage, STEP))[-1], "free": "no"})
    assert await counts(stage) == {
        ("grant", "understood", "yes"): 4,
        ("grant", "understood", "none"): 1,
        ("grant", "free", "yes"): 4,
        ("grant", "free", "no"): 1,
        ("grant", "easy", "yes"): 4,
        ("grant", "easy", "none"): 1,
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"ticket": ""}, 400, "form_invalid"),
        ({"ticket": "grant.1790000000.x.y"}, 410, "questionnaire_over"),
        ({"ticket": "é"}, 410, "questionnaire_over"),
        ({"ticket": "x" * 60_000}, 410, "questionnaire_over"),
        ({"ticket": "x" * 70_000}, 413, "too_large"),
        ({"understood": "maybe"}, 400, "form_invalid"),
        ({"understood": "none"}, 400, "form_invalid"),
        ({"who": "me"}, 400, "form_invalid"),
    ],
)
async def test_what_the_page_could_not_have_sent_is_refused(
    stage: CitizenStage, change: dict[str, str], status: int, code: str
) -> None:
    """A clear answer, and nothing is spent or counted."""
    [one] = await tickets(stage, 1)
    answer = await post(stage, {"ticket": one, **ALL_YES} | change)
    assert answer.status_code == status
    assert code in answer.text
    assert not [row for row in await stage.rows("replay") if row.purpose == "questionnaire"]


async def test_another_site_cannot_answer(stage: CitizenStage) -> None:
    """A form of another origin is refused, the ticket stays good."""
    [one] = await tickets(stage, 1)
    headers = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    url = f"{stage.origin}/questionnaire"
    refused = await stage.http.post(url, data={"ticket": one, **ALL_YES}, headers=headers)
    assert refused.status_code == 403
    assert not [row for row in await stage.rows("replay") if row.purpose == "questionnaire"]


async def test_after_its_days_the_page_asks_no_more(stage: CitizenStage) -> None:
    """A week later the section is gone, an old page is told so, and nothing else changes."""
    browser, page = await agreed(stage)
    old = ticket_of(page)
    stage.later(days=DAYS + 1)
    assert (await post(stage, {"ticket": old, **ALL_YES})).status_code == 410
    again = await stage.sign_in(browser, await browser.open(f"{stage.origin}/my/consents"))
    assert "Three short questions" not in again.text


async def test_what_was_spent_is_forgotten(stage: CitizenStage) -> None:
    """Once a ticket is over by its own date, that it was used is deleted, too."""
    [one] = await tickets(stage, 1)
    await post(stage, {"ticket": one, **ALL_YES})
    stage.later(days=DAYS + 2)
    sweep = Sweep(
        stage.database, jobs(stage.journal, "mydata-gateway"), Metrics(), lambda _s: asyncio.sleep(0)
    )
    for _ in range(3):
        await sweep.once(stage.now)
    assert not [row for row in await stage.rows("replay") if row.purpose == "questionnaire"]
    assert (await post(stage, {"ticket": one, **ALL_YES})).status_code == 410


async def test_a_store_that_fails_loses_no_answer(stage: CitizenStage) -> None:
    """What could not be written is written with the next answer."""
    assert stage.site.questionnaire is not None
    box = stage.site.questionnaire.box
    for _ in range(STEP - 1):
        await box.drop("grant", ALL_YES)
    async with stage.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE questionnaire_count RENAME TO away"))
    with suppress(DBAPIError):
        await box.drop("grant", ALL_YES)
    async with stage.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO questionnaire_count"))
    await box.drop("grant", ALL_YES)
    assert (await counts(stage))["grant", "free", "yes"] == STEP + 1


async def test_no_table_joins_an_answer_to_a_person(stage: CitizenStage) -> None:
    """Five people answer differently; but for the counts nothing in the store changes by what they answered.

    The same five, answering the other way round in another store, leave the same rows everywhere, in the
    same physical order: so no row, no order and no transaction tells who answered what.
    """
    people = ("p01", "p02", "p03", "p04", "p05")
    pages = [(await agreed(stage, person))[1] for person in people]
    before = await _everything(stage)
    for number, page in enumerate(pages):
        one = "no" if number == 0 else "yes"
        await post(stage, {"ticket": ticket_of(page), **dict.fromkeys(QUESTIONS, one)})
    after = await _everything(stage)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"questionnaire_count", "replay"}
    counted = after["questionnaire_count"]
    spent = [row for row in after["replay"] if "questionnaire" in row[1:]]
    assert len(spent) == len(people)
    written = {row[0] for row in counted}
    if stage.database.dialect == "postgresql":  # xmin: the transaction that wrote the row
        assert len(written) == 1
        assert not written & {row[0] for row in spent}
    cells = [row[1:] for row in counted]
    assert {len(cell) for cell in cells} == {5}
    named = {row.id for row in await stage.rows("consent")} | {row.id for row in await stage.rows("subject")}
    assert not named & {str(value) for row in (*counted, *spent) for value in row}


async def _everything(stage: CitizenStage) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table in the order it lies in, on PostgreSQL with the transaction that wrote it."""
    hidden = "xmin::text" if stage.database.dialect == "postgresql" else "0"
    order = "ctid" if stage.database.dialect == "postgresql" else "1"
    found = {}
    async with stage.database.reading() as session:
        for name in SQLModel.metadata.tables:
            query = text(f'SELECT {hidden}, "{name}".* FROM "{name}" ORDER BY {order}')  # noqa: S608
            found[name] = [tuple(row) for row in await session.execute(query)]
    return found
