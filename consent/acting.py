"""Whose hand it is: the citizen's own, or of a guardian (법정대리인) or delegate (대리인)."""

from __future__ import annotations

from dataclasses import dataclass

from consent.records import By
from consent.subjects import SubjectId


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts on a consent: `by`, under which mandate, and the actor's own subject.

    The entry of an act belongs to the citizen it is for; the actor stands in the sealed payload only.
    """

    by: By = By.CITIZEN
    mandate: str | None = None
    actor: SubjectId | None = None

    @property
    def told(self) -> dict[str, object]:
        """What is added to the sealed payload of the entry; nothing when the citizen acts."""
        return {} if self.actor is None else {"actor": self.actor, "mandate": self.mandate}


SELF = Acting()
"""The citizen themselves."""
