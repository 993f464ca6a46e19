"""Two tabs, the company and the clock at the same moment: no move is lost, doubled or contradicted."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from sqlalchemy import select

from consent import repository
from consent.ledger_tables import PAYLOAD
from consent.records import TRANSITIONS, Consent, State
from gateway.demo.browser import Page
from gateway.demo.citizen import Wishes
from gateway.demo.company import CompanyError
from gateway.retention.expiring import Follows, expiring
from gateway.transfers.consequences import after_change, after_ending
from tests.world import Given, World

ROUNDS = 4
ONE = Wishes(items=())


async def given(world: World) -> Given:
    """A consent for one holder."""
    asked = [one for one in world.asked() if one["holder"] == "hanbit-bank"]
    return await world.given(asked=asked, wishes=ONE)


async def tab(world: World, made: Given, step: str) -> tuple[Page, str]:
    """A tab that stands before the last press of `step`."""
    page = await made.citizen.browser.open(f"{world.origin}/my/consents/{made.consent_id}/{step}")
    assert page.status == 200, page.words[:200]
    return page, step


async def press(made: Given, tab: tuple[Page, str]) -> int:
    """Press; the status of where it leads."""
    page, step = tab
    pressed = await made.citizen.browser.submit(page, page.form("decision"), {"decision": step})
    return pressed.status


async def refresh(made: Given) -> str:
    """The company refreshes; what it is told."""
    try:
        await made.company.refresh()
    except CompanyError as refused:
        return refused.code
    return "refreshed"


async def give_up(world: World, made: Given) -> int:
    """The company gives the grant up."""
    own = await world.company(made.company.client_id)
    scope = {"grant_type": "client_credentials", "scope": "grant_management_revoke"}
    own.tokens = await own._post(own.metadata["token_endpoint"], scope)
    gone: httpx.Response = await own.call("DELETE", f"{world.origin}/grants/{made.tokens['grant_id']}")
    return gone.status_code


async def sound(world: World, consent_id: str) -> list[Consent]:
    """Every version by the table, one after the other, each with one entry of its own; the versions."""
    async with world.database.reading() as session:
        now = await repository.load(session, consent_id)
        assert now is not None
        steps = await repository.steps_of(session, now)
        names = [f"consent:{consent_id}:{step.after.version}" for step in steps]
        found = (await session.execute(select(PAYLOAD.c.idem).where(PAYLOAD.c.idem.in_(names)))).scalars()
        assert sorted(found) == sorted(names)
    first = steps[0].after.version
    assert [step.after.version for step in steps] == list(range(first, now.version + 1))
    for step in steps[1:]:
        assert step.before is not None
        assert TRANSITIONS[step.before.state, step.move] is step.after.state
    assert now == steps[-1].after
    return [step.after for step in steps]


async def test_two_tabs_and_the_company_at_once(own_world: World) -> None:
    """Pause in two tabs, withdraw in a third, refresh and revocation beside them: an ending wins, once."""
    world = own_world
    for _ in range(ROUNDS):
        made = await given(world)
        tabs = [await tab(world, made, step) for step in ("pause", "pause", "withdraw")]
        done = await asyncio.gather(
            *(press(made, one) for one in tabs), refresh(made), give_up(world, made), refresh(made)
        )
        statuses = [one for one in done if isinstance(one, int)]
        assert set(statuses) <= {200, 204, 409}, done
        versions = await sound(world, made.consent_id)
        assert versions[-1].ended
        over = [one.state for one in versions if one.ended]
        assert over[0] in (State.WITHDRAWN, State.WITHDRAWING, State.REVOKED)
        assert (State.REVOKED in over) is (over[0] is State.REVOKED)
        assert await refresh(made) != "refreshed"


async def test_expiry_in_between(own_world: World) -> None:
    """At the last second: pages, the company and two processes that write the expiry. It ends, once."""
    world = own_world
    parts = world.parts
    follows = Follows(after_ending(parts.worker, parts.notices), after_change(parts.worker, parts.notices))
    step = expiring(parts.journal, follows)

    async def sweep(at: int) -> None:
        async with world.database.transaction() as session:
            await step(session, at)

    made = await given(world)
    tabs = [await tab(world, made, name) for name in ("pause", "withdraw")]
    (row,) = await world.rows("consent")
    end = row["end_at"]
    done: tuple[Any, ...] = await asyncio.gather(
        sweep(end), press(made, tabs[0]), press(made, tabs[1]), sweep(end), refresh(made)
    )
    versions = await sound(world, made.consent_id)
    assert versions[-1].ended, done
    assert [one.state for one in versions].count(State.EXPIRED) <= 1
    assert await refresh(made) != "refreshed"
