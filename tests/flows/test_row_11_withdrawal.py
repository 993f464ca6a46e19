"""Rows 11 and 33: a withdrawal in two phases, each party's answer, and the instruction to delete."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.sandbox.faults import Fault
from consent.events import Event
from gateway.demo import company_endings
from gateway.demo.browser import Page
from gateway.demo.company import CompanyError
from tests.world import SECOND, Given, World

DAY = 86_400


async def withdrawn(world: World, given: Given, **choices: str) -> Page:
    """The citizen withdraws; the page that confirms it."""
    browser = given.citizen.browser
    page = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/withdraw")
    return await browser.submit(page, page.form("decision"), {"decision": "withdraw", **choices})


async def state(world: World) -> tuple[str, int, str, str | None]:
    """How the one consent stands: state, version, by, why."""
    (row,) = await world.rows("consent")
    return row["state"], row["version"], row["by"], row["why"]


async def answers(world: World) -> dict[str, str]:
    """What each party has said."""
    return {row["party"]: row["answer"] for row in await world.rows("ending_party")}


async def all_holders(world: World) -> None:
    """Wait until every holder has acknowledged."""
    for _ in range(500):
        told = await world.rows("holder_notice")
        if told and all(row["state"] == "acknowledged" for row in told):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the holders did not acknowledge")


async def test_row_11_two_phase_withdrawal_completes_with_the_last_acknowledgement(own_world: World) -> None:
    """Dead at once; withdrawing until the company too has acknowledged; then withdrawn, one entry a move."""
    world = own_world
    given = await world.given()
    await withdrawn(world, given)
    with pytest.raises(CompanyError) as refused:
        await given.company.ask_transfer()
    assert refused.value.code == "consent_withdrawn"
    await all_holders(world)
    assert (await state(world))[:2] == ("withdrawing", 2)
    shown = await given.citizen.look(given.consent_id)
    assert "철회 중" in shown.words
    assert "까지 확인해야 해요" in shown.words

    own = await company_endings.own_doors(given.company)
    assert await company_endings.ended(own) == [given.consent_id]
    first = await company_endings.acknowledge(own, given.consent_id)
    assert first["state"] == "withdrawn"
    await world.forward(60)
    again = await company_endings.acknowledge(await company_endings.own_doors(own), given.consent_id)
    assert again == first
    assert await state(world) == ("withdrawn", 3, "gateway", None)
    assert set((await answers(world)).values()) == {"acknowledged"}
    kinds = await world.kinds()
    assert kinds[Event.CONSENT_GRANT_WITHDRAWN] == kinds[Event.CONSENT_WITHDRAWAL_COMPLETED] == 1
    assert kinds[Event.RECIPIENT_NOTICE_ACKNOWLEDGED] == 1
    assert "철회 완료" in (await given.citizen.look(given.consent_id)).words


async def test_row_11_two_phase_withdrawal_names_the_silent(own_world: World) -> None:
    """A holder that is down and a company that says nothing are named after their time; late is kept too."""
    world = own_world
    given = await world.given()
    world.faults["hanbit-bank"].add(Fault.DOWN)
    await withdrawn(world, given)
    for seconds, wanted in ((3 * DAY - 60, "withdrawing"), (120, "withdrawn")):
        await world.forward(seconds)
        await complete(world)
        assert (await state(world))[0] == wanted
    assert await state(world) == ("withdrawn", 3, "gateway", "party_silent")
    assert (
        (await answers(world))["hanbit-bank"] == (await answers(world))[given.company.client_id] == "silent"
    )
    own = await company_endings.own_doors(given.company)
    assert (await company_endings.acknowledge(own, given.consent_id))["state"] == "withdrawn"
    assert (await answers(world))[given.company.client_id] == "acknowledged"
    assert (await world.kinds())[Event.CONSENT_WITHDRAWAL_COMPLETED] == 1


async def complete(world: World) -> None:
    """Run the job that completes withdrawals."""
    from gateway.retention.completing import completing

    async with world.database.transaction() as session:
        await completing(world.parts.journal)(session, world.clock.seconds)


async def test_row_11_nobody_acknowledges_for_another_or_too_early(own_world: World) -> None:
    """Another company, one unknown, one that is alive, a token of a grant: refused, nothing changed."""
    world = own_world
    given = await world.given()
    own = await company_endings.own_doors(given.company)
    other = await company_endings.own_doors(await world.company(SECOND))
    async with world.unchanged(entries=1):
        for who, id, code in (
            (own, given.consent_id, "consent_not_ended"),
            (other, given.consent_id, "consent_not_found"),
            (own, "c-" + "0" * 30, "consent_not_found"),
            (given.company, given.consent_id, "token_wrong_door"),
        ):
            for act in (company_endings.acknowledge, company_endings.deletion_instruction):
                with pytest.raises(CompanyError) as refused:
                    await act(who, id)
                assert refused.value.code == code, (id, act)


async def instructed(world: World) -> tuple[Given, Any, dict[str, Any]]:
    """A citizen who withdrew and ticked that what was sent be deleted; the company, and what it is told."""
    given = await world.given()
    await world.settled(given.company, await given.company.ask_transfer())
    await withdrawn(world, given, delete="yes")
    own = await company_endings.own_doors(given.company)
    told = await company_endings.deletion_instruction(own, given.consent_id)
    assert told is not None
    return given, own, told


async def test_row_33_deletion_instruction_and_signed_certificate(own_world: World) -> None:
    """The box on the page reaches the company; its certificate is kept, entered by hash, shown and served."""
    world = own_world
    given, own, told = await instructed(world)
    assert len(told["bundles"]) == 1
    assert "까지 답해야 해요" in (await given.citizen.look(given.consent_id)).words
    kept = {"item": told["items"][0], "ground": "전자상거래법 제6조", "until": world.clock.seconds + DAY}
    signed = company_endings.certificate(own, told, items=told["items"][1:], exceptions=[kept])
    done = await company_endings.certify(own, given.consent_id, signed)
    assert done["certified_at"] is not None
    assert await company_endings.certify(own, given.consent_id, signed) == done
    with pytest.raises(CompanyError) as refused:
        await company_endings.certify(own, given.consent_id, company_endings.certificate(own, told))
    assert refused.value.code == "deletion_certified"
    kinds = await world.kinds()
    assert kinds[Event.DELETION_INSTRUCTION_GIVEN] == kinds[Event.DELETION_CERTIFICATE_RECEIVED] == 1
    page = await given.citizen.look(given.consent_id)
    assert "전자상거래법 제6조" in page.words
    assert "여기서 확인할 수는 없어요" in page.words
    link = next(one for one in page.links if one.endswith("/deletion-certificate"))
    assert signed in (await given.citizen.browser.open(link)).text


async def test_row_33_a_certificate_is_read_strictly(own_world: World) -> None:
    """Whatever is wrong with it, nothing is kept, and the code says that it was the certificate."""
    world = own_world
    given, own, told = await instructed(world)
    now, stranger = world.clock.seconds, await world.company(SECOND)
    wrong: list[dict[str, Any]] = [
        {"iss": "somebody"}, {"aud": [own.issuer]}, {"aud": "https://else.test"}, {"iat": now + 60},
        {"iat": now - DAY}, {"consent": "c-1"}, {"instruction": "d-1"}, {"deleted_at": now + 1},
        {"deleted_at": 0}, {"method": "hidden"}, {"items": ["a/b"]}, {"bundles": ["b-unknown"]},
        {"exceptions": [{"item": told["items"][0]}]}, {"more": 1}, {"iat": str(now)}, {"items": None},
    ]  # fmt: skip
    signed = [company_endings.certificate(own, told, **claims) for claims in wrong]
    own_keys, own.keys = own.keys, stranger.keys
    signed.append(company_endings.certificate(own, told))
    own.keys = own_keys
    good = company_endings.certificate(own, told)
    head, body, _ = good.split(".")
    signed += [f"{head}.{body}.", f"{head}.{body}.AAAA", good[:-4], "", "a.b.c", "x" * 100]
    async with world.unchanged(entries=0):
        for one in signed:
            with pytest.raises(CompanyError) as refused:
                await company_endings.certify(own, given.consent_id, one)
            assert refused.value.code == "deletion_certificate_invalid", one
    (row,) = await world.rows("deletion_instruction")
    assert row["certificate"] is None


async def test_row_33_deletion_can_be_instructed_later_and_silence_is_said(own_world: World) -> None:
    """From the page of an ended consent, once however often; without an answer the page says so."""
    world = own_world
    given = await world.given()
    await withdrawn(world, given)
    page = await given.citizen.look(given.consent_id)
    assert next(form for form in page.forms if form.action.endswith("/delete"))
    form = page.form("delete")
    await asyncio.gather(*(given.citizen.browser.submit(page, form, {"delete": "yes"}) for _ in range(4)))
    assert len(await world.rows("deletion_instruction")) == 1
    assert (await world.kinds())[Event.DELETION_INSTRUCTION_GIVEN] == 1
    (row,) = await world.rows("deletion_instruction")
    assert row["deadline_at"] - row["asked_at"] == 10 * DAY
