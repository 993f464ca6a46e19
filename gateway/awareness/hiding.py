"""How a true count becomes a published one, so that no true count can be computed from what is published.

Rounding or suppressing alone is not enough here: every consent is counted by sector, purpose, age band and
kind of recipient, and what these tables share lets a reader narrow a small count to one value (five cells
under five beside one of twenty are all four). So noise without bound is added to every cell, drawn anew for
each, and the sum rounded to a multiple of five. Whatever was published, *every* table of true counts may
stand behind it: nothing can be subtracted to a certainty, over tables, measures or months. Drawn once: see
`publishing`.
"""

from __future__ import annotations

from collections.abc import Callable

Below = Callable[[int], int]
"""`below(n)`: a number 0 <= r < n nobody can foresee, all alike; `secrets.randbelow`."""

STEP = 5
RULE = "geometric-3/5+nearest-5"
"""The name of this rule in what is published."""


def published(number: int, below: Below) -> int | None:
    """What is told of `number`: a multiple of 5 near it, or None for few (about fewer than five)."""
    near = (number + noise(below) + STEP // 2) // STEP * STEP
    return near if near >= STEP else None


def noise(below: Below) -> int:
    """The difference of two geometric numbers of ratio 3/5: the probability of +-k falls by 3/5 each step.

    The discrete Laplace mechanism: one counted event more or less changes the probability of any published
    cell by a factor of at most 5/3. In integers only, so that no rounding of floating point spoils it.
    """
    return _geometric(below) - _geometric(below)


def _geometric(below: Below) -> int:
    steps = 0
    while below(5) < 3:
        steps += 1
    return steps
