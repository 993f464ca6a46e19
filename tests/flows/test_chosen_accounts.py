"""Row 5 of the peers' table, check 6: accounts chosen singly, before the consent, and kept to the end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connectors.sandbox.faults import Fault
from consent.accounts import label
from tests.flows.chosen import BANK, BILLS, METER, everything, question, sent, source
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, store_url: str | None) -> AsyncIterator[World]:
    """A world in which the thirteenth person has several accounts, lines and meters."""
    async with open_world(tmp_path_factory.mktemp("accounts"), store_url, count=13) as opened:
        yield opened


def _person(world: World):  # type: ignore[no-untyped-def]
    return world.sandbox.people[12]


async def test_row_5_every_account_is_a_box_of_its_own(world: World) -> None:
    """Check 6: each singly, none ticked, by a masked name; what cannot be chosen is named with the reason."""
    asked = await question(world)
    form = asked.page.form("decision")
    assert not any(field.checked for field in form.fields if field.name == "account")
    assert [len(asked.boxes(item)) for item in (BANK, BILLS, METER)] == [2, 2, 2]
    for account in _person(world).accounts:
        assert label(account.prod_name, account.account_num) in asked.page.words
    assert "해지되어" in asked.page.words
    assert "보내지 않기로 해 두어" in asked.page.words


async def test_check_6_no_number_reaches_page_address_or_form(world: World) -> None:
    """Nothing of an account but its masked name and an opaque reference leaves the holder's side."""
    asked = await question(world)
    person = _person(world)
    numbers = [one.account_num for one in person.accounts] + [one.mgmt_id for one in person.contracts]
    numbers += [one.number for one in person.meters]
    assert not [number for number in numbers if number in asked.page.text]
    assert all(len(box.rsplit("/", 1)[1]) == 26 for box in asked.boxes(BANK))


async def test_check_6_agreeing_without_saying_which_is_asked_again(world: World) -> None:
    """Silence is not all accounts: the page comes back with what to put right, and nothing was agreed."""
    asked = await question(world)
    before = len(await world.rows("oauth_grant"))
    page = await asked.answer()
    assert page.status == 422
    assert "어느 것의 기록을 보낼지" in page.words
    both = await asked.answer(account=[asked.boxes(BANK)[0], f"{BANK}/all", *everything(asked, BILLS)])
    assert both.status == 422
    assert len(await world.rows("oauth_grant")) == before


async def test_check_6_an_account_that_was_not_offered_is_refused(world: World) -> None:
    """A reference of somebody else, or of an account that cannot be chosen, is no box of this page."""
    asked = await question(world)
    for made_up in (f"{BANK}/{'a' * 26}", f"{METER}/", asked.boxes(BANK)[0].replace(BANK, BILLS)):
        page = await asked.answer(account=[made_up])
        assert (page.status, "form_invalid" in page.words) == (400, True), made_up


async def test_row_5_only_rows_of_the_chosen_accounts_leave(world: World) -> None:
    """Bank, telephone and electricity: one account of each chosen, and nothing of the others arrives."""
    asked = await question(world)
    boxes = [asked.boxes(BANK)[1], asked.boxes(BILLS)[1], asked.boxes(METER)[1]]
    given = await asked.agreed(item=[METER], account=boxes)
    _, manifest, rows = await sent(world, given)
    person = _person(world)
    savings, line, meter = person.accounts[1], person.contracts[1], person.meters[1]
    assert len(rows[BANK]) == len(savings.transactions) > 0
    assert {row["trans_amt"] for row in rows[BANK]} == {int(one.trans_amt) for one in savings.transactions}
    assert {row["charge_amt"] for row in rows[BILLS]} == {one.charge_amt for one in line.bills}
    assert 0 < len(rows[METER]) <= 24 * len(list(meter.days(meter.first_day, meter.last_day)))
    assert source(manifest, METER)["filtered"]["account_not_chosen"] > 0
    assert source(manifest, BANK)["filtered"] == {}


async def test_row_5_the_company_sees_references_and_another_company_others(world: World) -> None:
    """The token's details hold opaque references, and no other client gets the same ones."""
    first = await question(world)
    every = [*everything(first, BILLS)]
    given = await first.agreed(account=[first.boxes(BANK)[0], *every])
    details = given.tokens["authorization_details"]
    bank = next(one for one in details if one["holder"] == "hanbit-bank")["items"][0]
    assert bank["accounts"] == [first.boxes(BANK)[0].rsplit("/", 1)[1]]
    assert "accounts" not in next(one for one in details if one["holder"] == "nuri-telecom")["items"][0]
    company = await world.company("second-budget")
    page = await world.question(company, given.citizen)
    others = {f.value.rsplit("/", 1)[1] for f in page.form("decision").fields if f.name == "account"}
    assert not others & set(bank["accounts"])


async def test_row_5_a_new_account_is_not_sent_where_a_choice_was_made(world: World) -> None:
    """An account that appears later stays out for who chose singly, and comes along for who chose all."""
    person = _person(world)
    accounts = person.accounts
    asked = await question(world)
    chosen = await asked.agreed(account=[asked.boxes(BANK)[1], *everything(asked, BILLS)])
    again = await question(world)
    everyone = await again.agreed(account=everything(again, BANK, BILLS))
    try:
        object.__setattr__(person, "accounts", (accounts[1], *accounts[2:]))  # the first appears later
        before = (await sent(world, everyone))[2][BANK]
        object.__setattr__(person, "accounts", accounts)
        await world.forward(8 * 86_400)
        await everyone.company.refresh()
        after = (await sent(world, everyone, "the-second-transfer"))[2][BANK]
        assert len(after) > len(before)
        await chosen.company.refresh()
        assert len((await sent(world, chosen))[2][BANK]) == len(accounts[1].transactions)
    finally:
        object.__setattr__(person, "accounts", accounts)


async def test_aa_delinked_account_is_a_gap_the_citizen_is_told_of(world: World) -> None:
    """A chosen account that is gone: a gap with its reason in the manifest, and in words on the page."""
    person = _person(world)
    accounts = person.accounts
    asked = await question(world)
    given = await asked.agreed(account=[*asked.boxes(BANK), *everything(asked, BILLS)])
    try:
        object.__setattr__(person, "accounts", accounts[:1])
        transfer, manifest, rows = await sent(world, given)
    finally:
        object.__setattr__(person, "accounts", accounts)
    found = source(manifest, BANK)
    assert (found["outcome"], found["gaps"]) == ("partial", [{"reason": "account_gone"}])
    assert len(rows[BANK]) > 0
    told = next(one for one in transfer["items"] if one["item"] == BANK)
    assert (told["outcome"], told["reason"]) == ("partial", "account_gone")
    assert "더는 없어요" in (await given.citizen.look(given.consent_id)).words


async def test_check_6_a_holder_that_lists_nothing_never_keeps_the_page(world: World) -> None:
    """The page is there in seconds, says so plainly, and agreeing means all accounts of that holder."""
    world.faults["hanbit-bank"].add(Fault.DOWN, path="/v1/bank/accounts")
    try:
        asked = await question(world)
    finally:
        world.calm()
    assert asked.boxes(BANK) == []
    assert "목록을 받지 못해" in asked.page.words
    given = await asked.agreed(account=everything(asked, BILLS))
    details = given.tokens["authorization_details"]
    assert all("accounts" not in item for one in details for item in one["items"])


async def test_check_6_nothing_stored_or_logged_names_an_account(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither lists, labels, ledger nor log hold a number or a masked name in clear."""
    with caplog.at_level(logging.DEBUG):
        asked = await question(world)
        await asked.agreed(account=[asked.boxes(BANK)[0], *everything(asked, BILLS)])
    person = _person(world)
    secret = [one.account_num for one in person.accounts] + [one.prod_name for one in person.accounts]
    secret += [label(one.prod_name, one.account_num) for one in person.accounts]
    said = caplog.text + capsys.readouterr().out
    for table in ("account_list", "account_label", "consent", "consent_version", "ledger_entry"):
        said += repr(await world.rows(table))
    assert not [one for one in secret if one in said]
    assert await world.rows("account_label")
