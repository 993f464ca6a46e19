"""Where citizens leave: every flow counted exactly once, by client, Korean day and stage (CDR metrics v5).

    await abandonments(session, first, last)             # what was counted, for whoever publishes it
    await recounted(session, day)                        # the same day anew from the rows that are left

A flow is judged when neither its citizen nor its client can change it any more: its time to be answered, to
return and to redeem a code is over. The day is the one it began on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from consent.calendar import day_begins, korean_day_of
from gateway.oauth.grants import CODES
from gateway.oauth.interactions import REQUESTS
from gateway.oauth.resume import CODE_SECONDS, RESUME_SECONDS
from gateway.oauth.stages import LEFT_AT, Ending, Stage
from gateway.oauth.tables import UNCOUNTED, FlowCountRow

AT_ONCE = 500
SETTLED_SECONDS = RESUME_SECONDS + CODE_SECONDS
"""After the time to answer is over a flow can go on for so long at most."""

_COUNT = FlowCountRow.__table__  # type: ignore[attr-defined]
_DAY_SECONDS = 86_400
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class FlowCount:
    """So many flows of `client_id` that began on the Korean day `day` ended as `ending`."""

    day: date
    client_id: str
    ending: Ending
    number: int


def ending_of(row: Row[tuple[object, ...]]) -> Ending:
    """How the flow of a request ended whose time is over. Pure."""
    if row.settled_at is None:
        return LEFT_AT[Stage(row.stage or 0)]
    if row.error is not None:
        return Ending.NOT_ASKED
    if not row.allowed:
        return Ending.REJECTED
    return Ending.COMPLETED if row.used_at is not None else Ending.FAILED_TOKEN_EXCHANGE


async def count(session: AsyncSession, now: int) -> int:
    """Count a batch of the flows that are over and not counted yet; how many there were.

    Each is marked in the same transaction, so that it is counted once whoever else counts.
    """
    over = _flows().where(UNCOUNTED, REQUESTS.c.answer_by <= now - SETTLED_SECONDS)
    oldest = over.order_by(REQUESTS.c.answer_by, REQUESTS.c.interaction_id).limit(AT_ONCE)
    rows = (await session.execute(oldest.with_for_update(of=REQUESTS, skip_locked=True))).all()
    if not rows:
        return 0
    names = [row.interaction_id for row in rows]
    marked = update(REQUESTS).where(REQUESTS.c.interaction_id.in_(names), UNCOUNTED)
    await session.execute(marked.values(counted_at=now))
    made = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for (day, client, ending), number in sorted(_counted(rows).items()):
        new = made(_COUNT).values(day=day, client_id=client, ending=ending, number=number)
        more = {"number": _COUNT.c.number + new.excluded.number}
        keyed = new.on_conflict_do_update(index_elements=["day", "client_id", "ending"], set_=more)
        await session.execute(keyed)
    return len(rows)


async def abandonments(
    session: AsyncSession, first: date, last: date, client_id: str | None = None
) -> list[FlowCount]:
    """What was counted of the flows that began from `first` to `last`, both included, in order.

    Every ending stands in it, completed ones and those nobody was asked in, too; `stages.ABANDONED` names
    those that are abandonments. A day is whole three hours after its end.
    """
    query = select(_COUNT).where(_COUNT.c.day.between(first.isoformat(), last.isoformat()))
    if client_id is not None:
        query = query.where(_COUNT.c.client_id == client_id)
    found = await session.execute(query.order_by(_COUNT.c.day, _COUNT.c.client_id, _COUNT.c.ending))
    return [
        FlowCount(date.fromisoformat(row.day), row.client_id, Ending(row.ending), row.number) for row in found
    ]


async def recounted(session: AsyncSession, day: date) -> list[FlowCount]:
    """The counts of one Korean day made anew from the requests; they are kept for a week."""
    begins = day_begins(day)
    within = REQUESTS.c.created_at.between(begins, begins + _DAY_SECONDS - 1)
    rows = (await session.execute(_flows().where(within, REQUESTS.c.counted_at.is_not(None)))).all()
    return [
        FlowCount(date.fromisoformat(key[0]), key[1], Ending(key[2]), number)
        for key, number in sorted(_counted(rows).items())
    ]


def _flows() -> Select[tuple[object, ...]]:
    r = REQUESTS.c
    columns = (r.interaction_id, r.client_id, r.created_at, r.settled_at, r.allowed, r.error, r.stage)
    joined = REQUESTS.outerjoin(CODES, CODES.c.interaction_id == r.interaction_id)
    return select(*columns, CODES.c.used_at).select_from(joined)


def _counted(rows: Sequence[Row[tuple[object, ...]]]) -> Counter[Key]:
    return Counter(_keys(rows))


def _keys(rows: Iterable[Row[tuple[object, ...]]]) -> Iterable[Key]:
    for row in rows:
        yield korean_day_of(row.created_at).isoformat(), row.client_id, ending_of(row).value
