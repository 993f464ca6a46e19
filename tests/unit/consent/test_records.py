"""The states of a consent and every move between them, legal and illegal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from consent.errors import MoveError
from consent.records import ENDED, IDLE, TRANSITIONS, By, Move, State, move
from consent.terms import Terms, restrict
from tests.unit.consent.household import AT, BANK, consent, details, parsed

SMALLER = restrict(parsed(details()), {BANK: ("trans_amt",)})
LONGER = replace(parsed(details()), end=parsed(details()).end + timedelta(days=30))
LEGAL = {
    (State.REQUESTED, Move.DEFER): State.DEFERRED,
    (State.REQUESTED, Move.GIVE): State.ACTIVE,
    (State.REQUESTED, Move.REFUSE): State.REFUSED,
    (State.REQUESTED, Move.LAPSE): State.EXPIRED,
    (State.DEFERRED, Move.GIVE): State.ACTIVE,
    (State.DEFERRED, Move.REFUSE): State.REFUSED,
    (State.DEFERRED, Move.LAPSE): State.EXPIRED,
    (State.ACTIVE, Move.NARROW): State.ACTIVE,
    (State.PAUSED, Move.NARROW): State.PAUSED,
    (State.ACTIVE, Move.AMEND): State.ACTIVE,
    (State.ACTIVE, Move.RENEW): State.ACTIVE,
    (State.ACTIVE, Move.PAUSE): State.PAUSED,
    (State.PAUSED, Move.RESUME): State.ACTIVE,
    (State.ACTIVE, Move.WITHDRAW): State.WITHDRAWING,
    (State.PAUSED, Move.WITHDRAW): State.WITHDRAWING,
    (State.WITHDRAWING, Move.COMPLETE): State.WITHDRAWN,
    (State.ACTIVE, Move.REVOKE): State.REVOKED,
    (State.PAUSED, Move.REVOKE): State.REVOKED,
    (State.ACTIVE, Move.EXPIRE): State.EXPIRED,
    (State.PAUSED, Move.EXPIRE): State.EXPIRED,
    (State.ACTIVE, Move.INVALIDATE): State.INVALIDATED,
    (State.PAUSED, Move.INVALIDATE): State.INVALIDATED,
}


def test_the_table_holds_exactly_these_moves() -> None:
    """A move added to or lost from the table is a decision, not an accident."""
    assert TRANSITIONS == LEGAL


@pytest.mark.parametrize(("state", "step"), list(product(State, Move)))
def test_every_pair_moves_or_raises(state: State, step: Move) -> None:
    """Each state and move is either in the table or refused by code, with nothing in between."""
    before = consent(state)
    terms = {Move.NARROW: SMALLER, Move.RENEW: LONGER}.get(step)
    at = before.terms.end_at if step is Move.EXPIRE else AT + 1
    if (state, step) not in LEGAL:
        with pytest.raises(MoveError) as caught:
            move(before, step, at, terms=terms)
        assert caught.value.code == "consent_move_illegal"
        return
    after = move(before, step, at, terms=terms, by=By.OPERATOR, why="tested")
    assert after.state is LEGAL[state, step]
    assert (after.version, after.changed_at, after.id) == (before.version + 1, at, before.id)
    assert (after.by, after.why) == (By.OPERATOR, "tested")
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


def test_a_consent_expires_at_its_end_or_for_want_of_use() -> None:
    """Before its end nothing but half a year and more of silence makes a consent expire."""
    active = consent()
    with pytest.raises(MoveError) as caught:
        move(active, Move.EXPIRE, active.terms.end_at - 1)
    assert caught.value.params["state"] == "active"
    assert move(active, Move.EXPIRE, active.terms.end_at - 1, by=By.GATEWAY, why=IDLE).state is State.EXPIRED
    assert move(active, Move.EXPIRE, active.terms.end_at, by=By.GATEWAY).state is State.EXPIRED


@pytest.mark.parametrize(
    "terms",
    [
        None,
        parsed(details()),
        replace(LONGER, end=LONGER.end - timedelta(days=31)),
        replace(LONGER, start=LONGER.start + timedelta(days=1)),
        replace(SMALLER, end=LONGER.end),
        replace(LONGER, retention="P2Y"),
    ],
    ids=["nothing", "same", "shorter", "start", "items", "retention"],
)
def test_a_renewal_moves_the_end_and_nothing_else(terms: Terms | None) -> None:
    """Anything but the same terms with a later last day is no renewal."""
    with pytest.raises(MoveError) as caught:
        move(consent(), Move.RENEW, AT + 1, terms=terms)
    assert caught.value.code == "consent_not_longer"


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
    assert move(consent(), Move.WITHDRAW, end).state is State.WITHDRAWING
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
