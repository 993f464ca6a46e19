"""A company that tries to get more than the citizen agreed to: attacks over HTTP against a whole world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from gateway.demo.company import Company
from tests.world import SECOND, open_world


async def asked(company: Company, key: str) -> httpx.Response:
    """Ask for everything once more under this idempotency key."""
    headers = {"Idempotency-Key": key}
    return await company.call("POST", f"{company.issuer}/transfers", headers=headers, json={})


def granted(answer: httpx.Response) -> list[str]:
    """The items an answer grants."""
    body: dict[str, Any] = answer.json()
    return list(body.get("decision", {}).get("granted", ())) if answer.status_code == 202 else []


async def test_what_was_agreed_once_is_granted_once_however_fast_it_is_asked(tmp_path: Path) -> None:
    """Six requests at the same moment, each under a key of its own: every item is granted to one of them."""
    async with open_world(tmp_path) as world:
        given = await world.given()
        answers = await asyncio.gather(*(asked(given.company, f"greedy-{n:04}") for n in range(6)))
        late = await asked(given.company, "greedy-late")

    items = [item for answer in (*answers, late) for item in granted(answer)]
    assert items
    assert sorted(items) == sorted(set(items))
    refused = [answer.json() for answer in (*answers, late) if answer.status_code == 403]
    assert {one["code"] for one in refused} == {"transfer_refused"}


async def test_another_clients_things_look_as_if_they_never_were(tmp_path: Path) -> None:
    """A second client with a living grant of its own: transfer, bundle, tokens and introspection."""
    async with open_world(tmp_path, count=2) as world:
        given = await world.given()
        mine = await world.settled(given.company, await given.company.ask_transfer())
        other = await world.given(await world.company(SECOND), await world.citizen("p02"))
        thief = other.company
        async with world.unchanged(entries=1):
            transfer = await thief.call("GET", f"{world.origin}/transfers/{mine['id']}")
            bundle = await thief.call("GET", mine["bundle"])
            told = [
                await posted(thief, "introspection_endpoint", token=given.tokens[kind])
                for kind in ("access_token", "refresh_token")
            ]
            gone = [
                await posted(thief, "revocation_endpoint", token=given.tokens[kind])
                for kind in ("access_token", "refresh_token")
            ]
            url, stolen = thief.metadata["token_endpoint"], given.tokens["refresh_token"]
            refreshed = await thief.http.post(
                url,
                data={"grant_type": "refresh_token", "refresh_token": stolen, **thief._assertion()},
                headers={"DPoP": thief._proof("POST", url)},
            )
        still = await given.company.call("GET", f"{world.origin}/transfers/{mine['id']}")

    assert [transfer.status_code, bundle.status_code] == [404, 404]
    assert [answer.json() for answer in told] == [{"active": False}] * 2
    assert [answer.status_code for answer in gone] == [200, 200]
    assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")
    assert still.status_code == 200


async def posted(company: Company, endpoint: str, **form: str) -> httpx.Response:
    """An authenticated POST to one of the endpoints of the metadata."""
    return await company.http.post(company.metadata[endpoint], data={**form, **company._assertion()})
