"""A company that tries to get more than the citizen agreed to: attacks over HTTP against a whole world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from gateway.demo.company import Company
from tests.world import open_world


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
