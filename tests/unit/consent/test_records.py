"""The states of a consent and every move between them, legal and illegal."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from consent.errors import MoveError
from consent.records import ENDED, TRANSITIONS, Move, State, move
from consent.terms import restrict
from tests.unit.consent.household import AT, BANK, consent, details, parsed

SMALLER = restrict(parsed(details()), {BANK: ("trans_amt",)})
LEGAL = {
    (State.REQUESTED, Move.GIVE): State.ACTIVE,
    (State.REQUESTED, Move.REFUSE): State.REFUSED,
    (State.ACTIVE, Move.NARROW): State.ACTIVE,
    (State.ACTIVE, Move.AMEND): State.ACTIVE,
    (State.ACTIVE, Move.WITHDRAW): State.WITHDRAWN,
    (State.PAUSED, Move.WITHDRAW): State.WITHDRAWN,
    (State.ACTIVE, Move.REVOKE): State.REVOKED,
    (State.PAUSED, Move.REVOKE): State.REVOKED,
}


def test_the_table_holds_exactly_these_moves() -> None:
    """A move added to or lost from the table is a decision, not an accident."""
    assert TRANSITIONS == LEGAL


@pytest.mark.parametrize(("state", "step"), list(product(State, Move)))
def test_every_pair_moves_or_raises(state: State, step: Move) -> None:
    """Each state and move is either in the table or refused by code, with nothing in between."""
    before = consent(state)
    terms = SMALLER if step is Move.NARROW else None
    if (state, step) not in LEGAL:
        with pytest.raises(MoveError) as caught:
            move(before, step, AT + 1, terms=terms)
        assert caught.value.code == "consent_move_illegal"
        return
    after = move(before, step, AT + 1, terms=terms)
    assert after.state is LEGAL[state, step]
    assert (after.version, after.changed_at, after.id) == (before.version + 1, AT + 1, before.id)
    assert after.asked == before.asked


def test_nothing_leaves_an_ended_state() -> None:
    """No move starts in a state that is said to be the end."""
    assert not {state for state, _ in TRANSITIONS} & ENDED


def test_expiry_needs_nothing_written() -> None:
    """At the first second after its last day in Korea a consent counts as expired and opens nothing."""
    active = consent()
    end = active.terms.end_at
    assert active.alive(end - 1)
    assert active.standing(end - 1) is State.ACTIVE
    assert not active.alive(end)
    assert active.standing(end) is State.EXPIRED
    assert active.state is State.ACTIVE


def test_a_consent_that_has_not_begun_is_active_but_not_alive() -> None:
    """Before its first day nothing may be asked for under it."""
    active = consent()
    assert not active.alive(active.terms.start_at - 1)
    assert active.alive(active.terms.start_at)


def test_paused_is_not_alive() -> None:
    """A paused consent opens nothing and expires like any other."""
    paused = consent(State.PAUSED)
    assert not paused.alive(AT)
    assert paused.standing(paused.terms.end_at) is State.EXPIRED


def test_an_expired_consent_can_still_be_withdrawn_but_not_narrowed_or_given() -> None:
    """Withdrawal and revocation are never blocked; the other moves are over with the terms."""
    end = consent().terms.end_at
    assert move(consent(), Move.WITHDRAW, end).state is State.WITHDRAWN
    assert move(consent(), Move.REVOKE, end).state is State.REVOKED
    for state, step in (
        (State.ACTIVE, Move.NARROW),
        (State.ACTIVE, Move.AMEND),
        (State.REQUESTED, Move.GIVE),
    ):
        with pytest.raises(MoveError) as caught:
            move(consent(state), step, end, terms=SMALLER)
        assert caught.value.code == "consent_move_illegal"
        assert caught.value.params["state"] == "expired"


def test_a_move_cannot_widen() -> None:
    """Terms that reach beyond the present ones are refused, whatever the move."""
    wider = replace(consent().terms, retention="P300D")
    for state, step in ((State.REQUESTED, Move.GIVE), (State.ACTIVE, Move.NARROW)):
        with pytest.raises(MoveError) as caught:
            move(consent(state), step, AT, terms=wider)
        assert caught.value.code == "consent_not_narrower"


def test_only_an_amendment_may_hold_more() -> None:
    """A new yes to a new text may be wider; the version still rises by one."""
    wider = replace(consent().terms, retention="P300D")
    amended = move(consent(), Move.AMEND, AT, terms=wider)
    assert (amended.state, amended.terms, amended.version) == (State.ACTIVE, wider, consent().version + 1)


def test_narrowing_must_take_something_away() -> None:
    """The same terms again, or none, are no narrowing."""
    for terms in (consent().terms, None):
        with pytest.raises(MoveError) as caught:
            move(consent(), Move.NARROW, AT, terms=terms)
        assert caught.value.code == "consent_not_narrower"
