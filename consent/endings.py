"""The second half of an ending: every party is told, acknowledges or stays silent; then it is complete.

A consent is dead with the first half already; nothing here gives it back. Everything runs in the caller's
transaction; rows are taken in the order consent, subject, parties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository
from consent.ending_tables import EndingPartyRow
from consent.errors import MoveError
from consent.events import Event
from consent.moving import Journal, commit_to
from consent.records import By, Consent, Move, State, move
from consent.subjects import SubjectError
from consent.tables import table_of

_PARTY = table_of(EndingPartyRow)
_DAY = 86_400

SILENT = "party_silent"
"""Why a withdrawal was completed although not every party had acknowledged."""

OPERATOR_WHYS = frozenset(
    {
        "guardian_missing",
        "wrong_person",
        "deceased",
        "unlawful",
        "fraud",
        "mistake",
        "contract_ended",
        "order",
    }
)
"""Why an operator may revoke or invalidate a consent."""
RECIPIENT_WHYS = frozenset(
    {"revoked_by_client", "service_ended", "not_needed", "citizen_left", "wrong_person", "unlawful"}
)
"""Why a recipient may give a consent up."""


class Kind(StrEnum):
    """What a party is to a consent. Stored; never rename."""

    HOLDER = "holder"
    RECIPIENT = "recipient"


class Answer(StrEnum):
    """What is known of a party's hearing of the ending. Stored; never rename."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each kind of party has to acknowledge, and a recipient to certify deletion; in seconds."""

    holder: int = 3 * _DAY
    recipient: int = 3 * _DAY
    deletion: int = 10 * _DAY

    @classmethod
    def of_days(cls, holder: int, recipient: int, deletion: int) -> Patience:
        """So many days for each."""
        return cls(holder * _DAY, recipient * _DAY, deletion * _DAY)


@dataclass(frozen=True, slots=True)
class Told:
    """A party of an ended consent. Instants are epoch seconds; `answered_at` is None unless acknowledged."""

    kind: Kind
    party: str
    told_at: int
    deadline_at: int
    answer: Answer
    answered_at: int | None

    def standing(self, at: int) -> Answer:
        """The answer as it counts at `at`: past its deadline a party that has not answered is silent."""
        late = self.answer is Answer.WAITING and at >= self.deadline_at
        return Answer.SILENT if late else self.answer


async def tell_parties(session: AsyncSession, consent: Consent, patience: Patience, at: int) -> None:
    """From `at` on every holder and the recipient of an ended consent has its time to acknowledge.

    A party that ended the consent itself knows. Doing it twice adds nothing.
    """
    holders = [(Kind.HOLDER, holder, patience.holder) for holder in consent.asked.holders]
    for kind, party, seconds in (*holders, (Kind.RECIPIENT, consent.client_id, patience.recipient)):
        if kind.value == consent.by.value and kind is Kind.RECIPIENT:
            continue
        made = repository.insert_or_keep(session, _PARTY, "consent_id", "kind", "party")
        named = {"consent_id": consent.id, "kind": kind.value, "party": party}
        times = {"told_at": at, "deadline_at": at + seconds}
        await session.execute(made.values(**named, **times, answer=Answer.WAITING.value))


async def parties(session: AsyncSession, consent_id: str) -> list[Told]:
    """Every party of an ended consent, holders first, by name."""
    query = select(_PARTY).where(_PARTY.c.consent_id == consent_id).order_by(_PARTY.c.kind, _PARTY.c.party)
    return [
        Told(Kind(r.kind), r.party, r.told_at, r.deadline_at, Answer(r.answer), r.answered_at)
        for r in await session.execute(query)
    ]


async def ended(session: AsyncSession, consent_id: str, *, recipient: str) -> Consent:
    """The recipient's own consent, locked, that ended by a move.

    Raises MoveError `consent_not_found` (another recipient's, too) or `consent_not_ended`.
    """
    found = await repository.load(session, consent_id, lock=True)
    if found is None or found.client_id != recipient:
        raise MoveError("consent_not_found")
    if not found.ended or found.state is State.REFUSED:
        raise MoveError("consent_not_ended")
    return found


async def acknowledge(
    session: AsyncSession, journal: Journal, consent: Consent, kind: Kind, party: str, *, at: int
) -> int:
    """A party has heard that `consent`, held under lock, ended; when it said so first (epoch seconds).

    Saying it again changes nothing. The last one of a withdrawal completes it. A late one is kept as well.
    Only a recipient's is entered here: a holder's entry is its notice's.
    """
    of = (_PARTY.c.consent_id == consent.id) & (_PARTY.c.kind == kind.value) & (_PARTY.c.party == party)
    known = (await session.execute(select(_PARTY.c.answered_at).where(of))).one_or_none()
    if known is None or known.answered_at is not None:
        return at if known is None else int(known.answered_at)
    if kind is Kind.RECIPIENT:
        await enter_about(session, journal, consent, Event.RECIPIENT_NOTICE_ACKNOWLEDGED, {}, at=at)
    said = update(_PARTY).where(of)
    await session.execute(said.values(answer=Answer.ACKNOWLEDGED.value, answered_at=at))
    await complete(session, journal, consent, at=at)
    return at


async def complete(session: AsyncSession, journal: Journal, consent: Consent, *, at: int) -> Consent:
    """Complete a withdrawal, held under lock, that waits for nobody any more; else it is given back as it is.

    A party past its deadline is silent from now on, and named in the entry.
    """
    if consent.state is not State.WITHDRAWING:
        return consent
    found = await parties(session, consent.id)
    if any(one.standing(at) is Answer.WAITING for one in found):
        return consent
    silent = [one for one in found if one.standing(at) is Answer.SILENT]
    mute = (_PARTY.c.consent_id == consent.id) & (_PARTY.c.answer == Answer.WAITING.value)
    after = move(consent, Move.COMPLETE, at, by=By.GATEWAY, why=SILENT if silent else None)
    done = await commit_to(
        session, journal, consent, after, Move.COMPLETE, told={"silent": _names(silent), "told": len(found)}
    )
    await session.execute(update(_PARTY).where(mute).values(answer=Answer.SILENT.value))
    return done


async def end_by(
    session: AsyncSession, journal: Journal, before: Consent, step: Move, *, by: By, why: str, at: int
) -> Consent:
    """Revoke or invalidate a consent, held under lock, on behalf of `by`, for the reason `why`.

    Never blocked; a consent that has ended already is given back as it is.
    """
    if before.ended:
        return before
    return await commit_to(session, journal, before, move(before, step, at, by=by, why=why), step)


async def enter_about(
    session: AsyncSession,
    journal: Journal,
    consent: Consent,
    event: Event,
    told: dict[str, object],
    *,
    at: int,
    about: str = "",
) -> None:
    """The one entry of `event` about an ended consent; under an erased key it names no citizen."""
    payload: dict[str, object] = {"consent": consent.id, **told}
    idem = f"{event.value}/{about or consent.id}"
    for subject in (consent.subject, None):
        try:
            await journal.append(
                session, event, subject=subject, party=consent.client_id, payload=payload, at=at, idem=idem
            )
        except SubjectError:
            if subject is None:
                raise
            continue
        return


def _names(told: Sequence[Told]) -> list[str]:
    return [f"{one.kind.value}:{one.party}" for one in told]
