"""How many faults of each class are made, which of them are still to do, and what came of each.

`make faults` keeps one line of JSON a fault, so that a run which was stopped goes on and shards add up.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FAULTS = int(os.environ.get("MYDATA_FAULTS") or "0")
"""As `make faults` says; 0: the fixed sample of the suite, which is written nowhere."""
RESULTS = Path(__file__).resolve().parents[2] / ".cache" / "faults.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fault did: entries newly acknowledged, then those lost or stored twice; findings."""

    acknowledged: int
    lost: int
    duplicated: int
    inconsistent: int

    @classmethod
    def judged(
        cls, acknowledged: Iterable[str], before: int, stored: Mapping[str, int], findings: int
    ) -> Outcome:
        """Hold all that was ever `acknowledged` (all but `before` by this fault) against what is stored."""
        said = list(acknowledged)
        lost = sum(idem not in stored for idem in said)
        twice = sum(count > 1 for count in stored.values()) + len(said) - len(set(said))
        return cls(len(said) - before, lost, twice, findings)

    @property
    def clean(self) -> bool:
        """Nothing lost, twice or inconsistent."""
        return not (self.lost or self.duplicated or self.inconsistent)


def part(shard: str) -> tuple[int, int]:
    """The remainder and the divisor of shard `2/4`: (1, 4). ValueError for what is no shard."""
    which, _, of = shard.partition("/")
    if not 1 <= int(which) <= int(of):
        raise ValueError(f"no shard: {shard}")
    return int(which) - 1, int(of)


class Faults:
    """The faults of one class: `parts` thousandths of all, or the `sample`. Iterating gives those to do."""

    def __init__(self, kind: str, parts: int, sample: int, results: Path = RESULTS) -> None:
        self.kind = kind
        self.count = max(sample, FAULTS * parts // 1000)
        self._results = results
        self._mine = part(os.environ.get("MYDATA_FAULTS_SHARD") or "1/1")

    def __iter__(self) -> Iterator[int]:
        if not FAULTS:
            return iter(range(self.count))
        done = {line["number"] for line in read(self._results) if line["kind"] == self.kind}
        rest, of = self._mine
        return iter([n for n in range(self.count) if n % of == rest and n not in done])

    def chance(self, number: int) -> random.Random:
        """The seeded choices of one fault, the same in whatever order and shard it is made."""
        return random.Random(f"{self.kind}/{number}")

    def settled(
        self,
        number: int,
        outcome: Outcome,
        *,
        felt: bool = True,
        seconds: float | None = None,
        allowed: float | None = None,
        call: str = "",
    ) -> None:
        """Keep what came of it, then fail unless it is clean and took at most `allowed` seconds to mend."""
        if FAULTS:
            line = asdict(outcome) | {"kind": self.kind, "number": number, "felt": felt, "call": call}
            line |= {"seconds": seconds, "allowed": allowed}
            self._results.parent.mkdir(exist_ok=True)
            with self._results.open("a") as file:  # one write to the end of it: shards may share the file
                file.write(json.dumps(line) + "\n")
        assert outcome.clean, outcome
        assert seconds is None or allowed is None or seconds <= allowed, "the log stood still for too long"


def read(results: Path) -> list[dict[str, object]]:
    """Every whole line of the file; a last one cut off by a kill is a fault still to do."""
    lines = results.read_bytes().splitlines(keepends=True) if results.exists() else []
    return [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}\n")]


def total(lines: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Faults by class (and how many of them were felt), sums, the slowest return to work of each class."""
    made, felt, calls = Counter[str](), Counter[str](), Counter[str]()
    sums, slowest = Counter[str](), dict[str, float]()
    late = 0
    for line in lines:
        kind, seconds, allowed = str(line["kind"]), line["seconds"], line["allowed"]
        made[kind] += 1
        felt[kind] += bool(line["felt"])
        calls[str(line["call"])] += bool(line["felt"] and line["call"])
        for name in ("acknowledged", "lost", "duplicated", "inconsistent"):
            sums[name] += int(str(line[name]))
        if isinstance(seconds, float):
            slowest[kind] = max(slowest.get(kind, 0.0), round(seconds, 3))
            late += isinstance(allowed, float) and seconds > allowed
    return {
        "faults": made.total(),
        "felt": felt.total(),
        "by_class": dict(sorted(made.items())),
        "felt_by_class": dict(sorted(felt.items())),
        "felt_by_call": {call: count for call, count in sorted(calls.items()) if count},
        **{name: sums[name] for name in ("acknowledged", "lost", "duplicated", "inconsistent")},
        "slowest_seconds": dict(sorted(slowest.items())),
        "late": late,
    }
