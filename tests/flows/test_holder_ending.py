"""A holder ends its own part of a consent, at its own account's door, on each store."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml

from gateway.demo.company import CompanyError
from gateway.ledger.readers import load_readers
from gateway.settings import SettingsError
from tests.flows.portal import entered
from tests.flows.test_ledger_lags import behind
from tests.flows.test_paused import at_bank, said
from tests.tables import with_tables
from tests.world import World, open_world

BANK, TELECOM = "hanbit-bank", "nuri-telecom"
ACCOUNTS = {BANK: "of-the-bank", TELECOM: "of-the-telecom", "viewer": "of-a-viewer"}


def accounts(folder: Path) -> Path:
    """A file with an account for each of two holders, and one that may only read figures."""
    readers = [
        {"id": id, "name": id, "token_sha256": hashlib.sha256(secret.encode()).hexdigest()}
        | ({"may": ["metrics"]} if id == "viewer" else {"may": ["end"], "holder": id})
        for id, secret in ACCOUNTS.items()
    ]
    file = folder / "readers.yaml"
    file.write_text(yaml.safe_dump({"readers": readers}))
    return file


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A whole gateway with these accounts."""
    url = await with_tables(database_url)
    async with open_world(tmp_path, url, ledger_readers=accounts(tmp_path)) as opened:
        yield opened


async def end(
    world: World, consent: str, who: str = BANK, why: object = "left_holder", **more: object
) -> httpx.Response:
    """The account of `who` ends its part."""
    url, headers = f"{world.origin}/consents/{consent}/holder-ending", {}
    if who in ACCOUNTS:
        headers["authorization"] = f"Bearer {ACCOUNTS[who]}"
    return await world.http.post(url, json={"why": why, **more}, headers=headers)


async def test_row_13_a_holder_takes_its_part_out_and_the_rest_goes_on(world: World) -> None:
    """One version more by the holder; the next transfer brings the others; the citizen reads who and why."""
    given = await world.given()
    answer = await end(world, given.consent_id)
    assert (answer.status_code, answer.json()["state"], answer.json()["holder"]) == (200, "active", BANK)
    *_, version = sorted(await world.rows("consent_version"), key=lambda row: row["version"])
    assert (version["move"], version["by"], version["why"]) == ("narrow", "holder", "left_holder")

    await given.company.refresh()
    done = await world.settled(given.company, await given.company.ask_transfer("after-the-bank-left"))
    holders = {item["item"].partition("/")[0] for item in done["items"] if item["outcome"] == "complete"}
    assert holders
    assert BANK not in holders
    told = await world.rows("holder_notice")
    assert {row["holder"] for row in told if row["event"] == "narrowed"} >= {BANK}

    detail = await given.citizen.look(given.consent_id)
    assert "정보를 가진 곳이 자기 몫의 전송을 끝냈어요" in detail.words
    assert "더는 고객이 아니라고 밝혔어요" in detail.words
    inbox = await given.citizen.browser.open(f"{world.origin}/my/notices")
    assert "정보를 가진 곳이 전송을 끝냈어요" in inbox.words
    assert (await entered(world, "consent:grant:narrowed")).total() == 1


async def test_the_last_holder_revokes_the_consent(world: World) -> None:
    """Nothing is left: revoked by the holder, tokens dead, and the company is told why."""
    given = await at_bank(world)
    answer = await end(world, given.consent_id, why="order")
    assert answer.json()["state"] == "revoked"
    (consent,) = await world.rows("consent")
    assert (consent["state"], consent["by"], consent["why"]) == ("revoked", "holder", "order")
    with pytest.raises(CompanyError):
        await given.company.refresh()
    detail = await given.citizen.look(given.consent_id)
    assert "정보를 가진 곳이 동의를 끝냈어요" in detail.words
    assert "기관의 명령이 있었어요" in detail.words


async def test_again_at_once_and_after_the_end_change_nothing(world: World) -> None:
    """Five times at once is one move; a paused one is narrowed too; after a withdrawal all stays as it is."""
    given = await world.given()
    await said(world, given, "pause")
    answers = await asyncio.gather(*(end(world, given.consent_id) for _ in range(5)))
    assert {(a.status_code, a.json()["state"], a.json()["version"]) for a in answers} == {(200, "paused", 3)}
    assert len([row for row in await world.rows("consent_version") if row["move"] == "narrow"]) == 1
    assert len([row for row in await world.rows("notice") if row["kind"] == "holder_ended"]) == 1
    await given.citizen.withdraw(given.consent_id)
    before = await world.rows("consent_version")
    assert (await end(world, given.consent_id, TELECOM)).json()["state"] == "withdrawing"
    assert await world.rows("consent_version") == before


async def test_a_holder_is_not_held_up_by_a_ledger_that_lags(world: World) -> None:
    """As every ending: it needs no signed checkpoint."""
    given = await at_bank(world)
    async with behind(world):
        assert (await end(world, given.consent_id)).json()["state"] == "revoked"


async def test_what_a_holder_may_not_do_changes_nothing(world: World) -> None:
    """Nobody, an account without the power, another holder's consent, an unknown one, wrong bodies."""
    given = await at_bank(world)
    async with world.unchanged():
        for who, consent, why, status, code in (
            ("nobody", given.consent_id, "order", 401, "reader_unknown"),
            ("viewer", given.consent_id, "order", 403, "reader_scope"),
            (TELECOM, given.consent_id, "order", 404, "consent_not_found"),
            (BANK, "c-never-was", "order", 404, "consent_not_found"),
            (BANK, given.consent_id, "because", 400, "invalid_request"),
            (BANK, given.consent_id, ["order"], 400, "invalid_request"),
        ):
            answer = await end(world, consent, who, why)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (who, why)
        assert (await end(world, given.consent_id, by="citizen")).status_code == 400
        assert (await end(world, given.consent_id, why="x" * 5000)).status_code == 413


def test_an_account_that_may_end_names_its_holder_and_no_other_does(tmp_path: Path) -> None:
    """Both ways round the settings are refused: MYDATA.L012."""
    for more in ({"may": ["end"]}, {"may": ["metrics"], "holder": BANK}):
        one = {"id": "bank", "name": "Bank", "token_sha256": "0" * 64, **more}
        (tmp_path / "readers.yaml").write_text(yaml.safe_dump({"readers": [one]}))
        with pytest.raises(SettingsError, match=r"MYDATA\.L012"):
            load_readers(tmp_path / "readers.yaml")
