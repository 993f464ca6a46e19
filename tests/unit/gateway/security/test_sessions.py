"""Citizen sessions: random names, stored hashes, fresh at sign-in, dead when they should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from gateway.database import Database
from gateway.security.sessions import LIFETIME, CitizenSession, Sessions, hashed

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Desk:
    """Sessions over a database with a clock that moves."""

    def __init__(self, database: Database, *, secure: bool = True) -> None:
        self.database, self.at = database, START
        self.sessions = Sessions(secure=secure, clock=lambda: self.at)

    async def open(self, subject: str = "s-1", **more: Any) -> str:
        """Sign in."""
        wanted: dict[str, Any] = {"age_band": "adult", "language": "ko", "instead_of": None, **more}
        async with self.database.transaction() as session:
            return await self.sessions.open(session, subject=subject, **wanted)

    async def find(self, name: str | None) -> CitizenSession | None:
        """Who presents this name."""
        async with self.database.reading() as session:
            return await self.sessions.find(session, presenting(self.sessions.cookie, name))


def presenting(cookie: str, name: str | None) -> Request:
    """A request with a cookie."""
    headers = [(b"cookie", f"{cookie}={name}".encode())] if name is not None else []
    return Request({"type": "http", "headers": headers})


@pytest.fixture
def desk(database: Database) -> Desk:
    """Sessions on each store."""
    return Desk(database)


async def test_a_session_is_found_by_its_name_only(desk: Desk) -> None:
    """The right name finds the citizen; another, an empty one and none find nobody."""
    name = await desk.open(unavailable={"saebom-hospital": "holder_down"})
    found = await desk.find(name)
    assert found is not None
    assert (found.subject, found.language, found.age_band) == ("s-1", "ko", "adult")
    assert found.unavailable == {"saebom-hospital": "holder_down"}
    for other in (name[:-1], name + "x", "", None, hashed(name)):
        assert await desk.find(other) is None


async def test_only_the_hash_is_stored(desk: Desk) -> None:
    """Somebody who reads the table cannot present what is in it."""
    name = await desk.open()
    async with desk.database.reading() as session:
        rows = (await session.execute(text("SELECT * FROM citizen_session"))).all()
    assert name not in repr(rows)
    assert hashed(name) in repr(rows)
    assert len(name) >= 22


async def test_signing_in_changes_the_name(desk: Desk) -> None:
    """The name a browser had before sign-in is dead afterwards."""
    before = await desk.open()
    after = await desk.open("s-2", instead_of=hashed(before))
    assert before != after
    assert await desk.find(before) is None
    found = await desk.find(after)
    assert found is not None
    assert found.subject == "s-2"


async def test_a_session_ends_by_time_and_by_sign_out(desk: Desk) -> None:
    """After its lifetime, or when ended, it is as if it had never been."""
    first, second = await desk.open(), await desk.open("s-2")
    async with desk.database.transaction() as session:
        await desk.sessions.end(session, hashed(second))
    assert await desk.find(second) is None
    desk.at += LIFETIME - timedelta(seconds=1)
    assert await desk.find(first) is not None
    desk.at += timedelta(seconds=1)
    assert await desk.find(first) is None


async def test_the_language_is_remembered(desk: Desk) -> None:
    """What the citizen switched to is kept in the session."""
    name = await desk.open()
    async with desk.database.transaction() as session:
        await desk.sessions.speak(session, hashed(name), "en")
    found = await desk.find(name)
    assert found is not None
    assert found.language == "en"


@pytest.mark.parametrize(("secure", "cookie"), [(True, "__Host-mydata"), (False, "mydata")])
def test_the_cookie_is_as_closed_as_can_be(secure: bool, cookie: str) -> None:
    """HttpOnly, Lax, whole path, no domain; Secure and __Host- on https."""
    sessions, response = Sessions(secure=secure), Response()
    sessions.put(response, "name")
    header = response.headers["set-cookie"]
    assert header.startswith(f"{cookie}=name;")
    parts = {part.strip().lower() for part in header.split(";")}
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert ("secure" in parts) is secure
    assert not any(part.startswith("domain") for part in parts)


def test_a_cookie_of_plain_http_counts_nothing_on_https() -> None:
    """A name planted without the __Host- prefix is not looked at."""
    assert Sessions(secure=True).session_hash(presenting("mydata", "planted")) is None
