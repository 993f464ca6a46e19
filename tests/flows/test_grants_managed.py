"""Grants through the whole gateway: added to, replaced, finished after a lost answer, narrowed, given up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from consent.events import Event
from gateway.demo.browser import Left, Page
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company
from tests.flows.messages import code_form, token
from tests.world import Given, World, open_world

BANK = "hanbit-bank/finance.deposit-transactions"
ORDERS = "dadam-market/retail.orders"
METER = "haeoreum-energy/energy.electricity-usage"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[World]:
    """A world with two citizens."""
    async with open_world(tmp_path, count=2) as opened_world:
        yield opened_world


def of(asked: list[dict[str, Any]], *holders: str) -> list[dict[str, Any]]:
    """The part of a request that is for these holders."""
    return [entry for entry in asked if entry["holder"] in holders]


async def opened(citizen: Citizen, address: str) -> Page | dict[str, str]:
    """Where a pushed request leads this citizen: a page, or straight back to the company."""
    try:
        page = await citizen.browser.open(address)
        if any("/sign-in/start" in link for link in page.links):
            page = await citizen.sign_in(address)
        return page
    except Left as left:
        return left.query


async def agreed(company: Company, citizen: Citizen, page: Page, *items: str) -> dict[str, Any]:
    """The tokens after a yes with these items."""
    done = await citizen.answer(page, "agree", Wishes(items=items))
    assert done.url.endswith("/done"), done.words[:400]
    return await company.exchange(await citizen.return_to_company(done))


async def given(world: World, *holders: str, items: tuple[str, ...] = (), person: str = "p01") -> Given:
    """A consent for these holders."""
    wishes = Wishes(items=items)
    citizen = await world.citizen(person)
    return await world.given(citizen=citizen, asked=of(world.asked(), *holders), wishes=wishes)


def named(tokens: dict[str, Any]) -> set[str]:
    """The items of a token response."""
    return {
        f"{entry['holder']}/{item['dataset']}"
        for entry in tokens["authorization_details"]
        for item in entry["items"]
    }


async def test_a_merge_asks_only_for_what_is_new(own_world: World) -> None:
    """The page names what stays and offers the new item; the consent gets a version with both."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market", items=(ORDERS,))
    company, citizen = before.company, before.citizen
    old = dict(before.tokens)
    ask = of(world.asked(), "hanbit-bank", "haeoreum-energy")
    address = await company.push(ask, grant_management_action="merge", grant_id=old["grant_id"])
    page = await opened(citizen, address)
    assert isinstance(page, Page)
    assert "전에 동의한 것" in page.words
    assert "다담마켓" in page.words
    boxes = citizen.boxes(page)
    assert f"item={METER}" in boxes
    assert not any(ORDERS in box for box in boxes)
    new = await agreed(company, citizen, page, METER)
    assert new["grant_id"] == old["grant_id"]
    assert named(new) == named(old) | {METER}
    (consent,) = await world.rows("consent")
    assert (consent["state"], consent["version"]) == ("active", 2)
    assert (await world.kinds())[Event.CONSENT_GRANT_AMENDED] == 1
    company.tokens = old
    refused = await token(company, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert refused.json()["code"] == "token_superseded"
    company.tokens = new
    transfer = await world.settled(company, await company.ask_transfer("after-the-merge"))
    assert {item["item"] for item in transfer["items"] if item["sent"]} == {BANK, ORDERS, METER}


async def test_a_merge_refused_leaves_everything(own_world: World) -> None:
    """The citizen says no to more: tokens, grant and consent go on as before."""
    world = own_world
    before = await given(world, "hanbit-bank")
    ask = of(world.asked(), "hanbit-bank", "haeoreum-energy")
    grant_id = before.tokens["grant_id"]
    address = await before.company.push(ask, grant_management_action="merge", grant_id=grant_id)
    page = await opened(before.citizen, address)
    assert isinstance(page, Page)
    done = await before.citizen.answer(page, "refuse", Wishes(items=()))
    assert (await before.citizen.return_to_company(done))["error"] == "access_denied"
    assert (await before.company.ask_transfer("still-mine"))["decision"]["allow"]
    states = sorted(row["state"] for row in await world.rows("consent"))
    assert states == ["active", "refused"]


async def test_another_person_is_refused_without_a_word_about_whose_it_is(two: World) -> None:
    """Who signs in and is not the citizen of the grant: the client is told invalid_grant_id, no more."""
    world = two
    before = await given(world, "hanbit-bank")
    other = await world.citizen("p02")
    await other.sign_in(f"{world.origin}/my/consents")
    ask = of(world.asked(), "hanbit-bank", "haeoreum-energy")
    grant_id = before.tokens["grant_id"]
    for action in ("merge", "replace"):
        address = await before.company.push(ask, grant_management_action=action, grant_id=grant_id)
        async with world.unchanged():
            answer = await opened(other, address)
        assert isinstance(answer, dict)
        assert answer["error"] == "invalid_grant_id"
        assert set(answer) == {"error", "state", "iss"}
    assert (await before.company.ask_transfer("untouched"))["decision"]["allow"]


async def test_a_replacement_says_what_ends(own_world: World) -> None:
    """The page lists what is not asked for any more; after a yes only the new terms hold."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market", items=(ORDERS,))
    company, citizen = before.company, before.citizen
    ask = of(world.asked(), "hanbit-bank", "haeoreum-energy")
    grant_id = before.tokens["grant_id"]
    address = await company.push(ask, grant_management_action="replace", grant_id=grant_id)
    page = await opened(citizen, address)
    assert isinstance(page, Page)
    assert "동의하면 더는 보내지 않는 것" in page.words
    new = await agreed(company, citizen, page, METER)
    assert (new["grant_id"], ORDERS in named(new), METER in named(new)) == (grant_id, False, True)
    notices = await world.rows("holder_notice")
    assert {"dadam-market"} <= {row["holder"] for row in notices}
    assert {row["event"] for row in notices} == {"narrowed"}


async def test_a_lost_token_answer_is_finished_without_asking_again(own_world: World) -> None:
    """The code is spent and its answer gone: the refusal names the grant, a merge gives a new code."""
    world = own_world
    company, citizen = await world.company(), await world.citizen()
    page = await world.question(company, citizen, of(world.asked(), "hanbit-bank", "dadam-market"))
    done = await citizen.answer(page, "agree", Wishes(items=(ORDERS,)))
    answer = await citizen.return_to_company(done)
    lost = (await token(company, **code_form(company, answer))).json()
    again = await token(company, **code_form(company, answer))
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    grant_id = again.json()["params"]["grant_id"]
    ask = of(world.asked(), "hanbit-bank", "dadam-market")
    address = await company.push(ask, grant_management_action="merge", grant_id=grant_id)
    back = await opened(citizen, address)
    assert isinstance(back, dict)
    tokens = await company.exchange(back)
    assert (tokens["grant_id"], named(tokens)) == (grant_id, named(lost))
    assert (await company.ask_transfer("finished"))["decision"]["allow"]
    refused = await token(company, grant_type="refresh_token", refresh_token=lost["refresh_token"])
    assert refused.json()["code"] == "token_superseded"
    (consent,) = await world.rows("consent")
    assert consent["version"] == 1
    assert (await world.kinds())[Event.CONSENT_GRANT_GIVEN] == 1


async def test_a_lost_redirect_is_finished_without_asking_again(own_world: World) -> None:
    """The citizen agreed and the way back was lost: the grant named with the push is gone on with."""
    world = own_world
    company, citizen = await world.company(), await world.citizen()
    ask = of(world.asked(), "hanbit-bank")
    page = await opened(citizen, await company.push(ask, grant_management_action="create"))
    assert isinstance(page, Page)
    grant_id = company.grant_id
    done = await citizen.answer(page, "agree", Wishes(items=()))
    assert done.url.endswith("/done")
    address = await company.push(ask, grant_management_action="merge", grant_id=grant_id)
    back = await opened(citizen, address)
    assert isinstance(back, dict)
    tokens = await company.exchange(back)
    assert tokens["grant_id"] == grant_id
    assert (await company.ask_transfer("finished"))["decision"]["allow"]
    late = await citizen.return_to_company(done)
    assert late["error"] == "access_denied"


async def test_more_than_was_ever_asked_is_asked(own_world: World) -> None:
    """The way that asks nothing again is closed to anything the citizen has not decided on before."""
    world = own_world
    before = await given(world, "hanbit-bank")
    wider = of(world.asked(), "hanbit-bank")
    wider[0]["retention"] = "P60D"
    longer = of(world.asked(), "hanbit-bank")
    longer[0]["items"][0]["frequency"] = "P1D"
    grant_id = before.tokens["grant_id"]
    asked = of(world.asked(), "hanbit-bank")[0]
    for ask in (longer,) if asked["retention"] == "P90D" else (wider, longer):
        address = await before.company.push(ask, grant_management_action="merge", grant_id=grant_id)
        assert isinstance(await opened(before.citizen, address), Page)


async def test_a_company_gives_a_grant_up(own_world: World) -> None:
    """DELETE ends consent, transfers and bundles, and every holder will be told; the citizen reads who."""
    world = own_world
    before = await given(world, "hanbit-bank")
    company = before.company
    transfer = await world.settled(company, await company.ask_transfer("before-the-end"))
    assert transfer["state"] == "ready"
    scope = "grant_management_revoke"
    made = await token(company, grant_type="client_credentials", scope=scope)
    company.tokens = made.json()
    url = f"{world.origin}/grants/{before.tokens['grant_id']}"
    assert (await company.call("DELETE", url)).status_code == 204
    assert (await company.call("DELETE", url)).status_code == 204
    (consent,) = await world.rows("consent")
    assert consent["state"] == "revoked"
    assert {row["sealed"] for row in await world.rows("bundle")} == {b""}
    assert {row["holder"] for row in await world.rows("holder_notice")} == {"hanbit-bank"}
    assert (await world.kinds())[Event.CONSENT_GRANT_REVOKED] == 1
    page = await before.citizen.look(before.consent_id)
    assert "회사가 동의를 더 쓰지 않겠다고 했어요" in page.words


async def test_a_narrowing_reaches_everything(own_world: World) -> None:
    """Old access token dead, refresh narrowed, a bundle with more than is agreed gone, holders told."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market", items=(ORDERS,))
    company, citizen = before.company, before.citizen
    transfer = await world.settled(company, await company.ask_transfer("before-narrowing"))
    bundle = transfer["bundle"]
    page = await citizen.browser.open(f"{world.origin}/my/consents/{before.consent_id}/narrow")
    form = page.form("version")
    kept = [f.value for f in form.fields if f.checked and f.name == "field" and ORDERS not in f.value]
    look = await citizen.browser.submit(page, form, {"item": [], "field": kept, "decision": "look"})
    done = await citizen.browser.submit(look, look.form("version"), {"decision": "narrow"})
    assert done.url.endswith("/narrowed"), done.words[:400]
    refused = await company.call("GET", f"{world.origin}/transfers/{transfer['id']}")
    assert (refused.status_code, refused.json()["code"]) == (401, "consent_changed")
    fresh = await company.refresh()
    assert ORDERS not in named(fresh)
    assert (await company.call("GET", bundle)).status_code == 404
    await world.forward(8 * 86_400)
    await company.refresh()
    after = await world.settled(company, await company.ask_transfer("after-narrowing"))
    assert ORDERS not in {item["item"] for item in after["items"] if item["sent"]}
    told = {(row["holder"], row["event"], row["version"]) for row in await world.rows("holder_notice")}
    assert told == {("hanbit-bank", "narrowed", 2), ("dadam-market", "narrowed", 2)}
    assert (await world.kinds())[Event.CONSENT_GRANT_NARROWED] == 1


async def test_a_narrowed_token_fetches_only_its_part(own_world: World) -> None:
    """RFC 9396 6 at the data doors: what the token leaves out is neither asked for nor fetched with it."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market", items=(ORDERS,))
    company = before.company
    whole = await world.settled(company, await company.ask_transfer("with-everything"))
    part = of(before.tokens["authorization_details"], "hanbit-bank")
    narrow = {"refresh_token": before.tokens["refresh_token"], "authorization_details": json.dumps(part)}
    answered = await token(company, grant_type="refresh_token", **narrow)
    company.tokens = {**before.tokens, **answered.json()}
    refused = await company.call("GET", whole["bundle"])
    assert (refused.status_code, refused.json()["code"]) == (403, "token_wrong_door")
    headers = {"Idempotency-Key": "not-in-the-token"}
    asked = await company.call("POST", f"{world.origin}/transfers", headers=headers, json={"items": [ORDERS]})
    assert (asked.status_code, asked.json()["code"]) == (403, "item_not_consented")
