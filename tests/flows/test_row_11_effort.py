"""Checks 33 to 36: withdrawing costs no more than granting, and tells what it means before the last step."""

from __future__ import annotations

from tests.world import World


async def test_row_11_withdrawing_takes_no_more_steps_than_granting(own_world: World) -> None:
    """Counted in pages opened and forms sent; the box to delete comes unticked, no reason is asked."""
    world = own_world
    given = await world.given()
    await world.settled(given.company, await given.company.ask_transfer())
    granting = len(given.citizen.browser.visited)
    page = await given.citizen.browser.open(f"{world.origin}/my/consents/{given.consent_id}/withdraw")
    for words in ("바로 멈추는 것", "이미 보낸 것", "마지막으로", "멈추는 것과 지우는 것은 달라요", "90일"):
        assert words in page.words, words
    form = page.form("decision")
    assert {field.name for field in form.fields} <= {"decision", "delete"}
    assert not any(field.checked for field in form.fields)
    await given.citizen.browser.submit(page, form, {"decision": "withdraw"})
    assert len(given.citizen.browser.visited) - granting <= granting
