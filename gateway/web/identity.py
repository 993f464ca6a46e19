"""Who the citizen is, as an upstream provider says; the contract every provider meets.

begin    where to send the browser for one attempt
finish   what came back -> a Person, or IdentityError
vouch    the provider's statement to one holder, by which that holder links the person
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import Language
from gateway.security.sessions import SignedIn


class IdentityError(Exception):
    """`sign_in_failed` (what came back is not acceptable) or `identity_unavailable` (it cannot be reached).

    `detail` is for the log and repeats nothing that came back.
    """

    def __init__(self, code: str, detail: str) -> None:
        """Fail with `code`."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Attempt:
    """The secrets of one sign-in: each is fresh, random and used once."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of sign-in is wanted, as OpenID Connect Core 3.1.2.1 says it.

    `prompt` is login or select_account; `max_age` in seconds, 0: now; `login_hint` is passed on unread.
    """

    prompt: str | None = None
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    login_hint: str | None = field(default=None, repr=False)


ANY = Wish()


@dataclass(frozen=True, slots=True)
class Person:
    """A proven person: the provider's own name for them (pairwise), their age, and a short-lived access.

    `how` is what the provider said of the sign-in itself.
    """

    issuer: str
    subject: str = field(repr=False)
    age: int
    access: str = field(repr=False)
    how: SignedIn = field(default_factory=SignedIn)


class IdentityProvider(Protocol):
    """An upstream provider. MUST be safe for concurrent use; MUST NOT keep anything of a person."""

    issuer: str

    async def begin(self, attempt: Attempt, language: Language, wish: Wish = ANY) -> str:
        """The address to send the browser to. Raises IdentityError `identity_unavailable`."""
        ...

    async def finish(self, code: str, attempt: Attempt, since: int | None = None) -> Person:
        """Exchange what the browser brought back. MUST verify signature, issuer, audience, time and nonce.

        With `since` it MUST also refuse a person who signed in before that second, or without saying when.
        """
        ...

    async def vouch(self, person: Person, holder: str) -> str:
        """The statement to `holder` about `person`; single use, short-lived. Raises IdentityError."""
        ...
