"""No true count can be computed from what is published: any table may stand behind any publication."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from gateway.awareness.hiding import STEP, Below, noise, published

COUNTS = st.integers(0, 10_000)
TOLD = st.one_of(st.none(), st.integers(1, 2_000).map(lambda number: number * STEP))
PAIRS = st.lists(st.tuples(COUNTS, TOLD), min_size=1, max_size=12)


def drawing(steps: int) -> Iterator[int]:
    """What `below(5)` gives for a noise of so many steps up or down."""
    up, down = max(steps, 0), max(-steps, 0)
    yield from [0] * up + [4] + [0] * down + [4]


def scripted(draws: Iterator[int]) -> Below:
    """Chance that turns out as told."""
    return lambda _n: next(draws)


@given(PAIRS)
def test_every_true_table_may_stand_behind_every_published_one(pairs: list[tuple[int, int | None]]) -> None:
    """For each true table and each published one there are draws, of positive probability, that lead there.

    So whatever a reader knows beside (totals, other tables, other months, all consents but one), subtracting
    leads to no certain count, of 1 to 4 or any other.
    """
    for true, told in pairs:
        draws = drawing((told or 0) - true)
        assert published(true, scripted(draws)) == told
        assert next(draws, None) is None


@given(COUNTS)
def test_no_small_number_is_ever_told(true: int) -> None:
    """A multiple of five from five on, or few."""
    told = published(true, secrets.randbelow)
    assert told is None or (told >= STEP and told % STEP == 0)


def test_the_noise_is_even_and_small() -> None:
    """Up and down alike, within the spread its name tells: for ratio 3/5 a variance of 7.5."""
    draws = [noise(secrets.randbelow) for _ in range(40_000)]
    assert abs(sum(draws) / len(draws)) < 0.15
    assert 6.5 < sum(draw * draw for draw in draws) / len(draws) < 8.5
