"""Transfers in the store: leases, moves by compare-and-set, endings, notices; on both stores."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import gateway.migrations.tables  # noqa: F401 - every table must be known before it is made
from gateway.database import Database
from gateway.transfers import repository
from gateway.transfers.states import MOVES, State
from gateway.transfers.tables import BundleRow, HolderNoticeRow, TransferRow

NOW = 1_800_000_000


def row(number: int = 1, **values: Any) -> TransferRow:
    """A transfer that was accepted."""
    fields: dict[str, Any] = {
        "id": f"t-{number}",
        "client_id": "client",
        "grant_id": "g",
        "consent_id": "c-1",
        "consent_version": 1,
        "subject_id": "s",
        "idempotency_key": f"key-{number}",
        "state": State.ACCEPTED,
        "decision_id": "d",
        "plan": b"null",
        "created_at": NOW + number,
        "changed_at": NOW,
    }
    return TransferRow(**{**fields, **values})


async def add(database: Database, *rows: Any) -> None:
    """Store rows."""
    async with database.transaction() as session:
        session.add_all(rows)


async def test_the_oldest_free_transfer_is_claimed(database: Database) -> None:
    """A worker gets the oldest one, with a lease and a counted attempt."""
    await add(database, row(2), row(1))
    async with database.transaction() as session:
        taken = await repository.claim(session, NOW + 10, 60)

    assert taken is not None
    assert (taken.id, taken.lease_until, taken.attempts) == ("t-1", NOW + 70, 1)


async def test_side_by_side_no_transfer_is_claimed_twice(database: Database) -> None:
    """Eight workers, five transfers: each is claimed once."""
    await add(database, *(row(number) for number in range(1, 6)))

    async def claim() -> str | None:
        async with database.transaction() as session:
            taken = await repository.claim(session, NOW + 10, 60)
            return taken.id if taken else None

    claimed = [one for one in await asyncio.gather(*(claim() for _ in range(8))) if one]

    assert len(set(claimed)) == len(claimed) == 5


@pytest.mark.parametrize("state", [State.READY, State.CANCELLED, State.FAILED])
async def test_what_has_ended_is_not_claimed(database: Database, state: State) -> None:
    """A finished transfer is nobody's work."""
    await add(database, row(state=state))
    async with database.transaction() as session:
        assert await repository.claim(session, NOW + 10, 60) is None


async def test_a_lease_that_ran_out_is_free_again(database: Database) -> None:
    """The work of a worker that died is taken over, not before its lease ends."""
    await add(database, row(state=State.PULLING, lease_until=NOW + 60))
    async with database.transaction() as session:
        assert await repository.claim(session, NOW + 59, 60) is None
        assert await repository.claim(session, NOW + 61, 60) is not None


async def test_a_move_happens_once(database: Database) -> None:
    """Of two moves from the same state the second finds it gone."""
    await add(database, row())
    async with database.transaction() as session:
        held = await repository.transfer(session, "t-1")
        assert held is not None
        first = row()
        assert await repository.move(session, first, State.PULLING, NOW)
        assert not await repository.move(session, first, State.PULLING, NOW)


@pytest.mark.parametrize("before", list(State))
async def test_a_move_that_is_not_in_the_table_is_refused(database: Database, before: State) -> None:
    """Every pair of states outside the table is refused and changes nothing."""
    await add(database, row(state=before))
    for after in set(State) - MOVES[before]:
        async with database.transaction() as session:
            assert not await repository.move(session, row(state=before), after, NOW)
    async with database.reading() as session:
        kept = await repository.transfer(session, "t-1")

    assert kept is not None
    assert kept.state == before


async def test_the_end_of_a_consent_ends_its_transfers_and_empties_its_bundles(database: Database) -> None:
    """Unfetched bundles lose their bytes, unfinished transfers end; those of another consent stay."""
    sealed = {"client_id": "client", "manifest_hash": "h", "created_at": NOW, "expires_at": NOW + 60}
    await add(
        database,
        row(1, state=State.READY),
        row(2, state=State.PULLING),
        row(3, state=State.FAILED),
        row(4, consent_id="c-2"),
        BundleRow(id="b-1", transfer_id="t-1", consent_id="c-1", sealed=b"x", **sealed),
        BundleRow(id="b-2", transfer_id="t-4", consent_id="c-2", sealed=b"y", **sealed),
    )
    async with database.transaction() as session:
        await repository.cancel_of_consent(session, "c-1", NOW, "consent_withdrawn")
    async with database.reading() as session:
        states = [(await repository.transfer(session, f"t-{n}")).state for n in range(1, 5)]  # type: ignore[union-attr]
        bundles = [(await repository.bundle(session, f"b-{n}")).sealed for n in (1, 2)]  # type: ignore[union-attr]

    assert states == [State.CANCELLED, State.CANCELLED, State.FAILED, State.ACCEPTED]
    assert bundles == [b"", b"y"]


@pytest.mark.parametrize(("ends", "then"), [(7 * 86_400, 86_400), (86_400, 86_400), (60, 60)])
async def test_a_bundle_that_was_fetched_stays_a_day_at_most(
    database: Database, ends: int, then: int
) -> None:
    """A lost answer can be fetched again for a day, never longer than the bundle would have stayed."""
    sealed = {"client_id": "client", "manifest_hash": "h", "created_at": NOW, "sealed": b"x"}
    one = BundleRow(id="b-1", transfer_id="t-1", consent_id="c-1", expires_at=NOW + ends, **sealed)
    await add(database, one)
    for later in (0, 3600):
        async with database.transaction() as session:
            await repository.delivered(session, "b-1", NOW + later)
    async with database.reading() as session:
        found = await repository.bundle(session, "b-1")

    assert found is not None
    assert (found.sealed, found.expires_at) == (b"x", NOW + then)


async def test_a_notice_is_due_until_it_was_acknowledged(database: Database) -> None:
    """A waiting notice comes when its time has come; an acknowledged one never again."""
    notice = {"consent_id": "c-1", "subject_id": "s", "version": 2, "event": "withdrawn", "at": NOW}
    await add(
        database,
        HolderNoticeRow(holder="a", next_at=NOW, **notice),
        HolderNoticeRow(holder="b", next_at=NOW + 60, **notice),
    )
    async with database.transaction() as session:
        (due,) = await repository.notices_due(session, NOW)
        assert due.holder == "a"
        await repository.settle_notice(session, due.id or 0, state="acknowledged", next_at=NOW)
    async with database.reading() as session:
        later = [one.holder for one in await repository.notices_due(session, NOW + 61)]

    assert later == ["b"]
