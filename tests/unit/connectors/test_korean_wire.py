"""The Korean MyData conventions on the wire, asked of the sandbox holders directly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from connectors.contract import Outcome
from connectors.registry import sectors
from connectors.sandbox import finance, telecom
from connectors.sandbox.people import people as generate
from tests.unit.connectors.holders import ORG, Bench, bench

LINES = "/v1/bank/accounts/deposit/transactions"
TRAN = "MYDATAGATEM00000000000001"
ASKED = {
    "org_code": ORG,
    "account_num": "110-1",
    "seqno": "01",
    "from_dtime": "20260101000000",
    "to_dtime": "20261231235959",
    "limit": 5,
}


@pytest.fixture
async def bank() -> AsyncIterator[Bench]:
    """The sandbox bank."""
    async with bench() as opened:
        yield opened


async def _post(bank: Bench, *, person: str = "ci-kim", tran: str = TRAN, **other: Any) -> httpx.Response:
    token = await (await bank.token(person, bank.terms(f"c-{person}")))(False)
    body = {name: value for name, value in {**ASKED, **other}.items() if value is not None}
    headers = {"authorization": f"Bearer {token}", "x-api-tran-id": tran, "x-api-type": "scheduled"}
    return await bank.gateway.client.post(f"{bank.holder.manifest.origin}{LINES}", json=body, headers=headers)


async def test_next_page_is_opaque_and_absent_on_the_last_page(bank: Bench) -> None:
    """25 lines by fives: four cursors, then none; result code and echo on each."""
    cursor, pages = None, []
    while True:
        answer = await _post(bank, next_page=cursor)
        body = answer.json()
        assert (body["rsp_code"], answer.headers["x-api-tran-id"]) == ("00000", TRAN)
        pages.append(body["trans_cnt"])
        cursor = body.get("next_page")
        if cursor is None:
            break
    assert pages == [5, 5, 5, 5, 5]
    assert "next_page" not in body


async def test_a_cursor_fits_its_own_question_only(bank: Bench) -> None:
    """With other bounds, another person or a changed letter the cursor is refused."""
    cursor = (await _post(bank)).json()["next_page"]
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for other in (
        {"next_page": cursor, "from_dtime": "20260102000000"},
        {"next_page": changed},
        {"next_page": "5"},
        {"next_page": cursor, "person": "ci-lee", "account_num": "220-1"},
    ):
        assert (await _post(bank, **other)).status_code == 400


@pytest.mark.parametrize(
    "other",
    [
        {"limit": 501},
        {"limit": 0},
        {"limit": -1},
        {"limit": None},
        {"limit": "many"},
        {"org_code": "SOMEBODY00"},
        {"org_code": None},
        {"from_dtime": None},
        {"account_num": 7},
        {"tran": "short"},
    ],
)
async def test_a_question_outside_the_standard_is_refused(bank: Bench, other: dict[str, Any]) -> None:
    """Limit over 500 or missing, another org, no bounds, a short transaction id."""
    answer = await _post(bank, **other)
    assert (answer.status_code, answer.json()["rsp_code"]) == (400, "40001")


async def test_records_have_every_field_of_the_catalogue() -> None:
    """What consent may name, the records have: field ids are the wire names."""
    folder = Path(__file__).parents[3] / "consent" / "catalogue"
    for sector, module, holder_id in (
        ("finance", finance, "hanbit-bank"),
        ("telecom", telecom, "nuri-telecom"),
    ):
        read = yaml.safe_load((folder / f"{sector}.yaml").read_text(encoding="utf-8"))
        async with bench(module, holder_id=holder_id) as holder:
            assert set(module.DATASETS) == set(read["datasets"])
            for name, dataset in read["datasets"].items():
                pulled = await holder.pull(name)
                assert pulled.records
                for record in pulled.records:
                    body = httpx.Response(200, content=record.body).json()
                    assert set(dataset["fields"]) <= set(body)


async def test_generated_people_are_pulled_whole() -> None:
    """A month of the whole sandbox crowd: the holder's own lives, line by line, and the empty one empty."""
    today = date(2026, 11, 22)
    crowd = generate(7, 12, today=today)
    window = {"since": date(2026, 10, 1), "until": date(2026, 10, 31)}
    async with bench(crowd=crowd, page_size=50) as holder:
        for person in crowd:
            token = await holder.token(person.id, holder.terms(f"c-{person.id[:8]}-{person.name}"))
            pulled = await holder.pull("finance.deposit-transactions", token=token, window=window)
            lines = [
                line
                for account in person.accounts
                for line in account.transactions
                if line.trans_dtime.startswith("202610")
            ]
            assert len(pulled.records) == len(lines)
            assert pulled.outcome is (Outcome.COMPLETE if lines else Outcome.EMPTY)


def test_both_sectors_are_found_without_being_registered() -> None:
    """A sector is a folder."""
    assert {"finance", "telecom"} <= sectors()
