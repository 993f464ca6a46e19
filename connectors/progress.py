"""What one pull has so far: only sealed records count, each key once, the newest version of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from connectors.contract import Checkpoint, Event, Gap, Outcome, Reason, Record, Tombstone
from connectors.errors import REFUSALS, HolderError


@dataclass(slots=True)
class Progress:
    """Sealed and unsealed events of one pull. A cursor that comes twice raises HolderError(CORRUPT)."""

    sealed: dict[str, Record] = field(default_factory=dict, repr=False)
    unsealed: list[Record | Tombstone] = field(default_factory=list, repr=False)
    gaps: list[Gap] = field(default_factory=list)
    cursors: set[str] = field(default_factory=set, repr=False)
    pages: int = 0
    total: int | None = None

    def take(self, event: Event) -> None:
        """Take the next event of the connector."""
        if isinstance(event, Gap):
            self.gaps.append(event)
        elif isinstance(event, Checkpoint):
            self._seal(event)
        else:
            self.unsealed.append(event)

    def _seal(self, checkpoint: Checkpoint) -> None:
        cursor = json.dumps(checkpoint.cursor, sort_keys=True, default=str)
        if cursor in self.cursors:
            raise HolderError(Reason.CORRUPT, "a cursor came twice in one pull", final=True)
        self.cursors.add(cursor)
        for event in self.unsealed:
            if isinstance(event, Tombstone):
                self.sealed.pop(event.key, None)
            else:
                self._keep(event)
        self.unsealed.clear()
        self.pages += 1
        self.total = self.total if checkpoint.total is None else checkpoint.total

    def _keep(self, record: Record) -> None:
        held = self.sealed.get(record.key)
        if held is not None and (held.version or "") > (record.version or ""):
            return
        self.sealed[record.key] = record

    def outcome(self) -> Outcome:
        """How the pull ended, if it ended here."""
        if self.sealed:
            return Outcome.PARTIAL if self.gaps else Outcome.COMPLETE
        if not self.gaps:
            return Outcome.EMPTY
        return Outcome.REFUSED if all(gap.reason in REFUSALS for gap in self.gaps) else Outcome.FAILED
