"""What a transfer asks policy: the live consent, the registered facts and the use so far, in one question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from consent.calendar import Period, day_begins
from consent.catalogue import Catalogue
from consent.consortium import Consortium
from consent.items import Item
from consent.records import Consent
from gateway.policy import question as q
from gateway.transfers.use import Use

_RECENT_SECONDS = 30 * 86_400
_DAY_SECONDS = 86_400

Role = Literal["sandbox", "designated_intermediary", "processor"]
"""What the operator is in law."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The recipient as registered, and the consent version its token was bound to."""

    id: str
    active: bool
    kinds: Mapping[str, str]
    country: str
    token_version: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gateway knows beside the consent: catalogue, consortia, own role, age, use so far."""

    catalogue: Catalogue
    consortia: Sequence[Consortium]
    role: Role
    age: int
    use: Use
    asked_in_day: int = 0
    acting: q.Acting | None = None


def compose(
    transfer_id: str, at: int, items: Iterable[Item], caller: Caller, consent: Consent, facts: Facts
) -> q.Question:
    """The question for `items` of `consent`, asked by `caller` at the epoch second `at`."""
    return q.Question(
        request=q.Request(
            id=transfer_id,
            time=at,
            operation="transfer",
            items=tuple(_asked(item, facts, at) for item in items),
            asked_in_day=facts.asked_in_day,
        ),
        client=q.Client(
            id=caller.id,
            status="active" if caller.active else "suspended",
            kinds=dict(caller.kinds),  # type: ignore[arg-type]  # checked when the question is encoded
            country=caller.country,
        ),
        consent=_consent(consent, at),
        token=q.Token(consent_version=caller.token_version),
        consortium=_consortium(facts.consortia, caller.id, at),
        operator=q.Operator(role=facts.role),
        subject=q.Subject(age=facts.age, acting=facts.acting),
    )


def _asked(item: Item, facts: Facts, at: int) -> q.AskedItem:
    dataset = facts.catalogue.dataset(item.dataset)
    return q.AskedItem(
        holder=item.holder,
        sector=dataset.sector,
        dataset=item.dataset,
        fields=item.fields,
        sensitive=tuple(name for name in item.fields if dataset.fields[name].sensitive),
        frequency=item.frequency,
        interval_days=item.frequency_days,
        history_from=day_begins(item.history_from),
        prior=_prior(facts.use, item.name, at),
    )


def same_use(question: q.Question, use: Use) -> bool:
    """Whether no asked item was used any further since `question` was composed."""
    at = question.request.time
    return all(one.prior == _prior(use, f"{one.holder}/{one.dataset}", at) for one in question.request.items)


def _prior(use: Use, item: str, at: int) -> q.Prior:
    moments = use.get(item, ())
    recent = sum(moment > at - _RECENT_SECONDS for moment in moments)
    day = sum(moment > at - _DAY_SECONDS for moment in moments)
    return q.Prior(count=len(moments), last=max(moments, default=None), recent=recent, day=day)


def _consent(consent: Consent, at: int) -> q.Consent:
    terms = consent.terms
    return q.Consent(
        id=consent.id,
        version=consent.version,
        state=consent.standing(at).value,
        start=terms.start_at,
        end=terms.end_at,
        purpose=terms.purpose,
        retention_days=Period.parse(terms.retention).most_days,
        items=tuple(
            q.ConsentedItem(
                holder=item.holder,
                dataset=item.dataset,
                fields=item.fields,
                frequency=item.frequency,
                history_from=day_begins(item.history_from),
            )
            for item in terms.items
        ),
    )


def _consortium(consortia: Sequence[Consortium], client_id: str, at: int) -> q.Consortium | None:
    """The client's consortium; one in force before one that ended, so that policy can name the reason."""
    mine = [c for c in consortia if client_id in c.recipients]
    if not mine:
        return None
    chosen = next((c for c in mine if c.in_force(at)), mine[0])
    document = chosen.document()
    return q.Consortium(
        id=chosen.id,
        contract=chosen.contract,
        holders=tuple(document["holders"]),
        recipients=tuple(document["recipients"]),
        sectors=tuple(document["sectors"]),
        purposes=tuple(document["purposes"]),
        start=document["start_at"],
        end=document["end_at"],
    )
