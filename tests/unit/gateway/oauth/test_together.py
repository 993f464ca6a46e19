"""Hot requests in company: exactly one spends, chains stay whole, live rows decide, on both stores."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from consent.events import Event
from consent.journal import Said, payload_context
from consent.ledger.tree import leaf_hash
from consent.ledger_tables import OUTBOX, PAYLOAD
from consent.subjects import SubjectId
from gateway.oauth import clients
from gateway.oauth.endings import end_grant
from gateway.oauth.grants import Grant, find_grant, find_refresh, hashed
from gateway.oauth.replay import OneTime, is_spent, raise_mark
from gateway.oauth.together import Together
from gateway.oauth.unit import STALE, Known, Question, StillAlive, Unit, question_of
from tests.oauth_stage import Stage

FAR = 1 << 33


def key(code: str = "dpop_replayed", purpose: str = "proof") -> OneTime:
    """A one-time value nobody has used."""
    return OneTime(purpose, os.urandom(32), FAR, code)


def of_nobody(stage: Stage, *once: OneTime, known: Known | None = None) -> Unit:
    """Spend `once` and enter one event that concerns no citizen."""
    said = Said(Event.TOKEN_ACCESS_ISSUED, None, stage.client_id, {"token": "t"}, stage.now)
    return Unit(once, line=stage.journal.plain(said), known=known)


def of_citizen(stage: Stage, grant: Grant, *once: OneTime, note: str = "") -> Unit:
    """The same for the citizen of `grant`, while it lives."""
    subject = SubjectId(grant.subject_id)
    said = Said(Event.TOKEN_ACCESS_ISSUED, subject, stage.client_id, {"note": note}, stage.now)
    return Unit(once, StillAlive(grant, stage.now), said=said)


async def grant_of(stage: Stage) -> Grant:
    """A citizen's grant, as it lives now."""
    told = await stage.tokens()
    async with stage.database.reading() as session:
        found = await find_grant(session, told["grant_id"])
    assert found is not None
    return found


async def spent(stage: Stage, once: OneTime) -> bool:
    """Whether a value is used up."""
    async with stage.database.reading() as session:
        return await is_spent(session, once.purpose, once.key_hash, once.expires_at)


async def test_of_sixteen_identical_units_exactly_one_is_done(stage: Stage) -> None:
    """In every trial one succeeds, fifteen hear why not, and one entry is made."""
    together = stage.server.together
    before = await stage.entries()
    for _ in range(25):
        once = key("client_assertion_replayed", "assertion"), key()
        units = [of_nobody(stage, *once) for _ in range(16)]
        done = await asyncio.gather(*(together.do(unit) for unit in units))
        assert sorted(map(str, done)) == ["None", *["client_assertion_replayed"] * 15]
    assert await stage.entries() == before + 25


async def test_the_same_over_two_processes_on_one_database(stage: Stage) -> None:
    """Two writers that know nothing of each other: still exactly one of sixteen, with strangers between."""
    other = Together(stage.database, stage.journal)
    before = await stage.entries()
    for _ in range(25):
        once = key("client_assertion_replayed", "assertion"), key()
        same = [way.do(of_nobody(stage, *once)) for way in (stage.server.together, other) for _ in range(8)]
        strangers = [other.do(of_nobody(stage, key())) for _ in range(4)]
        done = await asyncio.gather(*same, *strangers)
        assert done[16:] == [None] * 4
        assert done[:16].count(None) == 1
    assert await stage.entries() == before + 25 * 5


async def test_a_refused_unit_enters_nothing_and_harms_nobody(stage: Stage) -> None:
    """One replay among nineteen good units of one batch: nineteen entries."""
    together, before = stage.server.together, await stage.entries()
    old = key()
    assert await together.do(Unit((old,))) is None

    units = [of_nobody(stage, key()) for _ in range(19)]
    units.insert(7, of_nobody(stage, key("x", "assertion"), old))
    done = await asyncio.gather(*(together.do(unit) for unit in units))

    assert [place for place, code in enumerate(done) if code] == [7]
    assert done[7] == "dpop_replayed"
    assert await stage.entries() == before + 19


async def test_a_value_forgotten_since_is_not_taken_again(stage: Stage) -> None:
    """What ended before the mark counts as spent here as anywhere."""
    async with stage.database.transaction() as session:
        await raise_mark(session, 1000)
    old, new = replace(key(), expires_at=999), replace(key(), expires_at=1000)

    assert await stage.server.together.do(Unit((old,))) == "dpop_replayed"
    assert await stage.server.together.do(Unit((new,))) is None
    seen = await stage.server.together.look(
        Question(stage.client_id, given_up=OneTime("revoked", b"h" * 32, 999, ""))
    )
    assert seen.given_up


async def test_a_citizens_chain_is_whole_whoever_writes(stage: Stage) -> None:
    """Two citizens, hot units and ordinary transactions at once: no gap, each names the last."""
    together = stage.server.together
    grants = [await grant_of(stage), await grant_of(stage)]

    async def ordinary(grant: Grant, note: str) -> None:
        subject = SubjectId(grant.subject_id)
        async with stage.database.transaction() as session:
            await stage.journal.append(
                session, Event.TOKEN_ACCESS_ISSUED, subject=subject, party="p", payload={"note": note},
                at=stage.now,
            )  # fmt: skip

    works: list[Any] = []
    for grant in grants:
        works += [together.do(of_citizen(stage, grant, key(), note=str(n))) for n in range(12)]
    works += [together.do(of_nobody(stage, key())) for _ in range(6)]
    works += [ordinary(grant, f"o{n}") for n in range(6) for grant in grants]
    assert set(await asyncio.gather(*works)) == {None}

    for grant in grants:
        await whole(stage, SubjectId(grant.subject_id), at_least=18)


async def whole(stage: Stage, subject: SubjectId, *, at_least: int) -> None:
    """The chain of `subject` has no gap, names each last leaf, and stands in the outbox in its order."""
    async with stage.database.reading() as session:
        subject_key = await stage.subjects.key(session, subject)
        query = select(PAYLOAD.c.n, PAYLOAD.c.body, PAYLOAD.c.leaf, PAYLOAD.c.outbox_id)
        rows = (await session.execute(query.where(PAYLOAD.c.subject == subject).order_by(PAYLOAD.c.n))).all()
    bodies = [json.loads(subject_key.unseal(row.body, payload_context(subject, row.n))) for row in rows]
    assert [row.n for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= at_least
    assert [body["prev"] for body in bodies[1:]] == [row.leaf.hex() for row in rows[:-1]]
    assert [row.outbox_id for row in rows] == sorted(row.outbox_id for row in rows)


async def test_a_consent_withdrawn_since_it_was_read(stage: Stage) -> None:
    """The unit is refused by the live row, enters nothing, and its values stay spent; a neighbour goes on."""
    dying = await grant_of(stage)
    dead = stage.consent
    living = await grant_of(stage)
    stage.consent = dead
    await stage.withdraw()
    before, once = await stage.entries(), key()

    refused, done = await asyncio.gather(
        stage.server.together.do(of_citizen(stage, dying, once)),
        stage.server.together.do(of_citizen(stage, living, key())),
    )

    assert (refused, done) == ("consent_withdrawn", None)
    assert await spent(stage, once)
    assert await stage.entries() == before + 1


async def test_a_grant_that_is_gone(stage: Stage) -> None:
    """A grant nobody has is refused as revoked."""
    ghost = replace(await grant_of(stage), id="none")

    assert await stage.server.together.do(of_citizen(stage, ghost, key())) == "grant_revoked"


async def test_a_client_registered_otherwise_since(stage: Stage) -> None:
    """Nothing is changed, not even a value spent; a unit of another client in the same batch is done."""
    await stage.register("other-company")
    known = (await stage.server.together.look(Question(stage.client_id))).known
    other = (await stage.server.together.look(Question("other-company"))).known
    assert known is not None
    async with stage.database.transaction() as session:
        await clients.suspend(session, stage.client_id, at=stage.now)
    before, once = await stage.entries(), key()

    done = await asyncio.gather(
        stage.server.together.do(of_nobody(stage, once, known=known)),
        stage.server.together.do(of_nobody(stage, key(), known=other)),
        stage.server.together.do(of_nobody(stage, key(), known=replace(known, document="{}"))),
    )

    assert list(done) == [STALE, None, STALE]
    assert not await spent(stage, once)
    assert await stage.entries() == before + 1


async def test_a_known_client_is_suspended_at_once(stage: Stage) -> None:
    """The token door has seen the client; the very next request after the suspension is refused."""
    asked = {"grant_type": "client_credentials", "scope": "company"}
    for _ in range(3):
        assert (await stage.post("/token", **asked)).status_code == 200
    async with stage.database.transaction() as session:
        await clients.suspend(session, stage.client_id, at=stage.now)
    before = await stage.state()

    refused = await stage.post("/token", **asked)

    assert (refused.status_code, refused.json()["code"]) == (401, "client_suspended")
    assert await stage.state() == before


async def test_what_is_looked_at_is_what_the_repositories_read(stage: Stage) -> None:
    """Client, grant, refresh token and a token given up, each as the ordinary way reads it; unknown ones."""
    told = await stage.tokens()
    claims = stage.server.minter.read(told["access_token"], stage.now)
    assert claims is not None
    async with stage.database.reading() as session:
        client = await clients.find(session, stage.client_id)
        grant = await find_grant(session, told["grant_id"])
        refresh = await find_refresh(session, told["refresh_token"])
    look = stage.server.together.look
    asked = [
        Question(stage.client_id),
        Question(stage.client_id, refresh=hashed(told["refresh_token"])),
        question_of(claims),
        Question("nobody", refresh=hashed("none")),
        Question("nobody", grant_id="none"),
    ]

    plain, token, named, unknown, none = await asyncio.gather(*(look(question) for question in asked))

    assert plain.client is token.client is named.client is client
    assert (token.refresh, token.grant, named.grant) == (refresh, grant, grant)
    assert (named.given_up, plain.grant, plain.refresh) == (False, None, None)
    assert {unknown.client, unknown.grant, unknown.refresh, none.client, none.grant} == {None}
    assert (await stage.post("/revoke", proof=None, token=told["access_token"])).status_code == 200
    assert (await look(question_of(claims))).given_up


async def test_events_of_nobody_are_stored_with_their_opening(stage: Stage) -> None:
    """Every outbox row of a batch has its payload beside it, and no other."""
    await asyncio.gather(*(stage.server.together.do(of_nobody(stage, key())) for _ in range(30)))

    async with stage.database.reading() as session:
        joined = OUTBOX.join(PAYLOAD, PAYLOAD.c.outbox_id == OUTBOX.c.id)
        rows = (await session.execute(select(OUTBOX.c.entry, PAYLOAD.c.leaf).select_from(joined))).all()
        payloads = (await session.execute(select(func.count()).select_from(PAYLOAD))).scalar_one()
    assert len(rows) == payloads == 30
    assert all(leaf_hash(row.entry) == row.leaf for row in rows)


async def test_a_grant_revoked_while_its_unit_waits(stage: Stage) -> None:
    """The revocation was first at the citizen's row: once it commits the waiting unit is refused."""
    grant = await grant_of(stage)
    async with stage.database.transaction() as session:
        assert await end_grant(session, stage.server.record, grant, "revoked_by_client", at=stage.now)
        waiting = asyncio.create_task(stage.server.together.do(of_citizen(stage, grant, key())))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    before = await stage.entries()

    assert await waiting == "grant_revoked"
    assert await stage.entries() == before
