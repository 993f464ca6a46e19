"""The questions, and what was answered: counters by month, nothing else.

Answers wait in memory until several of a kind can be written at once, as one sum. So no row, no order of
rows, no transaction id, no two backups and no log of the store can tell the answer of one visit. A process
that ends forgets the few it still holds: an answer lost harms nobody, an answer found might.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import Clock
from consent.tables import table_of
from gateway.awareness.hiding import STEP
from gateway.awareness.tables import QuestionnaireCountRow
from gateway.awareness.window import Month
from gateway.database import Database
from gateway.errors import Problem
from gateway.telemetry import log

KINDS = ("grant", "withdrawal")
QUESTIONS = ("understood", "free", "easy")
ANSWERS = ("yes", "partly", "no")
NONE = "none"
"""What is counted for a question left out."""

Counts = Counter[tuple[str, str]]
_TABLE = table_of(QuestionnaireCountRow)


class Box:
    """Where answers wait. One a process and event loop; `least` answers of a kind are written together."""

    def __init__(self, database: Database, clock: Clock, least: int = STEP) -> None:
        """Write into `database`, into the month it is then."""
        self._database, self._clock, self._least = database, clock, least
        self._held: dict[str, tuple[int, Counts]] = {kind: (0, Counter()) for kind in KINDS}

    async def drop(self, kind: str, answers: Mapping[str, str]) -> None:
        """Take the answers of one visit, by question. It does not fail when the store does."""
        self._hold(kind, 1, Counter(answers.items()))
        number, counts = self._held[kind]
        if number < self._least:
            return
        self._held[kind] = (0, Counter())
        written = False
        try:
            async with self._database.transaction() as session:
                await _add(session, Month.of(int(self._clock().timestamp())), kind, counts)
            written = True
        except Problem as problem:
            log.warning("questionnaire_waits", code=problem.code)
        finally:
            if not written:  # the next answer tries again
                self._hold(kind, number, counts)

    def _hold(self, kind: str, number: int, counts: Counts) -> None:
        before, held = self._held[kind]
        self._held[kind] = (before + number, held + counts)


def cells() -> list[tuple[str, str, str]]:
    """Every cell of the table there is."""
    return [(kind, question, one) for kind in KINDS for question in QUESTIONS for one in (*ANSWERS, NONE)]


async def counted(session: AsyncSession, month: Month) -> Counter[tuple[str, str, str]]:
    """The true counts of `month`, for `publishing` only."""
    rows = (await session.execute(select(_TABLE).where(_TABLE.c.month == month.name))).all()
    return Counter({(row.kind, row.question, row.answer): row.number for row in rows})


async def _add(session: AsyncSession, month: Month, kind: str, counts: Counts) -> None:
    made = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # Every cell is written in one fixed order, also those nothing is added to: rows tell no order of answers.
    for _, question, answer in (cell for cell in cells() if cell[0] == kind):
        number = counts[question, answer]
        new = made(_TABLE).values(
            month=month.name, kind=kind, question=question, answer=answer, number=number
        )
        more = {"number": _TABLE.c.number + new.excluded.number}
        keyed = new.on_conflict_do_update(index_elements=["month", "kind", "question", "answer"], set_=more)
        await session.execute(keyed)
