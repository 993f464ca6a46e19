"""What policy is asked about a citizen's request for their own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from consent.calendar import day_begins, korean_day_of
from consent.catalogue import Catalogue
from consent.rights import OWN_USE, SELF, AskedItem
from gateway.policy import question as q
from gateway.transfers.question import Role

HOME = "KR"
KEPT_DAYS = 7
"""A file that nobody fetches is kept for a week and not longer."""
ANSWER_SECONDS = 86_400
"""Holders are asked under one request for a day; what has not come by then is asked anew."""


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What the gateway knows beside the request: catalogue, own role, the citizen's age, their day so far."""

    catalogue: Catalogue
    role: Role
    age: int
    asked_in_day: int


def compose(
    request_id: str, at: int, items: Sequence[AskedItem], history_from: date | None, facts: OwnFacts
) -> q.Question:
    """The question for `items`, at the epoch second `at`; without `history_from` as far back as there is."""
    since = {item.name: begins(facts.catalogue, item.dataset, at, history_from) for item in items}
    return q.Question(
        request=q.Request(
            id=request_id,
            time=at,
            operation="self_download",
            items=tuple(_asked(item, facts.catalogue, since[item.name]) for item in items),
            asked_in_day=facts.asked_in_day,
        ),
        client=q.Client(id=SELF, status="active", kinds={}, country=HOME),
        consent=q.Consent(
            id=request_id,
            version=1,
            state="active",
            start=day_begins(korean_day_of(at)),
            end=at + ANSWER_SECONDS,
            purpose=OWN_USE,
            retention_days=KEPT_DAYS,
            items=tuple(
                q.ConsentedItem(
                    holder=item.holder,
                    dataset=item.dataset,
                    fields=item.fields,
                    frequency="once",
                    history_from=day_begins(since[item.name]),
                )
                for item in items
            ),
        ),
        token=q.Token(consent_version=1),
        consortium=None,
        operator=q.Operator(role=facts.role),
        subject=q.Subject(age=facts.age),
    )


def begins(catalogue: Catalogue, dataset: str, at: int, history_from: date | None) -> date:
    """The first day to ask for: as asked, but never further back than the dataset reaches."""
    earliest = catalogue.dataset(dataset).history_max.before(korean_day_of(at))
    return max(earliest, history_from) if history_from else earliest


def _asked(item: AskedItem, catalogue: Catalogue, since: date) -> q.AskedItem:
    dataset = catalogue.dataset(item.dataset)
    return q.AskedItem(
        holder=item.holder,
        sector=dataset.sector,
        dataset=item.dataset,
        fields=item.fields,
        sensitive=tuple(name for name in item.fields if dataset.fields[name].sensitive),
        frequency="once",
        interval_days=None,
        history_from=day_begins(since),
        prior=q.Prior(),
    )
