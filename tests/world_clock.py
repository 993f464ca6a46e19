"""The clock of a world of tests: the machine's, moved or standing still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class WorldClock:
    """The machine's clock moved by `forward`, or standing still after `freeze`."""

    def __init__(self) -> None:
        self._moved = timedelta()
        self._frozen: datetime | None = None

    def __call__(self) -> datetime:
        """The moment it is in this world."""
        return (self._frozen or datetime.now(UTC)) + self._moved

    @property
    def seconds(self) -> int:
        """The second it is in this world."""
        return int(self().timestamp())

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self._moved += timedelta(seconds=seconds)

    def freeze(self) -> None:
        """Let time stand still, but for `forward`."""
        self._frozen = datetime.now(UTC)

    def thaw(self) -> None:
        """Let time go on."""
        self._frozen = None
