"""Two people and one browser: nobody answers for the other, and nobody sees what the other agreed to."""

from __future__ import annotations

from pathlib import Path

import httpx

from gateway.demo.browser import Page
from gateway.demo.citizen import Citizen
from gateway.demo.story import WISHES
from tests.world import World, open_world


async def next_person(citizen: Citizen, world: World, person: str, address: str = "") -> Page:
    """The tab beside: the first one leaves, and `person` signs in, on the way to `address`."""
    await citizen.browser.http.post(f"{world.origin}/sign-out", content="", headers=FORM)
    citizen.person = person
    return await citizen.sign_in(address or f"{world.origin}/my/consents")


FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


async def test_a_page_left_open_is_not_answered_by_who_signs_in_next(tmp_path: Path) -> None:
    """The first leaves the question open, the second signs in beside it: its buttons do nothing."""
    async with open_world(tmp_path, count=2) as world:
        company, citizen = await world.company(), await world.citizen("p01")
        page = await world.question(company, citizen)
        theirs = await next_person(citizen, world, "p02", page.url)
        async with world.unchanged():
            agreed = await citizen.answer(page, "agree", WISHES)
            refused = await citizen.answer(page, "refuse", WISHES)
        own = await citizen.answer(theirs, "agree", WISHES)

    assert own.url.endswith("/done")
    assert [agreed.status, refused.status] == [409, 409]
    assert "page_of_another" in agreed.words
    assert "page_of_another" in refused.words


async def test_the_next_person_cannot_take_the_way_back_or_look(tmp_path: Path) -> None:
    """Who signs in next in the same browser gets neither the code, nor the ending, nor the consent."""
    async with open_world(tmp_path, count=2) as world:
        company, citizen = await world.company(), await world.citizen("p01")
        done = await citizen.answer(await world.question(company, citizen), "agree", WISHES)
        way_back = next(link for link in done.links if "/authorize/resume/" in link)
        consent = next(link for link in done.links if "/my/consents/c-" in link)
        await next_person(citizen, world, "p02")
        async with world.unchanged():
            told = [await seen(citizen, address) for address in (way_back, done.url, consent)]
            told += [
                await seen(citizen, f"{consent.split('?')[0]}/{what}") for what in ("withdraw", "receipt")
            ]

    assert [answer.status_code for answer in told] == [403, 403, 404, 404, 404]


async def seen(citizen: Citizen, address: str) -> httpx.Response:
    """What this browser gets at `address`, redirects not followed."""
    return await citizen.browser.http.get(address, follow_redirects=False)
