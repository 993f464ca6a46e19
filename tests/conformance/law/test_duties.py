"""The duties of the transfer rights, each in a test named after its article; docs/law.md lists them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from connectors.authorization import ConsentTerms, Gateway
from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.sandbox import finance
from consent.catalogue import load
from consent.errors import TermsError
from consent.refusal_grounds import Ground, grounds
from consent.terms import Choices, narrow
from consent.text import blocks
from gateway.policy.bundle import load as load_policy
from gateway.policy.decision import Decision
from gateway.policy.embedded import EmbeddedEngine
from gateway.retention.schedule import schedule
from tests.policy.table import question
from tests.unit.connectors.sandboxes import Sandbox, everybody
from tests.unit.consent.household import BANK, bank, details, of_holder, parsed, wording

ENGINE = EmbeddedEngine(load_policy())
YEAR = 365 * 86_400


def put(path: str, value: Any) -> dict[str, Any]:
    """One change of the question."""
    return {"op": "replace", "path": path, "value": value}


async def decided(*patch: dict[str, Any]) -> Decision:
    """What policy says to the changed question."""
    return await ENGINE.decide(question(*patch))


def withheld(decision: Decision, item: str) -> set[str]:
    """Why this item stays."""
    return {one.code for one in decision.withheld if one.item == item}


def refused(asked: list[dict[str, Any]]) -> str:
    """The code the request is refused with."""
    with pytest.raises(TermsError) as caught:
        parsed(asked)
    return caught.value.code


@pytest.mark.parametrize("member", ["purpose", "holder", "end", "retention", "items"])
def test_pipa_42_5_3_every_named_part_of_a_request_must_be_there(member: str) -> None:
    """Purpose, sender, items, end and retention; the recipient is the authenticated client itself."""
    asked = bank()
    del asked[member]
    assert refused([asked]) == "details_member_missing"
    for part in ("dataset", "frequency", "history_from"):
        asked = bank()
        del asked["items"][0][part]
        assert refused([asked]) == "details_member_missing"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_pipa_42_5_3_the_text_shown_names_every_part(language: str) -> None:
    """Who receives, why, what from whom and how often, until when, how long kept, the right to refuse."""
    shown = {block.id for block in blocks(parsed(details()), wording(language))}
    assert {"recipient", "purpose", f"item:{BANK}", "duration", "basis", "rights"} <= shown


async def test_pipa_42_5_5_no_cycle_towards_a_general_recipient() -> None:
    """The same item once is fine; on a cycle it stays, and a specialised institution gets it."""
    item = "nuri-telecom/telecom.bills"
    cycle = (
        put("/request/items/1/frequency", "P28D"),
        put("/request/items/1/interval_days", 28),
        put("/consent/items/1/frequency", "P28D"),
    )
    assert withheld(await decided(), item) == set()
    assert withheld(await decided(*cycle), item) == {"periodic_to_general_recipient"}
    assert withheld(await decided(*cycle, put("/client/kinds/telecom", "specialised")), item) == set()


async def test_pipa_42_6_3_both_sides_are_authenticated() -> None:
    """A gateway the holder does not know gets no link, whatever it signs."""
    holder, stranger = Sandbox(finance, "finance"), Sandbox(finance, "finance")
    person = next(one for one in everybody() if one.knows("finance"))
    assert await holder.link(person)
    holder.gateway = Gateway("another", stranger.sign, holder.http, now=lambda: holder.at)
    with pytest.raises(HolderError) as caught:
        await holder.link(person)
    assert caught.value.reason is Reason.DENIED


@pytest.mark.parametrize("sector", ["telecom", "energy", "medical"])
async def test_pipa_42_6_7_a_statutory_transfer_runs_through_an_intermediary(sector: str) -> None:
    """A mere processor may not carry it; what rests on consent, or on the finance act, it may."""
    decision = await decided(put("/operator/role", "processor"))
    found = {one.item.split("/")[1].split(".")[0]: one.code for one in decision.withheld}
    assert found[sector] == "intermediary_required"
    assert not {"finance", "retail"} & set(found)


@pytest.mark.parametrize("kind", ["general", "specialised", "licensed_operator", "contract"])
async def test_pipa_42_6_7_health_data_goes_to_special_institutions_only(kind: str) -> None:
    """Every other kind of recipient is refused by name."""
    item = "saebom-hospital/medical.observations"
    assert withheld(await decided(put("/client/kinds/medical", kind)), item) == {"medical_recipient"}
    assert withheld(await decided(), item) == set()


def test_pipa_42_6_8_1_data_of_a_sector_outside_the_purpose_is_refused() -> None:
    """Health coaching has nothing to do with a bank account."""
    assert refused([bank() | {"purpose": "health-coaching"}]) in (
        "purpose_not_allowed",
        "purpose_not_for_sector",
    )


@pytest.mark.parametrize("rider", ["third_party_consent", "marketing", "provide_to", "share_with"])
def test_pipa_42_6_8_2_no_other_consent_rides_along(rider: str) -> None:
    """A request has no room for a consent to pass data on, at the request or at an item."""
    assert refused([bank() | {rider: True}]) == "details_member_unknown"
    asked = bank()
    asked["items"][0][rider] = True
    assert refused([asked]) == "details_member_unknown"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_pipa_42_6_8_3_refusing_is_told_on_the_text(language: str) -> None:
    """The right to refuse and to withdraw stands in what is shown and hashed."""
    rights = next(block for block in blocks(parsed(details()), wording(language)) if block.id == "rights")
    assert len(rights.lines) >= 3


async def test_pipa_42_6_8_5_what_was_not_agreed_is_not_sent() -> None:
    """More fields, another cycle, older records than agreed: left out or kept back."""
    item = "hanbit-bank/finance.deposit-transactions"
    more = await decided(put("/consent/items/0/fields", ["trans_amt"]))
    assert [grant.fields for grant in more.granted if grant.item == item] == [("trans_amt",)]
    assert withheld(await decided(put("/consent/items/0/frequency", "P28D")), item) == {
        "frequency_not_consented"
    }
    assert "history_too_old" in withheld(
        await decided(put("/request/items/0/history_from", 1779999999)), item
    )


async def test_pipa_42_6_8_7_repeated_access_is_bounded() -> None:
    """Counted per item in a day and a month, and per consent in a day."""
    item, week = "hanbit-bank/finance.deposit-transactions", 1795305600 - 7 * 86_400
    busy = put("/request/items/0/prior", {"count": 40, "last": week, "recent": 31, "day": 0})
    assert withheld(await decided(busy), item) == {"used_too_often"}
    denied = await decided({"op": "add", "path": "/request/asked_in_day", "value": 200})
    assert [reason.code for reason in denied.codes] == ["asked_too_often"]


def test_pipa_42_6_9_nothing_can_hold_a_credential_of_a_citizen() -> None:
    """What the gateway shows a holder is a link, a consent and its own signature: no name, no password."""
    assert {one.name for one in fields(ConsentTerms)} <= {
        "consent_id",
        "version",
        "end",
        "datasets",
        "listing",
    }
    assert {one.name for one in fields(Gateway)} == {"code", "sign", "client", "now", "new_id"}


@pytest.mark.parametrize(
    "table",
    ["consent", "consent_version", "transfer", "transfer_item_outcome", "holder_call", "policy_decision"],
)
def test_pipa_42_6_11_records_are_kept_three_years(table: str) -> None:
    """Requests, what was sent, and every refusal with its reason stay three years after their end."""
    rule = schedule()[table]
    assert rule.span == "P3Y"
    assert rule.seconds >= 3 * YEAR
    assert rule.law is not None
    assert "42-6(11)" in rule.law.article


def test_pipa_42_8_every_ground_and_no_other() -> None:
    """Eleven, numbered as in the Decree, in both languages, read in the law."""
    found = grounds()
    assert [one.number for one in found.values()] == list(range(1, 12))
    assert set(found) == set(Ground)
    assert all(one.verified and set(one.words) == {"ko", "en"} for one in found.values())


def test_pipa_42_4_1_what_names_others_or_the_person_never_leaves() -> None:
    """What names a person directly can neither be asked for nor be part of any consent."""
    direct = [
        (dataset, field)
        for dataset in load().datasets.values()
        for field in dataset.fields.values()
        if field.kind == "direct"
    ]
    assert direct
    assert not [field for _, field in direct if field.leaves]
    asked = of_holder(
        "dadam-market", {**bank()["items"][0], "dataset": "retail.orders", "fields": ["customer"]}
    )
    assert refused([asked]) == "field_suppressed"


@pytest.mark.parametrize(("age", "codes"), [(13, ["guardian_required"]), (14, []), (18, [])])
async def test_pipa_22_2_a_child_needs_a_guardian_and_fourteen_does_not(age: int, codes: list[str]) -> None:
    """Below fourteen nothing leaves without a guardian; from fourteen a young person asks alone."""
    decision = await decided(put("/subject/age", age))
    assert [reason.code for reason in decision.codes] == codes


def test_pipa_22_5_all_optional_items_may_be_left_out() -> None:
    """With every optional item and switch off the consent still stands."""
    asked = parsed(details())
    chosen = narrow(asked, Choices(), catalogue=load())
    assert [item.name for item in chosen.items] == [BANK]
