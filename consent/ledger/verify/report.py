"""What a verification says: findings with stable codes, and what it does not show."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

FINDINGS = {
    "key_unreadable": 2, "checkpoint_malformed": 10, "checkpoint_signer": 11, "checkpoint_signature": 12,
    "file_missing": 20, "file_unlisted": 21, "bundle_malformed": 22, "entry_malformed": 23,
    "tile_mismatch": 24, "root_mismatch": 25, "pinned_checkpoint": 30, "pinned_newer": 31,
    "pinned_inconsistent": 32, "trail_malformed": 40, "trail_checkpoint": 41, "trail_inclusion": 42,
    "trail_opening": 43, "trail_chain": 44,
}  # fmt: skip
INTEGRITY_ONLY = (
    "Without an earlier pinned checkpoint or a witness this shows integrity only: "
    "the operator could have rewritten this log."
)
NEVER_LOGGED = (
    "An event that was never logged cannot be found here; "
    "compare the copies of citizen, holder and recipient."
)


class Finding(Exception):
    """One thing that is wrong: stable `code`, `where` (a file or an event), `text` for a person."""

    def __init__(self, code: str, where: str, text: str) -> None:
        """Name what is wrong; `code` stands in FINDINGS."""
        super().__init__(f"{code}: {where}: {text}")
        self.code, self.where, self.text = code, where, text


@dataclass
class Report:
    """What was checked and what was found."""

    origin: str = ""
    size: int = 0
    root: bytes = b""
    pinned: int | None = None
    events: int | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0, or the code of the first finding."""
        return FINDINGS[self.findings[0].code] if self.findings else 0

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        notes = [NEVER_LOGGED] if self.pinned is not None else [INTEGRITY_ONLY, NEVER_LOGGED]
        found = [{"code": f.code, "where": f.where, "text": f.text} for f in self.findings]
        counts = {"size": self.size, "pinned_size": self.pinned, "trail_events": self.events}
        head = {"origin": self.origin, "root": base64.b64encode(self.root).decode(), **counts}
        return {"ok": not found, "exit_code": self.exit_code, **head, "findings": found, "notes": notes}

    def as_text(self) -> str:
        """The report for a person."""
        lines = [f"FOUND {f.code}  {f.where}: {f.text}" for f in self.findings]
        if not lines:
            lines = [f"OK    {self.origin}: {self.size} entries, root {base64.b64encode(self.root).decode()}"]
            if self.pinned is not None:
                lines.append(f"OK    continues the pinned checkpoint of {self.pinned} entries")
            if self.events is not None:
                lines.append(
                    f"OK    trail: {self.events} events opened, in one unbroken chain, all in the log"
                )
        notes: list[str] = self.as_json()["notes"]
        return "\n".join(lines + [f"NOTE  {note}" for note in notes]) + "\n"
