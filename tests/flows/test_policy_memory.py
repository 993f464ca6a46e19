"""Every decision of a running gateway can be made again, until the citizen's key is gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from consent.calendar import korean_day
from consent.subjects import SubjectId
from gateway.policy.bundle import default_folder, load
from tests.tables import with_tables
from tests.warm import start_mydata
from tests.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A world on each store."""
    url = await with_tables(database_url)
    async with open_world(tmp_path, url) as opened:
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(opened.settings.model_dump(mode="json")))
        yield opened


async def run(world: World, *arguments: str) -> tuple[int, dict[str, Any]]:
    """One `mydata policy` command on the gateway's own settings, as an operator beside it."""
    given = ["policy", *arguments, "--config", str(world.folder / "gateway.yaml")]
    process = await start_mydata(given, world.folder / "errors.txt")
    out = await process.stdout.read()
    return await process.wait(), json.loads(out or b"{}")


async def test_each_decision_replays_until_the_citizen_is_erased(world: World) -> None:
    """A grant and a refusal each give their very bytes again; after erasure the answer is `erased`."""
    given = await world.given()
    transfer = await given.company.ask_transfer(key="first-transfer")
    await world.settled(given.company, transfer)
    await given.company.call(
        "POST", f"{world.origin}/transfers", headers={"Idempotency-Key": "at-once-again"}, json={}
    )
    rows = await world.rows("policy_decision")
    assert {row["allow"] for row in rows} == {True, False}
    assert all(row["eval_us"] > 0 and row["sealed_input"] for row in rows)

    for row in rows:
        code, said = await run(world, "replay", row["id"])
        assert code == 0
        assert said["outcome"] == "equal"
        assert said["again"] == said["recorded"]
        assert said["revision"] == load().revision
    assert (await run(world, "replay", "no-such-decision"))[0] == 2

    (consent,) = await world.rows("consent")
    async with world.database.transaction() as session:
        subject = SubjectId(consent["subject_id"])
        await world.parts.journal.forget(session, subject, party="operator", at=world.clock.seconds)
    for row in rows:
        code, said = await run(world, "replay", row["id"])
        assert (code, said["outcome"]) == (3, "erased")


async def test_what_if_counts_and_hides_small_cells(world: World, tmp_path: Path) -> None:
    """The policy in force changes nothing; a stricter one changes one sector, told as fewer than five."""
    given = await world.given()
    transfer = await given.company.ask_transfer(key="first-transfer")
    await world.settled(given.company, transfer)
    _, same = await run(world, "what-if", "--candidate", str(default_folder()))
    assert (same["looked_at"], same["decisions"], same["items"]) == ("<5", [], [])

    candidate = tmp_path / "candidate"
    shutil.copytree(default_folder(), candidate)
    data = json.loads((candidate / "mydata/reference/data.json").read_text())
    data["sectors"]["energy"]["basis"][0]["recipients"] = ["general"]
    (candidate / "mydata/reference/data.json").write_text(json.dumps(data))
    today = korean_day(world.clock()).isoformat()
    window = ("--from", today, "--to", today)
    code, said = await run(world, "what-if", "--candidate", str(candidate), *window)
    assert code == 0
    assert said["looked_at"] == "<5"
    (changed,) = said["items"]
    assert changed["sector"] == "energy"
    assert changed["was"] == "granted"
    assert "recipient_not_entitled" in changed["would_be"]
    assert changed["count"] == changed["citizens"] == "<5"
