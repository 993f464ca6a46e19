"""Asking for a transfer: read the consent, ask policy with no transaction open, then commit the answer once.

The caller's idempotency key names the transfer: the same key gives the same answer again, allowed or
refused, and adds nothing. A refusal writes its decision, one ledger entry and what the citizen sees of it;
it changes no consent, grant, token, code or transfer. When no engine could decide, that is recorded once, and
the same key may try again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import orjson
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository as consents
from consent import repository_members, repository_use
from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.events import Event
from consent.items import Item, Terms
from consent.journal import Journal
from consent.records import Consent
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.oauth.ledger import RefusalBound
from gateway.policy import record
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.engine import PolicyEngine
from gateway.policy.question import Question
from gateway.policy.tables import PolicyDecisionRow
from gateway.security.ages import age_of
from gateway.transfers import repository
from gateway.transfers.mandate import acting_of
from gateway.transfers.question import Caller, Facts, Role, compose, same_use
from gateway.transfers.refused import as_outcomes
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow
from gateway.transfers.told import tell_kept_back
from gateway.transfers.use import use_of

Kind = Literal["user", "scheduled"]
"""Whether the citizen waits for a transfer, or it runs on a schedule."""

TRIES = 3
"""How often an answer is decided anew when the consent or its use moved meanwhile."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One authenticated request for a transfer. `names` are items as HOLDER/DATASET; None means all.

    `within` is how far the token goes, where that is less than its grant. `kind` says whether the citizen
    waits for it.
    """

    caller: Caller
    grant_id: str
    consent_id: str
    subject: SubjectId
    key: str
    names: tuple[str, ...] | None
    within: Terms | None = None
    kind: Kind = "user"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided; `transfer` is None when policy refused."""

    decision: PolicyDecisionRow
    transfer: TransferRow | None


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers requests for transfers. Safe for any number of tasks; only counts refusals."""

    database: Database
    engine: PolicyEngine
    journal: Journal
    log: Log
    catalogue: Catalogue
    role: Role
    clock: Clock
    refusals: RefusalBound = field(default_factory=RefusalBound)
    refusals_of_consent: RefusalBound = field(default_factory=RefusalBound)

    async def ask(self, ask: Ask) -> Answer:
        """The answer to `ask`.

        Raises Problem `ledger_behind`, `policy_unavailable` (after recording the decision),
        `consent_changed` (the consent, or the use of it, kept moving while policy decided),
        `item_not_consented`, `idempotency_mismatch`, `too_many_requests` (this consent was refused too often
        this minute: neither its rows nor the citizen's page may be filled by asking again and again).
        """
        transfer_id = _transfer_id(ask)
        if earlier := await self._earlier(ask, transfer_id):
            return earlier
        await self.log.refuse_if_behind()
        if self.refusals_of_consent.full(ask.consent_id, int(self.clock().timestamp())):
            self.refusals.uncounted["too_many_requests"] += 1
            raise Problem("too_many_requests", retry_after=60)
        for _ in range(TRIES):
            question, consent = await self._question(ask, transfer_id)
            decision = await decide(self.engine, question)
            if answer := await self._commit(ask, question, decision, consent):
                self.log.wake()
                if not decision.available:
                    raise Problem("policy_unavailable", retry_after=5)
                return answer
        raise Problem("consent_changed")

    async def would(self, ask: Ask, purpose: str | None = None) -> Decision:
        """What policy would decide on `ask` now. Nothing is kept or counted. Raises Problem as `ask`."""
        question, _ = await self._question(ask, "precheck")
        request = structs.replace(question.request, purpose=purpose)
        return await decide(self.engine, structs.replace(question, request=request))

    async def _earlier(self, ask: Ask, transfer_id: str) -> Answer | None:
        async with self.database.reading() as session:
            return await _known(session, ask, transfer_id)

    async def _question(self, ask: Ask, transfer_id: str) -> tuple[Question, Consent]:
        at = int(self.clock().timestamp())
        async with self.database.reading() as session:
            consent = await consents.load(session, ask.consent_id)
            if consent is None:
                raise Problem("consent_not_found")
            facts = Facts(
                catalogue=self.catalogue,
                consortia=await repository_members.consortia(session),
                role=self.role,
                age=await age_of(session, self.journal.keys, ask.subject, at),
                use=await use_of(session, ask.consent_id),
                asked_in_day=await record.asked_since(session, ask.caller.id, ask.consent_id, at - 86_400),
                acting=await acting_of(session, consent, self.catalogue),
            )
        return compose(transfer_id, at, _items(consent, ask), ask.caller, consent, facts), consent

    async def _commit(
        self, ask: Ask, question: Question, decision: Decision, consent: Consent
    ) -> Answer | None:
        """Store the answer; None when the consent moved, or was used, since the question was asked."""
        at = self.clock()
        now = int(at.timestamp())
        async with self.database.transaction() as session:
            live = await consents.load(session, ask.consent_id, lock=True)
            if earlier := await _known(session, ask, question.request.id):
                return earlier
            if live is None or (live.version, live.state) != (consent.version, consent.state):
                return None
            if not same_use(question, await use_of(session, ask.consent_id)):
                return None
            if not decision.available and (failed := await record.failed_on(session, question.request.id)):
                return Answer(failed, None)
            key = await self.journal.keys.key(session, ask.subject)
            context = record.input_context(question.request.id)
            row = await record.record(
                session, question, decision, at=at, seal=lambda plain: key.seal(plain, context)
            )
            await self._journal(session, ask, question, row, now)
            if not decision.allow:
                if decision.available:
                    self.refusals_of_consent.enter(ask.consent_id, "transfer_refused", now)
                    kept_back = as_outcomes(question, decision, now)
                    await repository_use.record(session, kept_back)
                    await tell_kept_back(session, ask.subject, kept_back, now)
                return Answer(row, None)
            transfer = _transfer(ask, question, row, now)
            session.add(transfer)
            await session.flush()
            return Answer(row, transfer)

    async def _journal(
        self, session: AsyncSession, ask: Ask, question: Question, row: PolicyDecisionRow, now: int
    ) -> None:
        asked = [f"{item.holder}/{item.dataset}" for item in question.request.items]
        about: dict[str, object] = {"transfer": question.request.id, "consent": ask.consent_id}
        decided: dict[str, object] = {
            **about,
            "decision": row.id,
            "allow": row.allow,
            "codes": orjson.loads(row.codes),
            "withheld": orjson.loads(row.withheld),
            "revision": row.revision,
            "engine": row.engine,
            "input_sha256": row.input_digest,
        }
        steps: list[tuple[Event, dict[str, object]]] = (
            [
                (Event.TRANSFER_REQUEST_RECEIVED, {**about, "items": asked}),
                (Event.POLICY_DECISION_MADE, decided),
            ]
            if row.allow
            else [(Event.TRANSFER_REQUEST_REFUSED, {**decided, "items": asked})]
        )
        if not row.allow and not self.refusals.enter(ask.caller.id, "transfer_refused", now):
            return
        for kind, payload in steps:
            await self.journal.append(
                session,
                kind,
                subject=ask.subject,
                party=ask.caller.id,
                payload=payload,
                at=now,
                idem=f"{kind.value}/{question.request.id}",
            )


async def _known(session: AsyncSession, ask: Ask, transfer_id: str) -> Answer | None:
    decision = await record.of_request(session, transfer_id)
    if decision is None:
        return None
    transfer = await repository.transfer(session, transfer_id)
    if transfer:
        same = orjson.loads(transfer.plan) == (list(ask.names) if ask.names else None)
    else:
        same = await _same_refused(session, ask, decision)
    if not same:
        raise Problem("idempotency_mismatch")
    return Answer(decision, transfer)


async def _same_refused(session: AsyncSession, ask: Ask, decision: PolicyDecisionRow) -> bool:
    """Whether the request that was refused asked for the same items."""
    refused = {one.item for one in await repository_use.of_transfers(session, [decision.request_id])}
    if ask.names is not None:
        return refused == set(ask.names)
    consent = await consents.load(session, ask.consent_id)
    whole = {item.name for item in consent.terms.items} if consent else set()
    return consent is None or consent.version != decision.consent_version or refused == whole


def _transfer_id(ask: Ask) -> str:
    """One name for one (client, consent, key): a retry finds what the first try left."""
    named = "\0".join((ask.caller.id, ask.consent_id, ask.key)).encode()
    return "t-" + base64.b32encode(hashlib.sha256(named).digest()[:15]).decode().lower()


def _items(consent: Consent, ask: Ask) -> Sequence[Item]:
    """The items asked for, each with the fields that both consent and token allow."""
    reach = {item.name: item for item in consent.terms.items}
    if ask.within is not None:
        reach = {
            item.name: replace(item, fields=fields)
            for item in consent.terms.items
            if (kept := ask.within.item(item.name))
            and (fields := tuple(name for name in item.fields if name in kept.fields))
        }
    names = dict.fromkeys(reach if ask.names is None else ask.names)
    if not names or not set(names) <= reach.keys():
        raise Problem("item_not_consented")
    return [reach[name] for name in names]


def _transfer(ask: Ask, question: Question, row: PolicyDecisionRow, now: int) -> TransferRow:
    return TransferRow(
        id=question.request.id,
        client_id=ask.caller.id,
        grant_id=ask.grant_id,
        consent_id=ask.consent_id,
        consent_version=question.consent.version,
        subject_id=ask.subject,
        idempotency_key=ask.key,
        state=State.ACCEPTED,
        decision_id=row.id,
        plan=orjson.dumps(list(ask.names) if ask.names else None),
        created_at=now,
        changed_at=now,
        kind=ask.kind,
    )
