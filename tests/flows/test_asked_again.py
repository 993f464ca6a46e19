"""A company asks again: what was chosen before is ticked, what is different is said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from gateway.demo.browser import Page
from gateway.demo.citizen import Wishes
from tests.flows.test_grants_managed import BANK, METER, ORDERS, given, named, of, opened
from tests.world import Given, World


async def asked_again(world: World, before: Given, asked: list[dict[str, Any]], action: str) -> Page:
    """The page of a second request beside the consent there is."""
    grant_id = before.tokens["grant_id"]
    address = await before.company.push(asked, grant_management_action=action, grant_id=grant_id)
    page = await opened(before.citizen, address)
    assert isinstance(page, Page)
    return page


def meter(world: World, **members: Any) -> list[dict[str, Any]]:
    """A request for the bank and the meter, with members of the meter's item changed."""
    asked = of(world.asked(), "hanbit-bank", "haeoreum-energy")
    items = next(entry for entry in asked if entry["holder"] == "haeoreum-energy")["items"]
    items[0].update(members)
    return asked


def ticked(page: Page, *names: str) -> set[str]:
    """The values of the ticked boxes with these names."""
    return {field.value for field in page.form("decision").fields if field.checked and field.name in names}


async def test_what_was_chosen_and_is_asked_the_same_is_ticked(own_world: World) -> None:
    """A replacement with a new item beside: the earlier item is ticked, new and sensitive ones are not."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market", items=(ORDERS,))
    ask = of(world.asked(), "hanbit-bank", "dadam-market", "haeoreum-energy")
    page = await asked_again(world, before, ask, "replace")
    assert ticked(page, "item") == {ORDERS}
    assert ticked(page, "field", "claim") == set()
    assert "지금은 보내지 않는 것이에요" in page.words
    assert "전에 골랐고 지금도 똑같이 물어보는 것은 골라 두었어요" in page.words
    english = await before.citizen.browser.submit(page, page.form("decision"), {"decision": "language-en"})
    assert ticked(english, "item") == {ORDERS}
    assert "Different from before:" in english.words
    done = await before.citizen.browser.submit(english, english.form("decision"), {"decision": "agree"})
    assert done.url.endswith("/done"), done.words[:400]
    tokens = await before.company.exchange(await before.citizen.return_to_company(done))
    assert named(tokens) == {BANK, ORDERS}


async def test_what_was_not_chosen_before_is_not_ticked(own_world: World) -> None:
    """An item that was asked and left out stays left out until the citizen ticks it."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market")
    page = await asked_again(world, before, of(world.asked(), "hanbit-bank", "dadam-market"), "replace")
    assert ticked(page, "item", "field") == set()
    assert "골라 두었어요" not in page.words


async def test_what_is_asked_more_often_is_said_and_not_ticked(own_world: World) -> None:
    """More often is another question: the box is empty and the page names the difference."""
    world = own_world
    before = await given(world, "hanbit-bank", "haeoreum-energy", items=(METER,))
    page = await asked_again(world, before, meter(world, frequency="P1D"), "replace")
    assert ticked(page, "item") == set()
    assert "더 자주 보내요" in page.words


async def test_what_reaches_further_back_is_said_and_not_ticked(own_world: World) -> None:
    """Older records are another question too."""
    world = own_world
    before = await given(world, "hanbit-bank", "haeoreum-energy", items=(METER,))
    (entry,) = of(world.asked(), "haeoreum-energy")
    since = date.fromisoformat(entry["items"][0]["history_from"]) - timedelta(days=5)
    page = await asked_again(world, before, meter(world, history_from=since.isoformat()), "replace")
    assert ticked(page, "item") == set()
    assert "더 옛날 것까지 보내요" in page.words


async def test_new_fields_are_named_and_the_item_is_not_ticked(own_world: World) -> None:
    """An item that grew is not agreed along with what it was."""
    world = own_world
    company, citizen = await world.company(), await world.citizen("p01")
    less = meter(world, fields=["start", "value"])
    before = await world.given(citizen=citizen, company=company, asked=less, wishes=Wishes(items=(METER,)))
    page = await asked_again(world, before, meter(world), "replace")
    assert ticked(page, "item") == set()
    assert "지금은 보내지 않는 내용" in page.words


async def test_what_is_not_asked_any_more_is_named(own_world: World) -> None:
    """The page says what ends, and ticks only what it still asks for."""
    world = own_world
    before = await given(world, "hanbit-bank", "dadam-market", "haeoreum-energy", items=(ORDERS, METER))
    page = await asked_again(world, before, of(world.asked(), "hanbit-bank", "haeoreum-energy"), "replace")
    assert ticked(page, "item") == {METER}
    assert "동의하면 더는 보내지 않는 것" in page.words


async def test_a_first_question_has_every_box_empty(own_world: World) -> None:
    """Nothing is ticked where nothing was agreed before."""
    world = own_world
    company, citizen = await world.company(), await world.citizen("p01")
    page = await world.question(company, citizen, None)
    assert ticked(page, "item", "field", "account", "claim") == set()
    assert "전과 달라진 것" not in page.words
