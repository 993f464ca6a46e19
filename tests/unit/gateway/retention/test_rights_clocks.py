"""The clocks of rights on an injected clock: three years, once a year, five minutes; on each store."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from consent import notices
from consent import rights_repository as repository
from consent import rights_service as service
from consent.clock import Clock
from consent.ledger.entry import decode
from consent.notices import NoticeKind, NoticeRow
from consent.rights import AskedItem, Decided, Move, Received, SelfRequest, State
from consent.subjects import SubjectId
from consent.tables import ConsentRow, ConsentTextRow
from gateway.database import Database
from gateway.transfers.delays import LATE_SECONDS, Delays
from gateway.transfers.own.clock import OwnClock
from gateway.transfers.tables import TransferRow
from tests.unit.gateway.retention.past import DAY, NOW, Past

THREE_YEARS = 1096 * DAY


@pytest.fixture
def past(database: Database) -> Past:
    """A store with a past."""
    return Past(database)


def clock_at(at: int) -> Clock:
    """A clock that stands at `at`."""
    return lambda: datetime.fromtimestamp(at, UTC)


async def citizen(past: Past) -> SubjectId:
    """A citizen with a key."""
    async with past.database.transaction() as session:
        return await past.journal.keys.create(session)


async def asked(past: Past, subject: SubjectId, id: str = "q-1", at: int = NOW) -> SelfRequest:
    """A request to oneself made at `at`."""
    made = SelfRequest(
        id=id,
        subject=subject,
        state=State.ASKED,
        version=1,
        verification="openid",
        purpose="own-use",
        items=(AskedItem("bank", "finance.deposit-transactions", ("trans_amt",)),),
        history_from=None,
        asked_at=at,
        changed_at=at,
        end_at=at + DAY,
        decided=Decided(f"d-{id}", "rev"),
    )
    async with past.database.transaction() as session:
        return await service.ask(session, past.journal, made)


async def consented(
    past: Past, subject: SubjectId, id: str, at: int, *, end: int = NOW + 9 * 366 * DAY
) -> None:
    """A consent given at `at` that holds until `end`."""
    values = dict.fromkeys(("client_id", "purpose", "text_hash"), "x") | {"language": "ko", "version": 1}
    values |= {"id": id, "subject_id": subject, "request_id": id, "state": "active", "by": "citizen"}
    values |= {"start_at": at, "end_at": end, "created_at": at, "changed_at": at, "asked": b"", "terms": b""}
    known = {column.name for column in ConsentRow.__table__.columns}  # type: ignore[attr-defined]
    async with past.database.transaction() as session:
        await session.execute(
            insert(ConsentRow).values(**{name: v for name, v in values.items() if name in known})
        )


async def entered(past: Past) -> Counter[str]:
    """The entries promised, by kind."""
    return Counter(decode(row.entry).kind for row in await past.rows("ledger_outbox"))


async def yearly(past: Past, subject: SubjectId) -> list[int]:
    """When the citizen got the notice of the year, newest first."""
    async with past.database.reading() as session:
        found = await notices.of_subject(session, subject, limit=50)
    return [notice.at for notice in found if notice.kind is NoticeKind.YEARLY]


@pytest.fixture(autouse=True)
async def _texts(database: Database) -> None:
    """The text every consent of this file was given under."""
    async with database.transaction() as session:
        text = {"hash": "x", "version": "1", "language": "ko", "body": "", "first_at": 0}
        await session.execute(insert(ConsentTextRow).values(**text))


async def test_pipa_42_6_11_records_are_kept_three_years_and_no_longer(past: Past) -> None:
    """A second before three years after its end the record stands; then it goes, and no other with it."""
    subject = await citizen(past)
    over, lives = await asked(past, subject), await asked(past, await citizen(past), "q-2")
    async with past.database.transaction() as session:
        await service.step(session, past.journal, over, Move.CANCEL, NOW)
    assert await past.run("self_request", NOW + THREE_YEARS - 1) == 0
    async with past.database.reading() as session:
        assert await repository.load(session, over.id) is not None
    assert await past.run("self_request", NOW + THREE_YEARS) == 1
    async with past.database.reading() as session:
        assert await repository.load(session, over.id) is None
        assert await repository.load(session, lives.id) == lives


async def test_pipa_42_6_11_notices_are_kept_three_years(past: Past) -> None:
    """That the citizen was told is part of the record: it stays as long, read or not."""
    subject = await citizen(past)
    async with past.database.transaction() as session:
        await notices.leave(session, subject, NoticeKind.TRANSFER_DELAYED, "c-1#t-1", NOW)
    await past.run("notice", NOW + THREE_YEARS - 1)
    assert len(await past.rows("notice")) == 1
    await past.run("notice", NOW + THREE_YEARS)
    assert await past.rows("notice") == []


async def test_pipa_42_6_12_once_a_year_to_whoever_has_a_living_consent(past: Past) -> None:
    """A year after the first consent, then every year; two consents are one notice; without one, none."""
    mine, gone = await citizen(past), await citizen(past)
    await consented(past, mine, "c-1", NOW)
    await consented(past, mine, "c-2", NOW + 3 * DAY)
    await consented(past, gone, "c-3", NOW, end=NOW + 100 * DAY)
    await past.run("notice", NOW + 365 * DAY - 1)
    assert await yearly(past, mine) == []
    for day in (365, 366, 368, 370, 500, 730, 731, 733, 1095, 1096, 1100):
        await past.run("notice", NOW + day * DAY)
    told = await yearly(past, mine)
    assert len(told) == 3
    gaps = [newer - older for newer, older in zip([*told], [*told[1:], NOW], strict=True)]
    assert all(gap <= 366 * DAY for gap in gaps)
    assert await yearly(past, gone) == []
    assert (await entered(past))["rights:year:told"] == 3


async def test_pipa_42_6_1_a_late_request_is_told_with_its_reason(past: Past) -> None:
    """Not before five minutes; then once, with the reason, however many clocks look."""
    one = await asked(past, await citizen(past))
    clock = OwnClock(past.database, past.journal, clock_at(NOW + 299))
    assert await clock.once() == 0
    late = OwnClock(past.database, past.journal, clock_at(NOW + 300))
    assert await late.once() == 1
    assert await late.once() == 0
    async with past.database.reading() as session:
        told = await repository.load(session, one.id)
        (notice,) = await notices.of_subject(session, one.subject, limit=5)
    assert told is not None
    assert (told.delayed_at, told.delay_reason, told.told_at) == (NOW + 300, "gateway_busy", NOW + 300)
    assert notice.kind is NoticeKind.RIGHT_DELAYED


async def test_pipa_42_6_5_the_file_goes_when_its_time_is_over(past: Past) -> None:
    """Up to its last second the file is there; from then on nothing of it is kept anywhere."""
    one = await asked(past, await citizen(past))
    came = {"received": (Received(one.items[0].name, "complete", 1, at=NOW),), "held_until": NOW + 7 * DAY}
    async with past.database.transaction() as session:
        one = await service.step(session, past.journal, one, Move.BEGIN, NOW)
        one = await service.step(session, past.journal, one, Move.DELIVER, NOW, came, sealed=b"sealed")
    for moment, moves, kept in ((7 * DAY - 1, 0, b"sealed"), (7 * DAY, 1, b""), (8 * DAY, 0, b"")):
        clock = OwnClock(past.database, past.journal, clock_at(NOW + moment))
        assert await clock.once() == moves
        async with past.database.reading() as session:
            assert await repository.sealed_of(session, one.id) == kept


async def test_row_26_a_late_transfer_is_told_and_told_again_when_it_goes_on(past: Past) -> None:
    """Five minutes after it was asked, with where it waits; once more when it is ready; each once."""
    subject = await citizen(past)
    await consented(past, subject, "c-1", NOW)
    row = TransferRow(
        id="t-1",
        client_id="company",
        grant_id="g-1",
        consent_id="c-1",
        consent_version=1,
        subject_id=subject,
        idempotency_key="k",
        state="pulling",
        decision_id="d",
        plan=b"null",
        created_at=NOW,
        changed_at=NOW,
    )
    async with past.database.transaction() as session:
        session.add(row)

    def delays(at: int) -> Delays:
        return Delays(past.database, past.journal, clock_at(at))

    assert await delays(NOW + LATE_SECONDS - 1).once() == 0
    assert await delays(NOW + LATE_SECONDS).once() == 1
    assert await delays(NOW + LATE_SECONDS).once() == 0
    async with past.database.transaction() as session:
        await session.execute(update(TransferRow).values(state="ready"))
    assert await delays(NOW + 400).once() == 1
    assert await delays(NOW + 401).once() == 0
    (kept,) = await past.rows("transfer")
    assert (kept.delayed_at, kept.delay_reason, kept.solved_at) == (NOW + 300, "holder_slow", NOW + 400)
    told = {row.kind for row in await past.rows(NoticeRow.__tablename__)}
    assert told == {"transfer_delayed", "transfer_goes_on"}
    assert (await entered(past))["rights:request:delayed"] == 1
