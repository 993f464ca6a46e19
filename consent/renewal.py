"""When a consent may be renewed and until when: the same again, only longer. Pure.

Offered from a month before its last day, and the first of several brings the others of that month along, as
is the practice of financial MyData in Korea. The new end lies as far behind the old one as the company asked
for at first, and never further from today than the purpose allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from consent.calendar import Period, day_ends
from consent.items import Terms
from consent.records import Consent, State

AHEAD = Period(months=1)
"""How long before its last day a consent is offered for renewal."""


def offered_on(terms: Terms) -> date:
    """The first day (Korea) on which a renewal of `terms` is offered."""
    return AHEAD.before(terms.end)


def ends_by(today: date) -> int:
    """The epoch second by which all that is offered for renewal on `today` ends; some others may, too.

    Months differ by three days at most.
    """
    return day_ends(AHEAD.after(today) + timedelta(days=3))


def renewed(consent: Consent, max_period: Period, today: date) -> Terms | None:
    """The terms a renewal today would give; None where none is offered.

    `max_period` is the purpose's. The end is the old one moved by the length first asked, at most
    `max_period` from `today`; nothing else differs.
    """
    terms = consent.terms
    if consent.state is not State.ACTIVE or not offered_on(terms) <= today <= terms.end:
        return None
    length = consent.asked.end - consent.asked.start
    end = min(terms.end + length, max_period.after(today))
    return replace(terms, end=end) if end > terms.end else None


def running_out(consents: Iterable[Consent], today: date) -> list[Consent]:
    """Those in force whose last day is within a month of `today`, the soonest first."""
    found = [
        one
        for one in consents
        if one.state is State.ACTIVE and offered_on(one.terms) <= today <= one.terms.end
    ]
    return sorted(found, key=lambda one: (one.terms.end, one.id))
