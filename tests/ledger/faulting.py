"""How many faults of each class are made, and what came of them."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence

FAULTS = int(os.environ.get("MYDATA_FAULTS", "0"))
"""As `make faults` says; 0: the fixed sample of the suite."""


def share(parts: int, sample: int) -> int:
    """So many thousandths of all faults, or the sample."""
    return max(sample, FAULTS * parts // 1000)


def told(what: str, count: int, entries: int, seconds: Sequence[float] = ()) -> str:
    """One line for the report of a long run."""
    line = f"faults: {count} x {what}: {entries} acknowledged entries, 0 lost, 0 twice, 0 inconsistent"
    if seconds:
        slow, usual = max(seconds), statistics.median(seconds)
        line += f"; the next published after {usual:.2f} s (median), {slow:.2f} s at most"
    return line
