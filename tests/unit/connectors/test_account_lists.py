"""The list of accounts before a consent (request type 0): who is asked, what it opens, what it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from types import ModuleType

import pytest

from connectors.authorization import ConsentTerms, HolderToken
from connectors.contract import Account, PullRequest, Reason
from connectors.errors import HolderError
from connectors.sandbox import energy, finance, medical, retail, telecom
from connectors.sandbox.people import Citizen
from tests.unit.connectors.sandboxes import NOW, TODAY, Sandbox, someone

SECTORS = [(finance, "finance", "account_num"), (telecom, "telecom", "mgmt_id")]
SECTORS += [(energy, "energy", "usage_point")]
SINCE = date(2026, 10, 1)


def _request(sandbox: Sandbox, dataset: str = "", accounts: frozenset[str] | None = None) -> PullRequest:
    tran = "ZZAA000001M00000000000001"
    return PullRequest(dataset or sandbox.dataset, (), SINCE, TODAY, tran, accounts)


async def _list_token(sandbox: Sandbox, person: Citizen, *, end: int = 3600) -> HolderToken:
    datasets = tuple(dataset.id for dataset in sandbox.holder.manifest.datasets)
    terms = ConsentTerms("list-1", 1, int(NOW.timestamp()) + end, datasets, listing=True)
    return HolderToken(sandbox.gateway, sandbox.holder.manifest, await sandbox.link(person), terms)


async def _accounts(sandbox: Sandbox, person: Citizen, dataset: str = "") -> list[Account]:
    token = await _list_token(sandbox, person)
    return await sandbox.runtime.accounts(sandbox.holder, _request(sandbox, dataset), token)


def _keys(person: Citizen, sector: str) -> list[str]:
    return {
        "finance": [one.account_num for one in person.accounts],
        "telecom": [one.mgmt_id for one in person.contracts],
        "energy": [one.number for one in person.meters],
    }[sector]


@pytest.mark.parametrize(("module", "sector", "field"), SECTORS)
async def test_every_account_of_the_person_is_listed(module: ModuleType, sector: str, field: str) -> None:
    """All of them, by the value their records carry, with why one cannot be chosen; nobody else's."""
    sandbox, person = Sandbox(module, sector), someone("accounts")
    found = await _accounts(sandbox, person)
    assert [one.key for one in found] == _keys(person, sector)
    assert field
    blocked = [one.blocked for one in found]
    assert (
        blocked
        == {
            "finance": [None, None, "closed", "left_out"],
            "telecom": [None, None],
            "energy": [None, None],
        }[sector]
    )


async def test_every_dataset_of_the_telephone_company_lists_the_same_lines() -> None:
    """Contracts, bills and payments belong to the same lines."""
    sandbox, person = Sandbox(telecom, "telecom"), someone("accounts")
    lists = [await _accounts(sandbox, person, dataset) for dataset in telecom.DATASETS]
    assert lists[0] == lists[1] == lists[2] != []


@pytest.mark.parametrize(("module", "sector"), [(retail, "retail"), (medical, "medical")])
async def test_where_nothing_is_kept_by_account_nothing_is_listed(module: ModuleType, sector: str) -> None:
    """A shop and a hospital have one record of a person: no list, no request."""
    assert await _accounts(Sandbox(module, sector), someone("accounts")) == []


@pytest.mark.parametrize(("module", "sector", "field"), SECTORS)
async def test_a_list_authorization_opens_no_record(module: ModuleType, sector: str, field: str) -> None:
    """Request type 0 is for the list: the records themselves are refused, and none comes."""
    sandbox, person = Sandbox(module, sector), someone("accounts")
    token = await _list_token(sandbox, person)
    dataset = "telecom.bills" if sector == "telecom" else sandbox.dataset
    pulled = await sandbox.runtime.collect(sandbox.holder, _request(sandbox, dataset), token)
    assert (pulled.records, [gap.reason for gap in pulled.gaps]) == ((), [Reason.DENIED])
    assert field


async def test_a_list_authorization_ends_within_a_week() -> None:
    """The holder believes no longer one (표준 API 규격: the first round ends after 7 days)."""
    sandbox, person = Sandbox(finance, "finance"), someone("accounts")
    token = await _list_token(sandbox, person, end=8 * 86_400)
    with pytest.raises(HolderError) as caught:
        await sandbox.runtime.accounts(sandbox.holder, _request(sandbox), token)
    assert caught.value.reason is Reason.DENIED


@pytest.mark.parametrize(("module", "sector", "field"), SECTORS[:2])
async def test_no_account_but_the_chosen_is_asked_for(module: ModuleType, sector: str, field: str) -> None:
    """A pull for one account asks the holder for that one and gets its rows alone."""
    sandbox, person = Sandbox(module, sector), someone("accounts")
    chosen = frozenset(_keys(person, sector)[1:2])
    dataset = "telecom.bills" if sector == "telecom" else sandbox.dataset
    request = replace(_request(sandbox, dataset, chosen), since=date(2026, 5, 1))
    datasets = tuple(one.id for one in sandbox.holder.manifest.datasets)
    token = await sandbox.token(person, "", *datasets)
    pulled = await sandbox.runtime.collect(sandbox.holder, request, token)
    assert pulled.gaps == ()
    assert {json.loads(record.body)[field] for record in pulled.records} == chosen


async def test_an_account_shows_in_no_repr() -> None:
    """What a listed account is called and numbered shows in no repr."""
    sandbox, person = Sandbox(finance, "finance"), someone("accounts")
    for one in await _accounts(sandbox, person):
        assert one.key not in repr(one)
        assert one.name not in repr(one)
