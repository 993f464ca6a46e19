"""What the doors read, by the doors' own functions. Each must cost the same whatever the past."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bench.history.past import CLIENT, ITEM, NOW, Living
from consent import repository, repository_lists, repository_party, repository_use
from consent.records import State
from consent.repository_lists import Show
from consent.repository_party import Wanted
from consent.tables import table_of
from gateway.disclosure.reading import rows_of
from gateway.oauth.grants import find_grant, find_refresh
from gateway.oauth.replay import OneTime
from gateway.oauth.together import Together
from gateway.oauth.unit import Question
from gateway.policy import record
from gateway.retention.batch import Step
from gateway.retention.jobs import jobs
from gateway.transfers import repository as transfers
from gateway.transfers.tables import TransferRow
from gateway.transfers.use import use_of
from gateway.web.paging import PAGE

_TRANSFER = table_of(TransferRow)
LookUp = Callable[[], Awaitable[object]]


class WrongAnswer(Exception):
    """A look-up found something else than the present."""


def expect(right: object) -> None:
    """Raise WrongAnswer unless `right`."""
    if not right:
        raise WrongAnswer


def lookups(living: Living) -> dict[str, LookUp]:
    """Every look-up by the name it has in the table."""
    return {
        **_tokens(living),
        **_pages(living),
        **_transfers(living),
        "housekeeping, nothing due": _tick(living),
    }


def _tokens(living: Living) -> dict[str, LookUp]:
    together = Together(living.database, living.journal)
    given_up = OneTime("revoked", b"jti", NOW + 60, "")

    async def refresh() -> object:
        seen = await together.look(Question(CLIENT, refresh=b"rt"))
        expect(seen.grant is None or seen.grant.id == "g")
        return seen.refresh

    async def bearer() -> object:
        return (await together.look(Question(CLIENT, grant_id="g", given_up=given_up))).grant

    async def grant() -> object:
        async with living.database.reading() as session:
            expect(await find_refresh(session, "unknown") is None)
            return await find_grant(session, "g")

    return {"/token, refresh": refresh, "/introspect, bearer": bearer, "/token, code: its grant": grant}


def _pages(living: Living) -> dict[str, LookUp]:
    subject, database = living.subject, living.database

    async def listed(before: tuple[int, str] | None) -> object:
        async with database.reading() as session:
            mine = await repository_lists.of_citizen(session, subject, at=NOW, limit=PAGE + 1, before=before)
            expect(mine)
            return await repository_use.last_sent(session, [consent.id for consent in mine[:PAGE]])

    async def middle() -> object:
        number = living.past // 2
        return await listed((NOW - number, f"c{number}"))

    async def lasting() -> object:
        async with database.reading() as session:
            (active,) = await repository_lists.of_citizen(
                session, subject, at=NOW, show=Show.ACTIVE, limit=PAGE + 1
            )
            await repository_lists.ending(session, subject, after=NOW, until=NOW + 1, limit=PAGE)
            return active

    async def received() -> object:
        async with database.reading() as session:
            return await repository_party.of_client(session, CLIENT, Wanted(), at=NOW, limit=PAGE)

    async def in_state() -> object:
        async with database.reading() as session:
            wanted = Wanted(state=State.PAUSED)  # this past holds consents that ran out and nobody expired
            expect(not await repository_party.of_client(session, CLIENT, wanted, at=NOW, limit=PAGE))
            return True

    async def one() -> object:
        async with database.reading() as session:
            consent = await repository.load(session, "c")
            if consent is None:
                raise WrongAnswer
            places = await repository_use.transfers_before(session, "c", limit=PAGE + 1)
            await repository_use.of_transfers(session, [id for _, id in places])
            await repository.versions_of(session, consent)
            await transfers.under_way(session, "c")
            return await repository_use.latest(session, "c", ITEM.name)

    async def signed_in() -> object:
        async with database.reading() as session:
            (living_one,) = await repository.open_of_subject(session, subject, NOW)
            return living_one

    return {
        "/my/consents, first page": lambda: listed(None),
        "/my/consents, a page in the middle": middle,
        "/my/consents, what is in force": lasting,
        "GET /consents": received,
        "GET /consents?state=paused": in_state,
        "/my/consents/{id}": one,
        "sign-in: what is in force": signed_in,
    }


def _transfers(living: Living) -> dict[str, LookUp]:
    async def status() -> object:
        async with living.database.reading() as session:
            found = await transfers.transfer(session, "t")
            if found is None:
                raise WrongAnswer
            await record.find(session, found.decision_id)
            return found

    async def use() -> object:
        async with living.database.reading() as session:
            expect(await record.of_request(session, "t-new") is None)
            return await use_of(session, "c")

    async def waiting() -> object:
        async with living.database.reading() as session:
            expect(not await transfers.unfinished(session, NOW))
            return True

    async def period() -> object:
        async with living.database.reading() as session:
            table, order = _TRANSFER, (_TRANSFER.c.created_at, _TRANSFER.c.id)
            since = (table.c.created_at >= NOW, table.c.created_at < NOW + 1)
            (only,) = [row async for row in rows_of(session, table, *since, by=order)]
            return only

    return {
        "records of a period: its transfers": period,
        "GET /transfers/{id}": status,
        "POST /transfers: the use so far": use,
        "worker: what waits": waiting,
    }


def _tick(living: Living) -> LookUp:
    steps: list[Step] = [step for job in jobs(living.journal, "operator") for step in job.steps]

    async def tick() -> object:
        for step in steps:
            async with living.database.transaction() as session:
                expect((await step(session, NOW)).ended == 0)
        return True

    return tick
