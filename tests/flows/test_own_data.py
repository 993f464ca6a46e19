"""A citizen has their own data handed to themself, over real holders."""

from __future__ import annotations

import asyncio
from pathlib import Path

from consent import rights_repository as repository
from consent.exclusions import asked_item
from consent.rights import SelfRequest, State
from consent.subjects import SubjectId
from gateway.transfers.own.ask import OwnAsk
from gateway.transfers.own.collected import Collected
from tests.world import World, open_world

BANK = ("hanbit-bank", "finance.deposit-transactions")
HOSPITAL = ("saebom-hospital", "medical.observations")


async def settled(world: World, request: SelfRequest) -> SelfRequest:
    """Wait until the request is neither asked nor pulling, at most twenty seconds."""
    for _ in range(400):
        async with world.database.reading() as session:
            live = await repository.load(session, request.id)
        assert live is not None
        if live.state not in (State.ASKED, State.PULLING):
            return live
        await asyncio.sleep(0.05)
    raise AssertionError(f"still {live.state}")


async def test_pipa_42_5_own_data_is_pulled_for_the_citizen_alone(tmp_path: Path) -> None:
    """Asked once, pulled under a request-bound authorisation, kept sealed, untreated but for what is excluded."""
    async with open_world(tmp_path) as world:
        await world.given()
        (consent,) = await world.rows("consent")
        subject = SubjectId(consent["subject_id"])
        items = [asked_item(world.parts.catalogue, *one) for one in (BANK, HOSPITAL)]
        ask = OwnAsk(subject, "form-key-1", items, "openid")
        request = await world.parts.own.asking.ask(ask)
        again = await world.parts.own.asking.ask(ask)
        assert again.id == request.id
        done = await settled(world, request)
        assert done.state is State.READY, done
        assert [one.outcome for one in done.received] == ["complete", "complete"]
        async with world.database.reading() as session:
            sealed = await repository.sealed_of(session, done.id)
            key = await world.parts.journal.keys.key(session, subject)
        kept = Collected.open(key, done.id, sealed)
        bank = bytes(kept.parts["hanbit-bank/finance.deposit-transactions"].records[0])
        assert b"account_num" in bank
        assert all(
            b"performer" not in bytes(r) for r in kept.parts["saebom-hospital/medical.observations"].records
        )
        kinds = await world.kinds()
        assert {k: n for k, n in kinds.items() if k.startswith("rights:")} == {
            "rights:request:asked": 1,
            "rights:request:begun": 1,
            "rights:request:delivered": 1,
        }
