"""GET /transfers: a company lists its own transfers, page by page, and never whose data it was."""

from __future__ import annotations

from tests.flows.test_companys_consents import asked, given_by, of_company
from tests.world import SECOND, World

BAD = (
    "limit=0",
    "limit=101",
    "limit=x",
    "state=gone",
    "since=-1",
    "after=1",
    "odd=1",
    "state=ready&state=sealed",
)


async def test_a_company_lists_its_transfers(own_world: World) -> None:
    """Newest first, each filter, page by page; another company sees none of them."""
    world = own_world
    first, second = await given_by(world, "p01"), await given_by(world, "p01")
    one = await first.company.ask_transfer("list-one")
    await world.settled(first.company, one)
    await world.forward(5)
    two = await second.company.ask_transfer("list-two")
    await world.settled(second.company, two)
    own = await of_company(world, first.company)

    every = (await asked(own, "/transfers"))["transfers"]
    assert [line["id"] for line in every] == [two["id"], one["id"]]
    assert all(row["subject_id"] not in str(every) for row in await world.rows("consent"))
    assert every[0]["state"] == "ready"

    page = await asked(own, "/transfers?limit=1")
    assert [line["id"] for line in page["transfers"]] == [two["id"]]
    rest = await asked(own, page["next"].removeprefix(world.origin))
    assert ([line["id"] for line in rest["transfers"]], rest["next"]) == ([one["id"]], None)
    for query, found in (
        (f"consent_id={first.consent_id}", [one["id"]]),
        (f"since={every[0]['created_at']}", [two["id"]]),
        (f"until={every[0]['created_at']}", [one["id"]]),
        ("state=failed", []),
    ):
        told = (await asked(own, f"/transfers?{query}"))["transfers"]
        assert [line["id"] for line in told] == found, query

    stranger = await of_company(world, await world.company(SECOND))
    assert (await asked(stranger, "/transfers"))["transfers"] == []
    assert (await asked(stranger, f"/transfers?consent_id={first.consent_id}"))["transfers"] == []


async def test_a_question_that_is_none_is_refused(own_world: World) -> None:
    """A clear refusal naming what is wrong; a token of one citizen's grant is at the wrong door."""
    own = await of_company(own_world, await own_world.company())
    for query in BAD:
        assert (await asked(own, f"/transfers?{query}", 400))["code"] == "invalid_request", query
    given = await given_by(own_world, "p01")
    answer = await given.company.call("GET", f"{own_world.origin}/transfers")
    assert answer.status_code in (401, 403)
