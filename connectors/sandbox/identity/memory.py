"""What the sandbox identity provider remembers: requests, codes and access tokens, each with an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A checked request that waits for somebody to choose a person."""

    client_id: str
    redirect_uri: str
    scope: frozenset[str]
    state: str
    nonce: str
    challenge: str
    language: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A code's meaning: the request it answers, who was chosen, when."""

    request: AuthorizationRequest
    person: str
    at: int


@dataclass(frozen=True, slots=True)
class Access:
    """An access token's meaning."""

    client_id: str
    person: str
    scope: frozenset[str]


class Shelf(Generic[Kept]):
    """Values by unguessable name, each for `seconds`. In memory: one process is one provider."""

    def __init__(self, seconds: int, now: Callable[[], int], token: Callable[[], str]) -> None:
        """Start empty."""
        self._seconds, self._now, self._token = seconds, now, token
        self._kept: dict[str, tuple[int, Kept]] = {}

    def put(self, value: Kept) -> str:
        """Keep a value; its name."""
        now = self._now()
        for name in [name for name, (end, _) in self._kept.items() if end <= now]:
            del self._kept[name]
        name = self._token()
        self._kept[name] = (now + self._seconds, value)
        return name

    def look(self, name: str) -> Kept | None:
        """The value, if it is still there."""
        end, value = self._kept.get(name, (0, None))
        return value if end > self._now() else None

    def take(self, name: str) -> Kept | None:
        """The value, and forget it: the second time there is none."""
        value = self.look(name)
        self._kept.pop(name, None)
        return value
