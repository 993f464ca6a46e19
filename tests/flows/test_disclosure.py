"""Records that leave: a period for the regulator, everything for a successor, and the end said in time."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlmodel import SQLModel

import gateway.migrations.tables  # noqa: F401 - every table, so that each is on one side
from connectors.sandbox.faults import Fault
from consent.calendar import day_begins, korean_day
from consent.events import Event
from consent.receipt_jws import ReceiptError
from gateway.cli import main
from gateway.disclosure.ending import Announcement, announce
from gateway.disclosure.folder import MANIFEST, check
from gateway.disclosure.letters import letters
from gateway.disclosure.takeover import handed, left
from gateway.errors import Problem
from gateway.registry import load_registry
from tests.world import Given, World

SHOP = "dadam-market"


async def mydata(world: World, *words: str) -> int:
    """Run a command beside the running gateway, on its store and keys."""
    file = world.folder / "command.yaml"
    settings = {
        "profile": "demo", "issuer": world.settings.issuer, "database": world.settings.database,
        "keys": str(world.settings.keys), "registry": str(world.settings.registry),
    }  # fmt: skip
    file.write_text(yaml.safe_dump(settings))
    return await asyncio.to_thread(main, [*words, "--config", str(file)])


async def published(world: World) -> dict[str, Any]:
    """The issuer's keys, as anybody fetches them."""
    answer = await world.http.get(f"{world.origin}/.well-known/historical-jwks.json")
    if answer.status_code != 200:
        answer = await world.http.get(f"{world.origin}/oauth/jwks")
    found: dict[str, Any] = answer.json()
    return found


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """Every row of one file."""
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


async def lived(world: World) -> tuple[Given, dict[str, Any]]:
    """A consent, a transfer with one holder down, everything in the log."""
    given = await world.given()
    world.faults[SHOP].add(Fault.DOWN)
    transfer = await world.settled(given.company, await given.company.ask_transfer("for-the-records"))
    world.calm()
    await world.parts.log.integrate_now()
    return given, transfer


async def test_pipa_42_16_a_period_is_handed_to_the_regulator_and_entered_first(
    own_world: World, tmp_path: Path
) -> None:
    """Transfers by item with reasons, consents to third parties, of these days only, signed, no value."""
    world, day = own_world, korean_day(own_world.clock())
    given, transfer = await lived(world)
    days = ["--since", day.isoformat(), "--until", day.isoformat(), "--to", "pipc", "--case", "2026-71"]
    assert await mydata(world, "records", "period", str(tmp_path / "out"), *days) == 0
    made = check(tmp_path / "out", await published(world))

    assert (made["schema"], made["authority"], made["since"]) == ("mydata-period/1", "pipc", day_begins(day))
    assert [one["id"] for one in lines(tmp_path / "out", "transfers")] == [transfer["id"]]
    items = {one["item"].split("/")[0]: one for one in lines(tmp_path / "out", "items")}
    assert items["hanbit-bank"]["sent"]
    assert items[SHOP]["sent"] == []
    assert set(items[SHOP]["withheld"].values())
    (consent,) = lines(tmp_path / "out", "consents")
    assert (consent["id"], consent["client_id"]) == (given.consent_id, given.company.client_id)
    assert consent["terms"]
    assert [one["move"] for one in lines(tmp_path / "out", "consent-moves")] == ["ask", "give"]
    assert (await world.kinds())[Event.RECORDS_PERIOD_DISCLOSED.value] == 1

    before = [(day - timedelta(days=1)).isoformat()] * 2
    earlier = ["--since", before[0], "--until", before[1], "--to", "pipc", "--case", "2026-72"]
    assert await mydata(world, "records", "period", str(tmp_path / "empty"), *earlier) == 0
    assert not any(one["rows"] for one in check(tmp_path / "empty", await published(world))["files"])


async def test_pipa_42_16_what_cannot_be_written_is_not_entered(own_world: World, tmp_path: Path) -> None:
    """A folder that is not empty, days the wrong way round: refused, and nothing is said to have left."""
    (tmp_path / "old").write_text("another export")
    day = korean_day(own_world.clock()).isoformat()
    words = ["--to", "pipc", "--case", "2026-71"]
    async with own_world.unchanged(entries=0):
        assert (
            await mydata(
                own_world, "records", "period", str(tmp_path), "--since", day, "--until", day, *words
            )
            == 2
        )
        assert (
            await mydata(
                own_world,
                "records",
                "period",
                str(tmp_path / "n"),
                "--since",
                day,
                "--until",
                "2020-01-01",
                *words,
            )
            == 2
        )
    assert not (tmp_path / "n").exists()


async def test_pipa_42_12_7_everything_is_handed_over_to_a_successor(
    own_world: World, tmp_path: Path
) -> None:
    """Every table that goes is there row for row, the log verifies, and one changed byte is found."""
    world, out = own_world, tmp_path / "out"
    given, _ = await lived(world)
    assert (
        await mydata(world, "records", "takeover", str(out), "--to", "next-gateway", "--case", "ending") == 0
    )
    keys = await published(world)
    made = check(out, keys)

    assert made["left"] == left()
    for table in (
        "consent",
        "consent_version",
        "transfer",
        "oauth_grant",
        "subject",
        "mandate",
        "consent_text",
    ):
        assert len(lines(out, table)) == len(await world.rows(table)), table
    (consent,) = lines(out, "consent")
    assert consent["id"] == given.consent_id
    assert consent["terms"][0]["type"]
    entered = len(lines(out, "ledger_payload"))
    assert made["entries"] + len(lines(out, "ledger_outbox")) == entered
    assert (await world.kinds())[Event.RECORDS_TAKEOVER_DISCLOSED.value] == 1
    whole = "".join(file.read_text() for file in out.glob("*.jsonl"))
    assert given.tokens["refresh_token"] not in whole

    with (out / "consent.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(Problem) as caught:
        check(out, keys)
    assert (caught.value.code, caught.value.params) == ("records_changed", {"file": "consent.jsonl"})
    signed = (out / MANIFEST).read_text()
    (out / MANIFEST).write_text(signed.replace(".", ".A", 1))
    with pytest.raises(ReceiptError):
        check(out, keys)


async def test_pipa_42_12_7_the_end_is_said_six_months_before_to_everybody(own_world: World) -> None:
    """Too early a day is refused; then each company, holder and citizen is told once, the late too."""
    world = own_world
    given = await world.given()
    at, registry = world.clock.seconds, load_registry(world.settings.registry, plain_http=True)
    today = korean_day(world.clock())
    day = date(today.year + 1, today.month, 1)
    told = dict.fromkeys(letters(registry, ["deundeun-budget"], day, today), "0" * 64)
    journal = world.parts.journal
    with pytest.raises(Problem) as caught:
        await announce(world.database, journal, Announcement("op", today + timedelta(days=180), at), told)
    assert caught.value.code == "handover_too_soon"
    assert (await world.kinds())[Event.GATEWAY_ENDING_ANNOUNCED.value] == 0

    assert await announce(world.database, journal, Announcement("op", day, at), told) == 1
    assert await announce(world.database, journal, Announcement("op", day, at), told) == 0
    async with world.database.transaction() as session:
        await journal.keys.create(session)
    much_later = Announcement("op", day, at + 300 * 86_400)
    assert await announce(world.database, journal, much_later, told) == 1
    assert (await world.kinds())[Event.GATEWAY_ENDING_ANNOUNCED.value] == 1 + len(told)
    page = await given.citizen.browser.open(f"{world.origin}/my/notices")
    assert day.isoformat() in page.words


async def test_pipa_42_12_7_the_letters_lie_ready(own_world: World, tmp_path: Path) -> None:
    """One for every company and holder of the registry, naming the day; too early a day writes none."""
    day = korean_day(own_world.clock()) + timedelta(days=400)
    assert await mydata(own_world, "records", "ending", day.isoformat(), str(tmp_path / "letters")) == 0
    names = {file.stem for file in (tmp_path / "letters").iterdir()}
    assert {"hanbit-bank", SHOP, "deundeun-budget"} <= names
    assert all(day.isoformat() in file.read_text() for file in (tmp_path / "letters").iterdir())
    soon = (korean_day(own_world.clock()) + timedelta(days=30)).isoformat()
    assert await mydata(own_world, "records", "ending", soon, str(tmp_path / "none")) == 2
    assert not (tmp_path / "none").exists()


def test_pipa_42_12_7_every_table_goes_or_says_why_it_stays() -> None:
    """No table of the store stands on neither side, or on both."""
    tables = set(SQLModel.metadata.tables)
    assert not tables - set(handed()) - set(left())
    assert not set(handed()) & set(left())
    for name, how in handed().items():
        assert {*how.json, *how.without} <= set(SQLModel.metadata.tables[name].columns.keys()), name
