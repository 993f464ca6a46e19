"""Asking for one's own data: policy is asked with no transaction open, then the answer commits once.

The key of the form names the request: a second press, another tab with the same form, or a lost answer finds
what the first left. The same data is asked for once at a time, whatever the keys.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from consent import rights_repository as repository
from consent import rights_service as service
from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.journal import Journal
from consent.refusal_grounds import ground_of
from consent.rights import OWN_USE, AskedItem, Decided, Received, SelfRequest, State
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.policy import record
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.engine import PolicyEngine
from gateway.policy.question import Question
from gateway.security.ages import age_of
from gateway.transfers.own.question import ANSWER_SECONDS, OwnFacts, compose
from gateway.transfers.question import Role

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class OwnAsk:
    """What one signed-in citizen asks. `verification` says how they proved who they are."""

    subject: SubjectId
    key: str
    items: Sequence[AskedItem]
    verification: str
    history_from: date | None = None


@dataclass(frozen=True, slots=True)
class OwnAsking:
    """Answers citizens' requests for their own data. Safe for any number of tasks: it holds no state."""

    database: Database
    engine: PolicyEngine
    journal: Journal
    log: Log
    catalogue: Catalogue
    role: Role
    clock: Clock
    wake: Callable[[], None] = field(default=lambda: None)

    async def ask(self, ask: OwnAsk) -> SelfRequest:
        """The request as it stands after asking: asked, or refused with reason and ground.

        Raises Problem `ledger_behind`, `policy_unavailable` (nothing is kept then), `right_nothing_chosen`.
        """
        if not ask.items:
            raise Problem("right_nothing_chosen")
        request_id = _request_id(ask)
        async with self.database.reading() as session:
            if earlier := await self._earlier(session, ask, request_id):
                return earlier
        await self.log.refuse_if_behind()
        question = await self._question(ask, request_id)
        decision = await decide(self.engine, question)
        if not decision.available:
            raise Problem("policy_unavailable", retry_after=5)
        async with self.database.transaction() as session:
            if earlier := await self._earlier(session, ask, request_id):
                return earlier
            request = await self._commit(session, ask, question, decision)
        self.log.wake()
        self.wake()
        return request

    async def _earlier(self, session: AsyncSession, ask: OwnAsk, request_id: str) -> SelfRequest | None:
        found = await repository.load(session, request_id)
        digest = repository.digest_of(ask.items, ask.history_from)
        return found or await repository.open_like(session, ask.subject, digest)

    async def _question(self, ask: OwnAsk, request_id: str) -> Question:
        at = int(self.clock().timestamp())
        async with self.database.reading() as session:
            facts = OwnFacts(
                catalogue=self.catalogue,
                role=self.role,
                age=await age_of(session, self.journal.keys, ask.subject, at),
                asked_in_day=await repository.asked_since(session, ask.subject, at - _DAY),
            )
        return compose(request_id, at, ask.items, ask.history_from, facts)

    async def _commit(
        self, session: AsyncSession, ask: OwnAsk, question: Question, decision: Decision
    ) -> SelfRequest:
        """The request, its decision and its entries; if another came first, that one and nothing more."""
        at = self.clock()
        key = await self.journal.keys.key(session, ask.subject)
        made = record.decision_id(at)
        request = _request(ask, question, decision, made)
        stored = await service.ask(session, self.journal, request)
        if stored.decided.id != made:
            return stored
        context = record.input_context(request.id)
        await record.record(
            session, question, decision, at=at, seal=lambda plain: key.seal(plain, context), id=made
        )
        if decision.allow:
            return stored
        why = next(iter(decision.withheld), None) or decision.codes[0]
        code = why.code if decision.codes[0].code == "nothing_granted" else decision.codes[0].code
        return await service.refuse(session, self.journal, stored, code, ground_of(code), int(at.timestamp()))


def _request_id(ask: OwnAsk) -> str:
    """One name for one (citizen, key)."""
    named = "\0".join((ask.subject, ask.key)).encode()
    return "q-" + base64.b32encode(hashlib.sha256(named).digest()[:15]).decode().lower()


def _request(ask: OwnAsk, question: Question, decision: Decision, decision_id: str) -> SelfRequest:
    """What is stored: what was asked, and already what policy keeps back, each with its reason."""
    now = question.request.time
    granted = {grant.item for grant in decision.granted}
    kept = {one.item: one.code for one in decision.withheld if one.item not in granted}
    return SelfRequest(
        id=question.request.id,
        subject=ask.subject,
        state=State.ASKED,
        version=1,
        verification=ask.verification,
        purpose=OWN_USE,
        items=tuple(ask.items),
        history_from=ask.history_from,
        asked_at=now,
        changed_at=now,
        end_at=now + ANSWER_SECONDS,
        decided=Decided(
            decision_id,
            decision.revision,
            tuple(sorted(str(one.__struct_config__.tag) for one in decision.obligations)),
        ),
        received=tuple(
            Received(name, "refused", reason=code, ground=ground_of(code), at=now)
            for name, code in kept.items()
        ),
    )
