"""What a verification says: findings with stable codes, what was checked, and what it does not show."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

FINDINGS = {
    "key_unreadable": 2, "policy_unreadable": 2, "checkpoint_malformed": 10, "checkpoint_signer": 11,
    "checkpoint_signature": 12, "cosignature_wrong": 13, "quorum_missing": 14, "checkpoint_stale": 15,
    "source_unreadable": 19, "file_missing": 20, "file_unlisted": 21, "bundle_malformed": 22,
    "entry_malformed": 23, "tile_mismatch": 24, "root_mismatch": 25, "file_too_long": 26,
    "gap_unnamed": 27, "statement_wrong": 28, "shard_wrong": 29,
    "pinned_checkpoint": 30, "pinned_newer": 31, "pinned_inconsistent": 32, "stamp_checkpoint": 33,
    "stamp_wrong": 34, "trail_malformed": 40,
    "trail_checkpoint": 41, "trail_inclusion": 42, "trail_opening": 43, "trail_chain": 44,
    "census_malformed": 45, "census_proof": 46, "trail_held_back": 47, "census_sum": 48,
}  # fmt: skip
CHECKS = {
    "signature": ("checkpoint_malformed", "checkpoint_signer", "checkpoint_signature"),
    "quorum": ("cosignature_wrong", "quorum_missing"),
    "freshness": ("checkpoint_stale",),
    "entries": ("bundle_malformed", "entry_malformed"),
    "tree": (
        *("source_unreadable", "file_missing", "file_unlisted", "file_too_long"),
        *("tile_mismatch", "root_mismatch"),
    ),
    "statements": ("statement_wrong", "shard_wrong", "gap_unnamed"),
    "continuity": ("pinned_checkpoint", "pinned_newer", "pinned_inconsistent"),
    "stamp": ("stamp_checkpoint", "stamp_wrong"),
    "openings": ("trail_malformed", "trail_checkpoint", "trail_inclusion", "trail_opening", "trail_chain"),
    "census": ("census_malformed", "census_proof", "trail_held_back"),
    "sum": ("census_sum",),
}
"""What can be checked, and the findings by which it fails."""

INTEGRITY_ONLY = (
    "Without an earlier pinned checkpoint or a witness this shows integrity only: "
    "the operator could have rewritten this log."
)
NEVER_LOGGED = (
    "An event that was never logged cannot be found here; "
    "compare the copies of citizen, holder and recipient."
)
HASHES_ONLY = "The entries were not read: this shows one tree under the signature, not what its leaves say."

GAPS = "Entries removed under retention were not read: their hashes prove their places, not what they said."


class Finding(Exception):
    """One thing that is wrong: stable `code`, `where` (a file or an event), `text` for a person."""

    def __init__(self, code: str, where: str, text: str) -> None:
        """Name what is wrong; `code` stands in FINDINGS."""
        super().__init__(f"{code}: {where}: {text}")
        self.code, self.where, self.text = code, where, text


class Absent(Finding):
    """A file that is not there, as opposed to one that cannot be read or is kept back."""

    def __init__(self, where: str, text: str) -> None:
        """Name the file."""
        super().__init__("file_missing", where, text)


@dataclass
class Report:
    """What was checked and what was found. `kinds` counts the entries of each kind; `gaps` are ranges of
    entries removed under retention, `untold` how many of those before an end the log says concerned somebody.
    """

    origin: str = ""
    size: int = 0
    root: bytes = b""
    pinned: int | None = None
    stamped: tuple[int, str] | None = None
    events: int | None = None
    chained: bool = True
    counted: int | None = None
    shards: list[tuple[str, int]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    untold: dict[int, int] = field(default_factory=dict)
    cosigned: dict[str, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    flags: bytearray = field(default_factory=bytearray)
    most: int = 1 << 27
    hashes_only: bool = False
    done: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or the code of the first finding."""
        return FINDINGS[self.findings[0].code] if self.findings else 0

    @property
    def notes(self) -> list[str]:
        """What this verification cannot show."""
        alone = self.pinned is None and "quorum" not in self.done
        hashes = [HASHES_ONLY] if self.hashes_only else []
        gaps = [GAPS] if self.gaps else []
        return [*([INTEGRITY_ONLY] if alone else []), *hashes, *gaps, NEVER_LOGGED]

    def did(self, *checks: str) -> None:
        """Remember that these checks were carried out."""
        self.done.extend(checks)

    def count(self, kind: str, *, concerns_someone: bool) -> None:
        """Count an entry, and whether it concerns a citizen."""
        self.kinds[kind] += 1
        self.flags.append(concerns_someone)

    def checks(self) -> dict[str, str]:
        """Each of CHECKS: `held`, `failed` or `not checked`."""
        found = {finding.code for finding in self.findings}
        states = {}
        for name, codes in CHECKS.items():
            states[name] = (
                "failed" if found.intersection(codes) else "held" if name in self.done else "not checked"
            )
        return states

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        found = [{"code": f.code, "where": f.where, "text": f.text} for f in self.findings]
        counts = {
            "size": self.size,
            "pinned_size": self.pinned,
            "trail_events": self.events,
            "trail_complete_to": self.counted,
            "stamped": {"size": self.stamped[0], "at": self.stamped[1]} if self.stamped else None,
            "shards": [{"closed": origin, "entries": size} for origin, size in self.shards],
            "gaps": [{"first": first, "end": end} for first, end in self.gaps],
        }
        kinds = {"kinds": dict(sorted(self.kinds.items())), "concerning_citizens": sum(self.flags)}
        head = {"origin": self.origin, "root": base64.b64encode(self.root).decode(), **counts}
        seen = {"checks": self.checks(), "cosigned_at": self.cosigned, **kinds}
        return {
            "ok": not found,
            "exit_code": self.exit_code,
            **head,
            **seen,
            "findings": found,
            "notes": self.notes,
        }

    def as_text(self) -> str:
        """The report for a person."""
        lines = [f"FOUND {f.code}  {f.where}: {f.text}" for f in self.findings]
        if not lines:
            lines = [f"OK    {self.origin}: {self.size} entries, root {base64.b64encode(self.root).decode()}"]
            lines += [f"OK    continues {origin}, closed with {size} entries" for origin, size in self.shards]
            lines += [f"OK    entries {a} to {b - 1} were removed, as the log says" for a, b in self.gaps]
            if self.cosigned:
                lines.append(f"OK    cosigned by {', '.join(sorted(self.cosigned))}")
            if self.pinned is not None:
                lines.append(f"OK    continues the pinned checkpoint of {self.pinned} entries")
            if self.stamped is not None:
                lines.append(f"OK    its first {self.stamped[0]} entries were there at {self.stamped[1]}")
            if self.events is not None:
                chain = ", in one unbroken chain" if self.chained else ""
                name = "trail" if self.chained else "opening"
                lines.append(f"OK    {name}: {self.events} events opened{chain}, all in the log")
            if self.counted is not None:
                lines.append(
                    f"OK    complete: no other event of this person among the first {self.counted} entries"
                )
        return "\n".join(lines + [f"NOTE  {note}" for note in self.notes]) + "\n"
