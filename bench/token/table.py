"""The figures as a table: medians of the rounds, and how often more we do with a CPU second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from bench.token.rounds import Measure

Found = Mapping[str, Sequence[Measure]]

_COLUMNS = (
    "candidate",
    "server CPU us",
    "database CPU us",
    "CPU us / request",
    "spread",
    "requests / CPU second",
    "requests / s",
)


def text(found: Found) -> str:
    """Markdown: one row a candidate, one line a ratio."""
    rows = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    cost = {name: median(m.cpu_us for m in measures) for name, measures in found.items()}
    for name, measures in found.items():
        server, stored = median(m.server_us for m in measures), median(m.database_us for m in measures)
        low, high = min(m.cpu_us for m in measures), max(m.cpu_us for m in measures)
        rate = median(m.per_second for m in measures)
        rows.append(
            f"| {name} | {server:.0f} | {stored:.0f} | **{cost[name]:.0f}** | {low:.0f} to {high:.0f} "
            f"| {1e6 / cost[name]:.0f} | {rate:.0f} |"
        )
    ratios = [
        f"{ours} / {theirs}: {cost[theirs] / cost[ours]:.2f} x the requests per CPU second"
        for ours in cost
        for theirs in cost
        if ours.startswith("mydata") and not theirs.startswith("mydata")
    ]
    return "\n".join([*rows, "", *ratios]) + "\n"
