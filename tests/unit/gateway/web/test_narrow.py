"""The citizen narrows a consent: unticking, seeing what changes, one confirmation; never wider."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consent.choices import within
from consent.items import Terms, from_details
from gateway.demo.browser import Browser, Page
from tests.citizen_stage import CitizenStage

BANK = "hanbit-bank/finance.deposit-transactions"
BILLS = "nuri-telecom/telecom.bills"
ORDERS = "dadam-market/retail.orders"


async def agreed(stage: CitizenStage, browser: Browser, *items: str) -> str:
    """Agree to the bank (needed) and `items`; the consent's id."""
    page = await stage.at_question(browser)
    await browser.submit(page, page.form("item"), {"item": list(items), "decision": "agree"})
    row = max(await stage.rows("consent"), key=lambda found: found.created_at)
    return str(row.id)


async def narrowing(stage: CitizenStage, browser: Browser, consent: str) -> Page:
    """The page on which things are unticked."""
    return await browser.open(f"{stage.origin}/my/consents/{consent}/narrow")


async def terms_of(stage: CitizenStage) -> Terms:
    """What the newest consent allows now."""
    row = max(await stage.rows("consent"), key=lambda found: found.created_at)
    return from_details(orjson.loads(row.terms))


def without(page: Page, *values: str) -> dict[str, Any]:
    """The ticks of the page but for `values`."""
    form = page.form("version")
    ticked = [f for f in form.fields if f.checked or (f.kind == "hidden" and f.name in ("item", "field"))]
    return {
        name: [f.value for f in ticked if f.name == name and f.value not in values]
        for name in ("item", "field")
    }


async def test_everything_agreed_is_ticked_and_what_is_needed_has_no_box(stage: CitizenStage) -> None:
    """Nothing else is offered: no item that was not agreed, no box for the needed one."""
    browser = stage.browser()
    consent = await agreed(stage, browser, BILLS)
    page = await narrowing(stage, browser, consent)
    boxes = [f for f in page.form("version").fields if f.kind == "checkbox"]
    assert all(box.checked for box in boxes)
    assert {box.value for box in boxes if box.name == "item"} == {BILLS}
    fields = {box.value for box in boxes if box.name == "field"}
    terms = await terms_of(stage)
    bills = terms.item(BILLS)
    assert bills is not None
    assert {f"{BILLS}/{name}" for name in bills.fields} <= fields
    assert all(value.startswith((BANK, BILLS)) for value in fields)


async def test_an_item_goes_after_one_confirmation(stage: CitizenStage) -> None:
    """First what would change, nothing changed yet; then the next version, its text and one entry."""
    browser = stage.browser()
    consent = await agreed(stage, browser, BILLS, ORDERS)
    before = await terms_of(stage)
    page = await narrowing(stage, browser, consent)
    changes = await browser.submit(page, page.form("version"), {**without(page, BILLS), "decision": "look"})
    assert "누리텔레콤" in changes.words
    assert await terms_of(stage) == before
    entries = await stage.count("ledger_payload")
    done = await browser.submit(changes, changes.form("version"), {"decision": "narrow"})
    assert done.url.endswith(f"/{consent}/narrowed")
    after = await terms_of(stage)
    assert {item.name for item in after.items} == {BANK, ORDERS}
    assert within(after, before)
    assert await stage.count("ledger_payload") == entries + 1
    versions = await stage.rows("consent_version")
    assert [row.move for row in sorted(versions, key=lambda row: row.version)] == ["ask", "give", "narrow"]
    texts = {row.hash for row in await stage.rows("consent_text")}
    assert {row.text_hash for row in versions} <= texts


async def test_the_grant_follows_in_the_same_transaction(stage: CitizenStage) -> None:
    """The grant has the narrowed details and the new version, of the same generation: refresh goes on."""
    browser = stage.browser()
    consent = await agreed(stage, browser, BILLS)
    page = await narrowing(stage, browser, consent)
    changes = await browser.submit(page, page.form("version"), {**without(page, BILLS), "decision": "look"})
    await browser.submit(changes, changes.form("version"), {"decision": "narrow"})
    (grant,) = await stage.rows("oauth_grant")
    assert (grant.consent_version, grant.generation, grant.updated_by) == (2, 1, "authorization_server")
    assert from_details(orjson.loads(grant.details)) == await terms_of(stage)
    assert stage.changed == [(consent, 1, 2)]


async def test_a_field_goes_alone(stage: CitizenStage) -> None:
    """One part unticked: the item stays with the others."""
    browser = stage.browser()
    consent = await agreed(stage, browser, ORDERS)
    orders = (await terms_of(stage)).item(ORDERS)
    assert orders is not None
    gone = orders.fields[-1]
    page = await narrowing(stage, browser, consent)
    less = without(page, f"{ORDERS}/{gone}")
    changes = await browser.submit(page, page.form("version"), {**less, "decision": "look"})
    await browser.submit(changes, changes.form("version"), {"decision": "narrow"})
    kept = (await terms_of(stage)).item(ORDERS)
    assert kept is not None
    assert kept.fields == orders.fields[:-1]


@pytest.mark.parametrize(
    ("untick", "said"),
    [((), "지운 표시가 없어요"), ("all-fields", "항목을 모두 지웠어요")],
    ids=["nothing", "every-part"],
)
async def test_no_change_is_not_confirmed(stage: CitizenStage, untick: Any, said: str) -> None:
    """Nothing unticked, or a ticked item without parts: the page says so and nothing changes."""
    browser = stage.browser()
    consent = await agreed(stage, browser, ORDERS)
    page = await narrowing(stage, browser, consent)
    orders = (await terms_of(stage)).item(ORDERS)
    assert orders is not None
    gone = [f"{ORDERS}/{name}" for name in orders.fields] if untick else []
    sent = {**without(page, *gone), "decision": "look"}
    again = await browser.submit(page, page.form("version"), sent)
    assert again.status == 422
    assert said in again.words
    assert await stage.given() == 1


@pytest.mark.parametrize(
    "more",
    [{"item": [BILLS]}, {"field": [f"{BILLS}/charge_amt"]}, {"item": [BANK]}, {"decision": "give"}],
    ids=["item-not-agreed", "field-not-agreed", "needed-item", "unknown-decision"],
)
async def test_nothing_can_be_added(stage: CitizenStage, more: dict[str, Any]) -> None:
    """A box the page did not have is refused and changes nothing."""
    browser = stage.browser()
    consent = await agreed(stage, browser, ORDERS)
    page = await narrowing(stage, browser, consent)
    sent = {**without(page, ORDERS), "decision": "narrow", **more}
    refused = await browser.submit(page, page.form("version"), sent)
    assert refused.status == 400
    assert await stage.given() == 1


async def test_a_confirmation_without_the_shown_text_only_shows_it(stage: CitizenStage) -> None:
    """Confirming what was not shown gives the page with the changes, not the change."""
    browser = stage.browser()
    consent = await agreed(stage, browser, ORDERS)
    page = await narrowing(stage, browser, consent)
    sent = {**without(page, ORDERS), "decision": "narrow", "shown": "0" * 64}
    shown = await browser.submit(page, page.form("version"), sent)
    assert shown.status == 200
    assert "다담마켓" in shown.words
    assert await stage.given() == 1


async def test_an_older_page_is_refused(stage: CitizenStage) -> None:
    """The consent moved on in another tab: 409, and it stays as it is."""
    browser = stage.browser()
    consent = await agreed(stage, browser, BILLS, ORDERS)
    old = await narrowing(stage, browser, consent)
    page = await narrowing(stage, browser, consent)
    changes = await browser.submit(page, page.form("version"), {**without(page, BILLS), "decision": "look"})
    await browser.submit(changes, changes.form("version"), {"decision": "narrow"})
    late = await browser.submit(old, old.form("version"), {**without(old, ORDERS), "decision": "look"})
    assert late.status == 409
    assert await stage.given() == 2


async def test_another_citizens_consent_is_not_there(stage: CitizenStage) -> None:
    """Reading or narrowing somebody else's consent is 404, as for one that never was."""
    consent = await agreed(stage, stage.browser(), ORDERS)
    other = stage.browser()
    await stage.at_question(other, person="p03")
    assert (await narrowing(stage, other, consent)).status == 404


async def test_a_withdrawn_consent_is_shown_as_it_stands(stage: CitizenStage) -> None:
    """There is nothing left to narrow: the page of the consent comes instead."""
    browser = stage.browser()
    consent = await agreed(stage, browser, ORDERS)
    asked = await browser.open(f"{stage.origin}/my/consents/{consent}/withdraw")
    await browser.submit(asked, asked.form("decision"), {"decision": "withdraw"})
    page = await narrowing(stage, browser, consent)
    assert page.url.endswith(f"/my/consents/{consent}")
    assert not any(link.endswith("/narrow") for link in page.links)


async def test_narrowing_is_offered_with_the_consent_and_withdrawing_with_narrowing(
    stage: CitizenStage,
) -> None:
    """From the consent to narrowing, and from there to withdrawing what is needed."""
    browser = stage.browser()
    consent = await agreed(stage, browser, ORDERS)
    one = await browser.open(f"{stage.origin}/my/consents/{consent}")
    assert f"{stage.origin}/my/consents/{consent}/narrow" in one.links
    page = await narrowing(stage, browser, consent)
    assert f"{stage.origin}/my/consents/{consent}/withdraw" in page.links
