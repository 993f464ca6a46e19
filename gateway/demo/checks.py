"""What the demo claims, and whether it held. One that does not hold makes the demo fail."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One claim."""

    claim: str
    held: bool
    detail: str = ""


@dataclass
class Story:
    """What happened so far: checks, timings, and facts for the table."""

    say: Callable[[str], None]
    checks: list[Check] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)
    _step: str = ""

    def step(self, name: str) -> None:
        """Begin a step of the story."""
        now = time.perf_counter()
        if self._step:
            self.seconds[self._step] = round(now - self._started, 2)
        self._step, self._started = name, now
        self.say(f"▸ {name}")

    def end(self) -> None:
        """End the last step."""
        self.seconds[self._step] = round(time.perf_counter() - self._started, 2)

    def check(self, claim: str, held: object, detail: str = "") -> None:
        """Note whether `claim` held."""
        check = Check(claim, bool(held), detail)
        self.checks.append(check)
        self.say(f"    {'✓' if check.held else '✗'} {claim}{f' ({detail})' if detail else ''}")

    @property
    def held(self) -> bool:
        """Whether every claim held, and there was one at all."""
        return bool(self.checks) and all(check.held for check in self.checks)


def teller(*, quiet: bool) -> Callable[[str], None]:
    """Where progress goes: standard error, so that standard output is the result alone."""

    def tell(line: str) -> None:
        if not quiet:
            print(line, file=sys.stderr, flush=True)

    return tell
