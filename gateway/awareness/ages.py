"""Bands of ages. An age is opened, banded and dropped while counting; no table holds a band of a person.

The age was told by the identity provider for the protection of minors and lies sealed under the citizen's own
key. Only the count of a band leaves this module's callers; whose key is gone, or who never showed an age, is
counted as `unknown`.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent.subjects import SubjectError, SubjectId, SubjectKeys
from gateway.security.ages import age_of

UNKNOWN = "unknown"
_FROM = (
    (14, "under-14"),
    (19, "14-18"),
    (30, "19-29"),
    (40, "30-39"),
    (50, "40-49"),
    (60, "50-59"),
    (70, "60-69"),
)
OLDEST = "70-"
BANDS = (*(name for _, name in _FROM), OLDEST, UNKNOWN)
_NOT_TOLD = frozenset({"subject_unknown", "subject_erased"})


def band_of(age: int) -> str:
    """The band of an age in full years."""
    return next((name for under, name in _FROM if age < under), OLDEST)


class Bands:
    """The band of each citizen at one moment. It remembers the last one only: ask in order of citizens."""

    def __init__(self, session: AsyncSession, keys: SubjectKeys, at: int) -> None:
        """Tell bands at `at` (epoch seconds)."""
        self._session, self._keys, self._at = session, keys, at
        self._last: tuple[str, str] | None = None

    async def of(self, subject: str) -> str:
        """The band of `subject`. Raises SubjectError `subject_unreadable` for the wrong key."""
        if self._last is None or self._last[0] != subject:
            self._last = (subject, await self._found(SubjectId(subject)))
        return self._last[1]

    async def _found(self, subject: SubjectId) -> str:
        try:
            return band_of(await age_of(self._session, self._keys, subject, self._at))
        except SubjectError as error:
            if error.code not in _NOT_TOLD:
                raise
            return UNKNOWN
