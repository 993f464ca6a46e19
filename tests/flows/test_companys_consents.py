"""GET /consents: a company sees how its own consents stand, page by page, and never whose they are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.demo.citizen import Wishes
from gateway.demo.company import Company
from tests.world import SECOND, Given, World

ONE = Wishes(items=())


async def of_company(world: World, company: Company) -> Company:
    """The company with a token of its own beside those of its grants."""
    own = await world.company(company.client_id)
    token = await own._post(
        own.metadata["token_endpoint"], {"grant_type": "client_credentials", "scope": "company"}
    )
    own.tokens = token
    return own


async def asked(own: Company, place: str, status: int = 200) -> dict[str, Any]:
    """What the door answers."""
    answer = await own.call("GET", own.issuer + place)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def given_by(world: World, person: str) -> Given:
    """A consent of one person for one holder."""
    bank = [one for one in world.asked() if one["holder"] == "hanbit-bank"]
    return await world.given(citizen=await world.citizen(person), asked=bank, wishes=ONE)


async def said(world: World, given: Given, step: str) -> None:
    """The citizen confirms on the page of `step`."""
    browser = given.citizen.browser
    page = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/{step}")
    await browser.submit(page, page.form("version"), {"decision": step})


async def test_a_company_sees_how_its_consents_stand(own_world: World) -> None:
    """State, version, items, times and grant; nothing that tells the citizen; each filter; page by page."""
    world = own_world
    first, second = await given_by(world, "p01"), await given_by(world, "p01")
    await world.forward(5)
    await said(world, first, "pause")
    own = await of_company(world, first.company)

    every = await asked(own, "/consents")
    assert every["next"] is None
    assert [one["id"] for one in every["consents"]] == [second.consent_id, first.consent_id]
    paused = every["consents"][1]
    assert (paused["state"], paused["by"], paused["why"]) == ("paused", "citizen", None)
    assert paused["grant_id"] == first.tokens["grant_id"]
    assert paused["authorization_details"] == first.tokens["authorization_details"]
    (row,) = [row for row in await world.rows("consent") if row["id"] == first.consent_id]
    assert row["subject_id"] not in str(every)
    assert await asked(own, f"/consents/{first.consent_id}") == paused

    assert [one["id"] for one in (await asked(own, "/consents?state=paused"))["consents"]] == [paused["id"]]
    assert (await asked(own, "/consents?state=revoked&purpose=household-finance"))["consents"] == []
    since = f"/consents?changed_since={paused['changed_at']}"
    assert [one["id"] for one in (await asked(own, since))["consents"]] == [paused["id"]]
    page = await asked(own, "/consents?limit=1&purpose=household-finance")
    assert [one["id"] for one in page["consents"]] == [second.consent_id]
    rest = urlsplit(page["next"])
    assert (await asked(own, f"{rest.path}?{rest.query}"))["consents"] == [paused]

    await world.forward(200 * 86_400)
    own = await of_company(world, first.company)
    ended = await asked(own, "/consents?state=expired")
    assert len(ended["consents"]) == 2


async def test_nobody_else_sees_them(own_world: World) -> None:
    """Not another company, nor a token of a grant, nor nobody; a refusal is no consent."""
    world = own_world
    given = await given_by(world, "p01")
    other = await of_company(world, await world.company(SECOND))
    assert (await asked(other, "/consents"))["consents"] == []
    assert (await asked(other, f"/consents/{given.consent_id}", 404))["code"] == "consent_not_found"

    assert (await asked(given.company, "/consents", 403))["code"] == "token_wrong_door"
    assert (await asked(given.company, f"/consents/{given.consent_id}", 403))["code"] == "token_wrong_door"
    nobody = await world.http.get(f"{world.origin}/consents")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "token_missing")

    citizen = await world.citizen("p01")
    company = await world.company()
    question = await world.question(company, citizen)
    no = await citizen.answer(question, "refuse", ONE)
    assert no.url.endswith("/done")
    own = await of_company(world, given.company)
    assert [one["id"] for one in (await asked(own, "/consents"))["consents"]] == [given.consent_id]
    for query in BAD:
        refused = await asked(own, f"/consents?{query}", 400)
        assert refused["code"] == "invalid_request", query
    for id in ("c-none", "x" * 200):
        assert (await asked(own, f"/consents/{id}", 404))["code"] == "consent_not_found"


BAD = (
    "state=requested",
    "state=",
    "purpose=A%20b",
    "changed_since=-1",
    "changed_since=9999999999999",
    "limit=0",
    "limit=101",
    "limit=%D9%A1",
    "after=x",
    "after=1.",
    "unknown=1",
    "state=active&state=paused",
)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_a_refusal_speaks_both_languages(own_world: World, language: str) -> None:
    """A problem document in the language the company likes better."""
    own = await of_company(own_world, await own_world.company())
    answer = await own.call("GET", f"{own.issuer}/consents/c-none", headers={"Accept-Language": language})
    assert answer.headers["content-type"] == "application/problem+json"
    assert (
        answer.json()["title"] == {"ko": "그런 동의가 없어요.", "en": "There is no such consent."}[language]
    )
