"""Citizen sessions: kept by us, named by a random cookie of which only the hash is stored.

The cookie is `__Host-mydata` (Secure, HttpOnly, SameSite=Lax, no Domain) on https and `mydata` on the
plain-http localhost of the demo. A session gets a fresh name at every sign-in, so a name planted
before it is worth nothing.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from consent.clock import Clock, utc_now
from gateway.errors import Language
from gateway.security.tables import CitizenSessionRow

AgeBand = Literal["adult", "youth", "child"]
"""adult: 19 and over; youth: 14 to 18; child: under 14, whose guardian must consent (PIPA 22-2)."""

LIFETIME = timedelta(minutes=30)
_TABLE = CitizenSessionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """When (epoch seconds) and how a citizen signed in, as the identity provider said; else None and ()."""

    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()


@dataclass(frozen=True)
class CitizenSession:
    """A signed-in citizen: who (our own subject reference), how old, in which language, from and until when.

    `unavailable` names holders that no link could be made to at sign-in, each with a reason code.
    """

    id_hash: str
    subject: str
    age_band: AgeBand
    language: Language
    expires_at: int
    unavailable: Mapping[str, str] = field(default_factory=dict)
    created_at: int = 0
    how: SignedIn = field(default_factory=SignedIn)

    @property
    def proof(self) -> str:
        """How the citizen proved who they are, as the identity provider told it; at most 128 characters."""
        return " ".join(["openid", *(one for one in (self.how.acr, *self.how.amr) if one)])[:128]


class Sessions:
    """Opens, finds and ends sessions in the caller's transaction. Holds no state of its own."""

    def __init__(
        self,
        *,
        secure: bool,
        clock: Clock = utc_now,
        new_name: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        """Make cookies for https if `secure`; `new_name` MUST give at least 128 random bits."""
        self._secure = secure
        self._clock = clock
        self._new_name = new_name
        self.cookie = "__Host-mydata" if secure else "mydata"

    def session_hash(self, request: Request) -> str | None:
        """The stored form of the session name this browser presents; it need not be alive."""
        name = request.cookies.get(self.cookie)
        return hashed(name) if name else None

    async def open(
        self,
        session: AsyncSession,
        *,
        subject: str,
        age_band: AgeBand,
        language: Language,
        instead_of: str | None,
        unavailable: Mapping[str, str] | None = None,
        how: SignedIn | None = None,
    ) -> str:
        """Begin a session under a fresh name and end the browser's earlier one; return the name."""
        now = int(self._clock().timestamp())
        dead = _TABLE.c.expires_at <= now
        await session.execute(delete(_TABLE).where(dead | (_TABLE.c.id_hash == (instead_of or ""))))
        name, how = self._new_name(), how or SignedIn()
        await session.execute(
            insert(_TABLE).values(
                id_hash=hashed(name),
                subject_id=subject,
                created_at=now,
                expires_at=now + int(LIFETIME.total_seconds()),
                language=language,
                age_band=age_band,
                unavailable=json.dumps(dict(unavailable or {})),
                auth_time=how.auth_time,
                acr=how.acr,
                amr=json.dumps(how.amr),
            )
        )
        return name

    async def find(self, session: AsyncSession, request: Request) -> CitizenSession | None:
        """The live session of this browser, if it has one."""
        if (id_hash := self.session_hash(request)) is None:
            return None
        now = int(self._clock().timestamp())
        alive = (_TABLE.c.id_hash == id_hash) & (_TABLE.c.expires_at > now)
        row = (await session.execute(select(_TABLE).where(alive))).one_or_none()
        if row is None:
            return None
        return CitizenSession(
            row.id_hash,
            row.subject_id,
            cast("AgeBand", row.age_band),
            cast("Language", row.language),
            row.expires_at,
            json.loads(row.unavailable),
            row.created_at,
            SignedIn(row.auth_time, row.acr, tuple(json.loads(row.amr))),
        )

    async def speak(self, session: AsyncSession, id_hash: str, language: Language) -> None:
        """Remember the language this citizen switched to."""
        await session.execute(update(_TABLE).where(_TABLE.c.id_hash == id_hash).values(language=language))

    async def end(self, session: AsyncSession, id_hash: str) -> None:
        """Sign this browser out."""
        await session.execute(delete(_TABLE).where(_TABLE.c.id_hash == id_hash))

    def put(
        self, response: Response, name: str, *, cookie: str | None = None, lifetime: timedelta = LIFETIME
    ) -> None:
        """Give the browser the session's name (or, as `cookie`, another short-lived secret)."""
        response.set_cookie(
            cookie or self.cookie,
            name,
            max_age=int(lifetime.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def take_back(self, response: Response, *, cookie: str | None = None) -> None:
        """Make the browser forget its session's name."""
        response.delete_cookie(
            cookie or self.cookie, path="/", secure=self._secure, httponly=True, samesite="lax"
        )


def hashed(name: str) -> str:
    """SHA-256 in base64url: enough for a name of 128 random bits or more, which cannot be guessed."""
    return urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).rstrip(b"=").decode()
