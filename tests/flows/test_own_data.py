"""A citizen has their own data handed to themself, over real holders."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from consent import rights_repository as repository
from consent.exclusions import asked_item
from consent.rights import SelfRequest, State
from consent.subjects import SubjectId
from gateway.transfers.own.ask import OwnAsk
from gateway.transfers.own.collected import Collected
from tests.world import World, open_world

BANK = ("hanbit-bank", "finance.deposit-transactions")
POSTED = {"content-type": "application/x-www-form-urlencoded"}
HOSPITAL = ("saebom-hospital", "medical.observations")


async def settled(world: World, request: SelfRequest) -> SelfRequest:
    """Wait until the request is neither asked nor pulling, at most twenty seconds."""
    for _ in range(400):
        async with world.database.reading() as session:
            live = await repository.load(session, request.id)
        assert live is not None
        if live.state not in (State.ASKED, State.PULLING):
            return live
        await asyncio.sleep(0.05)
    raise AssertionError("the request is not settled")


async def test_pipa_42_5_own_data_is_pulled_for_the_citizen_alone(tmp_path: Path, own_url: str) -> None:
    """Asked once, pulled under an authorisation of its own, kept sealed, untreated but for exclusions."""
    async with open_world(tmp_path, own_url) as world:
        await world.given()
        (consent,) = await world.rows("consent")
        subject = SubjectId(consent["subject_id"])
        items = [asked_item(world.parts.catalogue, *one) for one in (BANK, HOSPITAL)]
        ask = OwnAsk(subject, "form-key-1", items, "openid")
        request = await world.parts.own.asking.ask(ask)
        again = await world.parts.own.asking.ask(ask)
        assert again.id == request.id
        done = await settled(world, request)
        assert done.state is State.READY, done
        assert [one.outcome for one in done.received] == ["complete", "complete"]
        async with world.database.reading() as session:
            sealed = await repository.sealed_of(session, done.id)
            key = await world.parts.journal.keys.key(session, subject)
        kept = Collected.open(key, done.id, sealed)
        bank = bytes(kept.parts["hanbit-bank/finance.deposit-transactions"].records[0])
        assert b"account_num" in bank
        assert all(
            b"performer" not in bytes(r) for r in kept.parts["saebom-hospital/medical.observations"].records
        )
        kinds = await world.kinds()
        assert {k: n for k, n in kinds.items() if k.startswith("rights:")} == {
            "rights:request:asked": 1,
            "rights:request:begun": 1,
            "rights:request:delivered": 1,
        }


async def test_row_26_the_citizen_asks_takes_and_deletes_on_their_pages(tmp_path: Path, own_url: str) -> None:
    """One form to ask, pressed twice one request; the archive once; gone after; every step in the ledger."""
    async with open_world(tmp_path, own_url) as world:
        given = await world.given()
        browser = given.citizen.browser
        page = await browser.open(f"{world.origin}/my/rights")
        assert page.status == 200, page.words[:300]
        form = page.form("item")
        asked: dict[str, str | list[str] | None] = {
            "item": ["hanbit-bank/finance.deposit-transactions", "dadam-market/retail.orders"]
        }
        one = await browser.submit(page, form, asked)
        two = await browser.submit(page, form, asked)
        assert one.url == two.url
        (row,) = await world.rows("self_request")
        async with world.database.reading() as session:
            request = await repository.load(session, row["id"])
        assert request is not None
        await settled(world, request)
        page = await browser.open(one.url)
        assert "모두 왔어요" in page.words, page.words
        answer = await browser.http.post(f"{one.url}/file", headers=POSTED | {"origin": world.origin})
        assert answer.status_code == 200, answer.text[:300]
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = archive.namelist()
            data = json.loads(archive.read("data.json"))
        assert names[:2] == ["data.json", "index.html"]
        assert {item["outcome"] for item in data["items"]} == {"complete"}
        assert all(item["records"] for item in data["items"])
        gone = await browser.http.post(f"{one.url}/cancel", headers=POSTED | {"origin": world.origin})
        assert gone.status_code in (200, 303)
        (row,) = await world.rows("self_request")
        assert (row["state"], bytes(row["sealed"])) == ("cancelled", b"")
        kinds = await world.kinds()
        assert kinds["rights:request:fetched"] == kinds["rights:request:cancelled"] == 1
        page = await browser.open(f"{world.origin}/my/notices")
        assert "내 데이터가 준비됐어요" in page.words


async def test_pipa_42_6_11_the_record_tells_both_kinds_and_what_was_received(
    tmp_path: Path, own_url: str
) -> None:
    """Each sent item has its moment, and after the company fetched the bundle the moment of receipt."""
    async with open_world(tmp_path, own_url) as world:
        given = await world.given()
        asked = await given.company.ask_transfer("for-the-record")
        done = await world.settled(given.company, asked)
        address = f"{world.origin}/rights?kind=third_party"

        async def items() -> list[dict[str, Any]]:
            (record,) = (await given.citizen.browser.http.get(address)).json()["requests"]
            assert record["recipient"]["kinds"]["finance"] == "licensed_operator"
            (transfer,) = record["transfers"]
            assert (record["verification"].split()[0], record["agent"]) == ("openid", None)
            assert transfer["bundle"]["manifest"].startswith("sha256:")
            assert all(item["frequency"] and "excluded" in item for item in record["items"])
            (row,) = await world.rows("consent")
            page = await given.citizen.browser.open(f"{world.origin}/my/consents/{row['id']}")
            (link,) = [link for link in page.links if "/rights?consent=" in link]
            alone = (await given.citizen.browser.http.get(link)).json()
            assert alone["requests"] == [record]
            assert transfer["decision"]["id"]
            assert "pseudonymise" in transfer["decision"]["obligations"]
            return [item for item in transfer["items"] if item["sent"]]

        assert {item["received_at"] for item in await items()} == {None}
        await given.company.download(done["bundle"].rsplit("/", 1)[1])
        assert all(item["received_at"] >= item["sent_at"] for item in await items())
        assert (await given.citizen.browser.http.get(f"{world.origin}/rights")).json()["requests"] == []
        stranger = await world.http.get(address)
        assert stranger.status_code == 401
        odd = await given.citizen.browser.http.get(f"{world.origin}/rights?kind=other")
        assert odd.status_code == 400
