"""The law of the server's nonces: known to every replica for a while, and to nobody without the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.dpop_nonce import STRETCH_SECONDS, Nonces, nonces
from gateway.oauth.refusals import OAuthRefusal

HERE, THERE = nonces("required", b"s" * 32), nonces("required", b"s" * 32)
MOMENTS = st.integers(min_value=1_700_000_000, max_value=4_000_000_000)


def taken(given: Nonces | None, nonce: object, now: int) -> bool:
    """Whether a proof with this nonce is accepted."""
    assert given is not None
    try:
        given.take(nonce, now)
    except OAuthRefusal as refusal:
        told = refusal
    else:
        return True
    assert (told.code, told.headers["DPoP-Nonce"]) == ("dpop_nonce_needed", given.current(now))
    return False


@given(MOMENTS, st.integers(min_value=-STRETCH_SECONDS, max_value=STRETCH_SECONDS))
def test_a_replica_takes_what_another_gave(now: int, later: int) -> None:
    """Also when its clock differs, and while a client is on its way."""
    assert HERE is not None
    assert taken(THERE, HERE.current(now), now + later)


@given(MOMENTS, st.integers(min_value=2 * STRETCH_SECONDS, max_value=10**6))
def test_an_old_one_and_one_of_tomorrow_are_refused(now: int, apart: int) -> None:
    """Two stretches away nothing is taken: neither kept for later nor made in advance."""
    assert HERE is not None
    assert not taken(THERE, HERE.current(now), now + apart)
    assert not taken(THERE, HERE.current(now + apart), now)


@given(MOMENTS, st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text()), st.booleans()))
def test_nothing_else_is_a_nonce(now: int, guess: object) -> None:
    """Whatever JSON holds, and the nonce of a server with another key."""
    other = nonces("required", b"t" * 32)
    assert other is not None
    assert not taken(HERE, guess, now)
    assert not taken(HERE, other.current(now), now)


@pytest.mark.parametrize("secret", [b"s" * 32, b""])
def test_off_is_off(secret: bytes) -> None:
    """No nonces, nothing to check."""
    assert nonces("off", secret) is None
