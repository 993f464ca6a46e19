"""A ticket answers once, for a week, and tells nobody whose it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.calendar import day_ends, korean_day_of
from gateway.awareness.ticket import DAYS, Tickets
from gateway.errors import Problem

AT = 1_790_000_000
TICKETS = Tickets(b"s" * 32)
UNTIL = day_ends(korean_day_of(AT)) + DAYS * 86_400


def ticket() -> str:
    """A ticket of a consent."""
    made = TICKETS.give("grant", "consent-1", AT, AT)
    assert made is not None
    return made


def test_a_ticket_reads_back() -> None:
    """Its kind, and what spends it: a digest and the end of a day, nothing finer."""
    read = TICKETS.read(ticket(), AT)
    assert (read.kind, read.once.expires_at) == ("grant", UNTIL)
    assert (UNTIL + 9 * 3600) % 86_400 == 0
    assert "consent-1" not in ticket()


def test_one_consent_gives_one_ticket_of_each_kind() -> None:
    """Opening the page again gives the same; withdrawing, another consent or another key gives another."""
    assert TICKETS.give("grant", "consent-1", AT, AT + 9) == ticket()
    others = {
        TICKETS.give("withdrawal", "consent-1", AT, AT),
        TICKETS.give("grant", "consent-2", AT, AT),
        Tickets(b"t" * 32).give("grant", "consent-1", AT, AT),
    }
    assert len(others | {ticket()}) == 4


def test_after_its_days_none_is_given_or_taken() -> None:
    """Up to the last second, and not after it."""
    assert TICKETS.give("grant", "consent-1", AT, UNTIL) is None
    TICKETS.read(ticket(), UNTIL - 1)
    with pytest.raises(Problem, match="questionnaire_over"):
        TICKETS.read(ticket(), UNTIL)


@given(place=st.integers(0, 200), letter=st.characters(codec="ascii"))
def test_a_changed_ticket_is_refused(place: int, letter: str) -> None:
    """Whatever single letter is changed."""
    genuine = ticket()
    place %= len(genuine)
    changed = genuine[:place] + letter + genuine[place + 1 :]
    if changed == genuine:
        return
    with pytest.raises(Problem, match="questionnaire_over"):
        TICKETS.read(changed, AT)


@given(st.text(max_size=300))
def test_anything_else_is_refused(text: str) -> None:
    """No text that was not given here is a ticket."""
    with pytest.raises(Problem, match="questionnaire_over"):
        TICKETS.read(text, AT)


def test_of_another_key_it_is_refused() -> None:
    """A ticket of another gateway is none here."""
    with pytest.raises(Problem, match="questionnaire_over"):
        Tickets(b"t" * 32).read(ticket(), AT)
