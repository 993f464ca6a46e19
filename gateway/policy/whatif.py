"""What would another policy have decided: a candidate on every question of a window, beside what was decided.

Counts only leave (account.py). Nobody's question is shown, nothing is written.
"""

from __future__ import annotations

import asyncio

from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.policy import record, replay
from gateway.policy.account import Account
from gateway.policy.bundle import PolicyBundle
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import PolicyUnavailable
from gateway.policy.question import Question
from gateway.policy.tables import PolicyDecisionRow

PAGE = 100


async def what_if(
    database: Database, keys: SubjectKeys, candidate: PolicyBundle, begin: int, end: int
) -> Account:
    """Run `candidate` on every decision from `begin` until before `end` (epoch seconds).

    Raises BundleInvalid when the candidate does not load. A question the candidate fails on is counted in
    `failed`; it would have been denied. Lets other tasks run between two decisions.
    """
    engine, account, last = EmbeddedEngine(candidate), Account(candidate.revision, begin, end), ""
    try:
        while True:
            async with database.reading() as session:
                rows = await record.between(session, begin, end, after=last, limit=PAGE)
                openers = [await replay.opener(session, keys, row) for row in rows]
            for row, opener in zip(rows, openers, strict=True):
                await _look(account, engine, row, opener)
            if len(rows) < PAGE:
                return account
            last = rows[-1].id
    finally:
        await engine.close()


async def _look(
    account: Account, engine: EmbeddedEngine, row: PolicyDecisionRow, opener: replay.Opener | None
) -> None:
    question = replay.question_of(opener.key if opener else None, row)
    if not isinstance(question, Question) or opener is None:
        account.erased += question is replay.Outcome.ERASED
        account.unreadable += question is not replay.Outcome.ERASED
        return
    try:
        account.note(row, question, await engine.decide(question), opener.subject)
    except PolicyUnavailable:
        account.failed += 1
    await asyncio.sleep(0)
