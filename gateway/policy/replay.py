"""Make any past decision again, on the very revision it was made on: the same bytes, or say why not.

Needs the question, which is kept sealed under the citizen's key only, and the bundle, which is kept for ever
(revisions.py). After the citizen's key is shredded the answer is `erased`: the decision stays, and nobody can
tell any more what was asked. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository as consents
from consent import rights_repository as rights
from consent.subjects import SubjectError, SubjectId, SubjectKey, SubjectKeys
from gateway.policy import revisions
from gateway.policy.bundle import PolicyBundle
from gateway.policy.decision import Decision
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import PolicyEngine
from gateway.policy.errors import QuestionInvalid
from gateway.policy.question import Question
from gateway.policy.question import parse as parse_question
from gateway.policy.record import canonical_of, input_context, input_digest
from gateway.policy.tables import PolicyDecisionRow

Make = Callable[[PolicyBundle], Awaitable[PolicyEngine]]
"""Makes an engine on a bundle; whoever asked closes it."""


class Outcome(StrEnum):
    """What came of a replay."""

    EQUAL = "equal"
    DIFFERENT = "different"
    ERASED = "erased"
    NOT_DECIDED = "not_decided"
    REVISION_MISSING = "revision_missing"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Replayed:
    """`different`: the bytes differ. `changed`: the kept question is not the one that was decided on.

    `not_decided`: no engine could decide then. `again` is the decision made now, for `equal` and `different`.
    """

    row: PolicyDecisionRow
    outcome: Outcome
    again: Decision | None = None


@dataclass(frozen=True, slots=True)
class Opener:
    """A citizen and what opens their questions. Never leaves this process."""

    subject: SubjectId
    key: SubjectKey


async def embedded(bundle: PolicyBundle) -> PolicyEngine:
    """The engine in this process."""
    return EmbeddedEngine(bundle)


def question_of(key: SubjectKey | None, row: PolicyDecisionRow) -> Question | Outcome:
    """The question behind a decision, opened with the citizen's key; else `erased` or `changed`."""
    if key is None or row.sealed_input is None:
        return Outcome.ERASED
    try:
        plain = key.unseal(row.sealed_input, input_context(row.request_id))
        if input_digest(plain) != row.input_digest:
            return Outcome.CHANGED
        return parse_question(plain)
    except (SubjectError, QuestionInvalid):
        return Outcome.CHANGED


async def bundle_of(session: AsyncSession, revision: str) -> PolicyBundle | None:
    """The kept policy of a revision; None when it was never kept. Raises BundleInvalid for damaged bytes."""
    kept = await revisions.row(session, revision)
    return None if kept is None else revisions.opened(kept)


async def replay(
    session: AsyncSession, keys: SubjectKeys, row: PolicyDecisionRow, make: Make = embedded
) -> Replayed:
    """Make `row` again. Raises PolicyError when the engine cannot decide now."""
    return await replay_with(session, await key_of(session, keys, row), row, make)


async def replay_with(
    session: AsyncSession, key: SubjectKey | None, row: PolicyDecisionRow, make: Make = embedded
) -> Replayed:
    """Make `row` again, whose citizen has `key` (None: shredded)."""
    if not row.available:
        return Replayed(row, Outcome.NOT_DECIDED)
    question = question_of(key, row)
    if isinstance(question, Outcome):
        return Replayed(row, question)
    bundle = await bundle_of(session, row.revision)
    if bundle is None:
        return Replayed(row, Outcome.REVISION_MISSING)
    engine = await make(bundle)
    try:
        again = await engine.decide(question)
    finally:
        await engine.close()
    same = again.canonical() == canonical_of(row)
    return Replayed(row, Outcome.EQUAL if same else Outcome.DIFFERENT, again)


async def opener(session: AsyncSession, keys: SubjectKeys, row: PolicyDecisionRow) -> Opener | None:
    """Whom a decision concerns, with their key; None when either is gone.

    A request for one's own data stands where a consent stands: its decision bears its name.
    """
    found = await consents.load(session, row.consent_id) or await rights.load(session, row.consent_id)
    if found is None:
        return None
    subject = SubjectId(found.subject)
    try:
        return Opener(subject, await keys.key(session, subject))
    except SubjectError:
        return None


async def key_of(session: AsyncSession, keys: SubjectKeys, row: PolicyDecisionRow) -> SubjectKey | None:
    """The key of the citizen a decision concerns; None when it is gone."""
    found = await opener(session, keys, row)
    return None if found is None else found.key
