"""Regulators and operators look at past decisions: by token, in a browser; every look is in the ledger."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from consent.calendar import korean_day
from consent.subjects import SubjectId
from gateway.policy import revisions
from gateway.policy.bundle import default_folder, load
from tests.tables import with_tables
from tests.world import World, open_world

FILE = """
readers:
  - {id: fsc, name: 금융위원회, token_sha256: %s, may: [decisions, what-if]}
  - {id: mirror, name: Bank A, token_sha256: %s, may: [entries]}
"""
WEEK = 7 * 86_400


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A world on each store with a regulator (token `all`) and a mirror (token `copy`)."""
    url = await with_tables(database_url)
    file = tmp_path / "readers.yaml"
    file.write_text(FILE % tuple(hashlib.sha256(t).hexdigest() for t in (b"all", b"copy")))
    async with open_world(tmp_path, url, ledger_readers=file) as opened:
        yield opened


async def get(world: World, path: str, token: str | None = "all", **query: Any) -> httpx.Response:  # noqa: S107
    """One JSON look."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return await world.http.get(f"{world.origin}{path}", params=query, headers=headers)


async def looks(world: World) -> list[tuple[str, str]]:
    """Kind and party of every look at decisions that is promised to the ledger."""
    kinds = ("policy:decisions:listed", "policy:decision:replayed", "policy:candidate:tried")
    return [(entry.kind, entry.party) for entry in await world.promised() if entry.kind in kinds]


async def decided(world: World) -> dict[str, Any]:
    """A transfer that was allowed and one that was refused; what a citizen has that no look may show."""
    given = await world.given()
    transfer = await given.company.ask_transfer(key="first-transfer")
    await world.settled(given.company, transfer)
    again = {"Idempotency-Key": "at-once-again"}
    await given.company.call("POST", f"{world.origin}/transfers", headers=again, json={})
    (consent,) = await world.rows("consent")
    return consent


async def test_listed_paged_and_made_again(world: World) -> None:
    """A list goes on page by page, filters, and each decision is `equal`; after erasure it is `erased`."""
    consent = await decided(world)
    first = (await get(world, "/policy/decisions", limit=1)).json()
    second = (await get(world, "/policy/decisions", limit=1, before=first["next"])).json()
    assert [first["decisions"][0]["allow"], second["decisions"][0]["allow"]] == [False, True]
    assert second["next"] is None
    refused = (await get(world, "/policy/decisions", allow="false", since=1)).json()["decisions"]
    assert [one["id"] for one in refused] == [first["decisions"][0]["id"]]
    assert refused[0]["codes"] == ["nothing_granted"]
    assert (await get(world, "/policy/decisions", until=1)).json()["decisions"] == []
    assert (await get(world, "/policy/decisions", client="nobody")).json()["decisions"] == []

    for one in (*first["decisions"], *second["decisions"]):
        answer = await get(world, f"/policy/decisions/{one['id']}/replay")
        said = answer.json()
        assert (answer.status_code, said["outcome"], said["differs"]) == (200, "equal", [])
        assert said["again_sha256"] == said["recorded_sha256"]
        assert answer.headers["cache-control"] == "no-store"
    assert sum(said["granted"].values()) > 0
    async with world.database.transaction() as session:
        subject = SubjectId(consent["subject_id"])
        await world.parts.journal.forget(session, subject, party="operator", at=world.clock.seconds)
    said = (await get(world, f"/policy/decisions/{one['id']}/replay")).json()
    assert (said["outcome"], said["again_sha256"]) == ("erased", None)
    assert (
        await looks(world)
        == [("policy:decisions:listed", "fsc")] * 5 + [("policy:decision:replayed", "fsc")] * 3
    )


async def test_nobody_is_named(world: World) -> None:
    """No answer holds the consent's id, the citizen's, a holder's, or a digest of the question."""
    consent = await decided(world)
    rows = await world.rows("policy_decision")
    holders = {item["holder"] for row in rows for item in json.loads(row["granted"])}
    secret = {consent["id"], consent["subject_id"], *holders, *(row["input_digest"] for row in rows)}
    secret |= {row["request_id"] for row in rows}
    told = [(await get(world, "/policy/decisions")).text]
    told += [(await get(world, f"/policy/decisions/{row['id']}/replay")).text for row in rows]
    assert len(secret) > 6
    for text in told:
        assert not [word for word in secret if word in text]


async def test_only_who_may(world: World) -> None:
    """No token, a wrong one, and an account without the scope see nothing; nor is a look entered."""
    for path in ("/policy/decisions", "/policy/revisions", "/policy/what-if", "/policy/decisions/x/replay"):
        assert (await get(world, path, None)).json()["code"] == "reader_unknown"
        assert (await get(world, path, "guess")).status_code == 401
        assert (await get(world, path, "copy")).json()["code"] == "reader_scope"
    assert await looks(world) == []


WRONG = (
    *("since=x", "since=-1", "until=999999999999", "allow=yes", "before=zz", "limit=0", "limit=101"),
    *("client=%20", "subject=1", "limit=1&limit=2"),
)


async def test_what_is_not_a_question_is_refused(world: World) -> None:
    """Each parameter is bounded, none stands twice, none is made up; a refusal enters nothing."""
    for query in WRONG:
        address = f"{world.origin}/policy/decisions?{query}"
        answer = await world.http.get(address, headers={"authorization": "Bearer all"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), query
    assert await looks(world) == []


async def kept(world: World, folder: Path) -> str:
    """A kept policy under which energy data goes to general recipients only; its revision."""
    shutil.copytree(default_folder(), folder)
    file = folder / "mydata/reference/data.json"
    data = json.loads(file.read_text())
    data["sectors"]["energy"]["basis"][0]["recipients"] = ["general"]
    file.write_text(json.dumps(data))
    bundle = load(folder)
    async with world.database.transaction() as session:
        await revisions.keep(session, bundle, at=world.clock.seconds, built_by="ara", signature=b"x")
    return bundle.revision


async def test_another_policy_on_a_past_week(world: World, tmp_path: Path) -> None:
    """One person changed is told as `<5`; the week must be over; the policy in force changes nothing."""
    await decided(world)
    revision = await kept(world, tmp_path / "candidate")
    today = korean_day(world.clock())
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    asked = {"candidate": revision, "first": sunday.isoformat()}
    early = await get(world, "/policy/what-if", **asked)
    assert (early.status_code, early.json()["code"]) == (400, "invalid_request")
    await world.forward(WEEK)

    (week,) = (await get(world, "/policy/what-if", **asked)).json()["weeks"]
    assert week["looked_at"] == "<5"
    told = {(item["sector"], item["count"], item["citizens"]) for item in week["items"]}
    assert told == {("energy", "<5", "<5")}
    assert all("recipient_not_entitled" in item["would_be"] for item in week["items"])
    in_force = asked | {"candidate": load().revision}
    (same,) = (await get(world, "/policy/what-if", **in_force)).json()["weeks"]
    assert (same["items"], same["decisions"], same["obligations_only"]) == ([], [], 0)
    listed = (await get(world, "/policy/revisions")).json()["policies"]
    assert {one["revision"] for one in listed} == {revision, load().revision}

    monday = (sunday + timedelta(1)).isoformat()
    for wrong in ({"weeks": "6"}, {"weeks": "0"}, {"first": monday}, {"first": "x"}):
        assert (await get(world, "/policy/what-if", **(asked | wrong))).status_code == 400
    assert (await get(world, "/policy/what-if", **(asked | {"candidate": "00000000"}))).status_code == 404
    assert await looks(world) == [("policy:candidate:tried", "fsc")] * 2


async def page(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    """A page in Korean."""
    return await browser.get(path, headers={"accept-language": "ko"})


async def test_the_same_in_a_browser(world: World, tmp_path: Path) -> None:
    """Sign in with the token, list, replay, try another policy, sign out; without a session nothing."""
    consent = await decided(world)
    revision = await kept(world, tmp_path / "candidate")
    await world.forward(WEEK)
    async with httpx.AsyncClient(base_url=world.origin, trust_env=False, follow_redirects=True) as browser:
        assert "계정 토큰" in (await page(browser, "/oversight/decisions")).text
        origin = {"origin": world.origin}
        wrong = await browser.post("/oversight", data={"token": "guess"}, headers=origin)
        assert (wrong.status_code, browser.cookies) == (401, httpx.Cookies())
        lacking = await browser.post("/oversight", data={"token": "copy"}, headers=origin)
        assert lacking.status_code == 403
        listed = await browser.post("/oversight", data={"token": "all"}, headers=origin)
        assert listed.url.path == "/oversight/decisions"
        rows = await world.rows("policy_decision")
        shown = [await page(browser, f"/oversight/decisions/{row['id']}") for row in rows]
        assert all("<h1>같아요</h1>" in one.text for one in shown)
        today = korean_day(world.clock())
        first = today - timedelta(days=(today.weekday() + 1) % 7 + 7)
        tried = await page(browser, f"/oversight/what-if?candidate={revision}&first={first}&weeks=1")
        assert "recipient_not_entitled" in tried.text
        assert "5 미만" in tried.text
        denied = await page(browser, "/oversight/decisions?answer=denied")
        assert denied.text.count('class="card"') == 1
        for one in (listed, *shown, tried):
            assert "<script" not in one.text
            assert consent["id"] not in one.text
            assert consent["subject_id"] not in one.text
            assert "hanbit" not in one.text
        assert (await page(browser, "/oversight/decisions?before=x")).status_code == 400
        assert (await page(browser, "/oversight/decisions/x")).status_code == 404
        await browser.post("/oversight/sign-out", headers=origin)
        assert "계정 토큰" in (await page(browser, "/oversight/decisions")).text
    assert {party for _, party in await looks(world)} == {"fsc"}
