"""What a hot door asks of the store and leaves in it, as values: so that many requests can go together.

A request whose changes are all of this kind is carried out by group commit (gateway/oauth/together.py); one
with any other write goes through a transaction of its own. Both ways keep the same promises.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from consent.journal import Journal, Line, Said
from gateway.oauth.clients import Client
from gateway.oauth.grants import Grant, RefreshToken, refusal_now
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime
from gateway.oauth.tokens import jti_hash

STALE = "stale"
"""The outcome of a unit whose client is not registered as it was `known` any more: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Known:
    """A client as its row was read once; good for nothing until the row is found to be the same still."""

    client: Client
    document: str
    status: str


@dataclass(frozen=True, slots=True)
class Question:
    """What to read: a client, and a refresh token's or a named grant, and whether a token was given up."""

    client_id: str
    refresh: bytes | None = None
    """The hash of a refresh token."""
    grant_id: str | None = None
    given_up: OneTime | None = None


def question_of(claims: Mapping[str, Any]) -> Question:
    """What an access token of ours lives by: its client, its grant, and that it was not given up."""
    given_up = OneTime("revoked", jti_hash(claims["jti"]), claims["exp"], "grant_revoked")
    return Question(claims["client_id"], grant_id=claims.get("grant_id"), given_up=given_up)


@dataclass(frozen=True, slots=True)
class Seen:
    """The live rows, all of one moment; None where there is none."""

    known: Known | None
    refresh: RefreshToken | None = None
    grant: Grant | None = None
    given_up: bool = False

    @property
    def client(self) -> Client | None:
        """The client, suspended or not."""
        return self.known.client if self.known else None


@dataclass(frozen=True, slots=True)
class Unit:
    """What a request changes, all or nothing, except that its one-time values stay spent when it is refused.

    `held` must still be alive, and what happened is entered, only if every value of `once` was spent for the
    first time. With `known` nothing is done for a client registered otherwise now. `line` is an event of
    nobody, ready to be stored; `said` one of the citizen of `held`, whose chain it continues.
    """

    once: Sequence[OneTime]
    held: StillAlive | None = None
    line: Line | None = None
    said: Said | None = None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class StillAlive:
    """A write that refuses unless `grant`, as it was read before, still gives what it gave; and holds it."""

    grant: Grant
    at: int

    async def __call__(self, session: AsyncSession) -> OAuthRefusal | None:
        """Look again, in the caller's transaction."""
        dead = await refusal_now(session, self.grant, at=self.at)
        return OAuthRefusal(dead) if dead else None

    def refusal(self, live: Grant | None) -> str | None:
        """The same, from the row as it is read now."""
        if live is None:
            return "grant_revoked"
        grant = self.grant
        return live.refusal(self.at, version=grant.consent_version, generation=grant.generation)


@dataclass(frozen=True, slots=True)
class Tell:
    """A write that enters one event in the ledger."""

    journal: Journal
    said: Said

    async def __call__(self, session: AsyncSession) -> None:
        """Enter it, in the caller's transaction."""
        said = self.said
        await self.journal.append(
            session, said.kind, subject=said.subject, party=said.party, payload=said.payload, at=said.at
        )


def unit_of(
    once: Sequence[OneTime], writes: Sequence[Callable[[AsyncSession], Awaitable[object]]]
) -> Unit | None:
    """The unit these writes are; None when one of them needs a transaction of its own.

    Raises JournalError.
    """
    held: StillAlive | None = None
    told: Tell | None = None
    for write in writes:
        if isinstance(write, StillAlive) and held is None and told is None:
            held = write
        elif isinstance(write, Tell) and told is None:
            told = write
        else:
            return None
    if told is None:
        return Unit(tuple(once), held)
    if told.said.subject != (held.grant.subject_id if held else None):
        return None
    if held is None:
        return Unit(tuple(once), line=told.journal.plain(told.said))
    told.journal.check(told.said)
    return Unit(tuple(once), held, said=told.said)
