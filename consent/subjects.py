"""Each citizen's own key: it ties ledger entries to a person, and destroying it unties them for ever.

Every citizen has 32 random bytes K_s, stored only wrapped under a key-encryption key (KEK). All that the log
and the off-log payloads hold about the citizen is keyed by K_s: without it an entry's tag and commitment are
random bytes to everyone, the operator with a list of all citizens included (PIPA 21, Decree 16(1)1: made
irrecoverable where deletion from an append-only log is not possible).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import NewType, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from consent.errors import ConsentError

SubjectId = NewType("SubjectId", str)
"""A random name of a citizen's key; says nothing about the citizen and never enters the log."""

KEY_BYTES = 32
_NONCE_BYTES = 12


class SubjectError(ConsentError):
    """`subject_unknown`; `subject_erased`: key destroyed; `subject_unreadable`: wrong key or bytes."""


class Subject(SQLModel, table=True):
    """A citizen's key and the state of the citizen's chain of entries: how many, and the last leaf hash.

    Without SQLite's numbers of rows: they would keep the order in which citizens came, as the log does.
    """

    __tablename__ = "subject"
    __table_args__ = {"sqlite_with_rowid": False}

    id: str = Field(primary_key=True, max_length=40)
    n: int = Field(default=0, sa_type=BigInteger)
    head: bytes | None = None
    wrapped: bytes | None = None


SUBJECT = SQLModel.metadata.tables["subject"]


class SubjectKey:
    """K_s of one citizen, unwrapped. Keep it no longer than the work at hand; it never prints its bytes."""

    def __init__(self, key: bytes, *, random: Callable[[int], bytes] = os.urandom) -> None:
        """Hold `key` (32 bytes)."""
        if len(key) != KEY_BYTES:
            raise SubjectError("subject_unreadable")
        self._key = key
        self._random = random

    def tag(self, n: int) -> bytes:
        """The 32 bytes by which event `n` stands in the log."""
        return self._derive(b"tag" + n.to_bytes(8, "big"))

    def salt(self, n: int) -> bytes:
        """The key of event `n`'s commitment; giving it away opens that one event and no other."""
        return self._derive(b"salt" + n.to_bytes(8, "big"))

    def com(self, n: int, payload: bytes) -> bytes:
        """The commitment to the canonical `payload` of event `n`."""
        return commit(self.salt(n), payload)

    def pseudonym_salt(self) -> bytes:
        """The 32 bytes that enter every pseudonym of this citizen; they go when the key goes."""
        return self._derive(b"pseudonym")

    def account_name(self, name: bytes) -> bytes:
        """The keyed name of one of this citizen's accounts, 32 bytes."""
        return hmac.digest(self._derive(b"account"), name, hashlib.sha256)

    def census_key(self) -> bytes:
        """The 32 bytes under which this citizen's events are counted."""
        return self._derive(b"census")

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt what is kept beside the log; only `unseal` with the same `context` opens it again."""
        nonce = self._random(_NONCE_BYTES)
        return nonce + AESGCM(self._derive(b"seal")).encrypt(nonce, plain, context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Open what `seal` made under `context`; else SubjectError `subject_unreadable`."""
        return _decrypt(self._derive(b"seal"), sealed, context)

    def _derive(self, label: bytes) -> bytes:
        return hmac.digest(self._key, label, hashlib.sha256)


def commit(salt: bytes, payload: bytes) -> bytes:
    """The hiding, binding commitment HMAC-SHA-256(salt, payload)."""
    return hmac.digest(salt, payload, hashlib.sha256)


class Keks(Protocol):
    """Keys that wrap citizens' keys (KEK). Safe for any number of tasks; the first one wraps."""

    def known(self) -> Sequence[bytes]:
        """Those known now, 32 bytes each. MUST NOT block."""

    def look_again(self) -> Sequence[bytes]:
        """The same after a look at where they are kept; short, and called only when none of them opens."""


class _Only:
    def __init__(self, kek: bytes) -> None:
        self._kek = kek

    def known(self) -> Sequence[bytes]:
        return (self._kek,)

    look_again = known


class SubjectKeys:
    """Makes, opens and destroys citizens' keys. Safe for any number of tasks: it holds only KEKs."""

    def __init__(self, kek: bytes | Keks, *, random: Callable[[int], bytes] = os.urandom) -> None:
        """Wrap under `kek` (32 bytes, or several of which the first wraps); `random` gives n random bytes."""
        self._keks = _Only(kek) if isinstance(kek, bytes) else kek
        if any(len(one) != KEY_BYTES for one in self._keks.known()):
            raise SubjectError("subject_unreadable")
        self._random = random

    async def create(self, session: AsyncSession) -> SubjectId:
        """Store a fresh key in the caller's transaction and give its name."""
        subject = SubjectId("s-" + self._random(16).hex())
        wrapped = self._wrap(subject, self._random(KEY_BYTES))
        await session.execute(insert(SUBJECT).values(id=subject, n=0, wrapped=wrapped))
        return subject

    async def key(self, session: AsyncSession, subject: SubjectId) -> SubjectKey:
        """The key of `subject`; raises SubjectError when there is none (any more)."""
        query = select(SUBJECT.c.wrapped).where(SUBJECT.c.id == subject)
        row = (await session.execute(query)).one_or_none()
        if row is None:
            raise SubjectError("subject_unknown")
        return self.unwrap(subject, row.wrapped)

    def unwrap(self, subject: SubjectId, wrapped: bytes | None) -> SubjectKey:
        """Open a wrapped key; the wrap is bound to `subject`, so keys cannot be swapped between citizens."""
        if wrapped is None:
            raise SubjectError("subject_erased")
        return SubjectKey(self._open(subject, wrapped), random=self._random)

    async def rewrap(self, session: AsyncSession, after: str, limit: int) -> tuple[str | None, int]:
        """Wrap up to `limit` keys named after `after` under the first KEK, in the caller's transaction.

        Gives the last name looked at (None when there was none) and how many were wrapped again. What is
        under the first KEK already is left as it is, so it may be done again, and by two at once.
        """
        query = select(SUBJECT.c.id, SUBJECT.c.wrapped).where(
            SUBJECT.c.id > after, SUBJECT.c.wrapped.is_not(None)
        )
        rows = (await session.execute(query.order_by(SUBJECT.c.id).limit(limit))).all()
        changed = 0
        for subject, wrapped in rows:
            if _opens(self._keks.known()[0], wrapped, subject):
                continue
            fresh = self._wrap(subject, self._open(subject, wrapped))
            same = (SUBJECT.c.id == subject) & (SUBJECT.c.wrapped == wrapped)
            moved = update(SUBJECT).where(same).values(wrapped=fresh).returning(SUBJECT.c.id)
            changed += (await session.execute(moved)).one_or_none() is not None
        return (rows[-1].id if rows else None), changed

    def _wrap(self, subject: str, key: bytes) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        return nonce + AESGCM(self._keks.known()[0]).encrypt(nonce, key, subject.encode())

    def _open(self, subject: str, wrapped: bytes) -> bytes:
        """The key inside; a KEK that came meanwhile is looked for before it is given up."""
        for keks in (self._keks.known, self._keks.look_again):
            for kek in keks():
                if (key := _opens(kek, wrapped, subject)) is not None:
                    return key
        raise SubjectError("subject_unreadable")

    async def erase(self, session: AsyncSession, subject: SubjectId) -> None:
        """Destroy the key and the chain state of `subject` in the caller's transaction; cannot be undone.

        When is not kept: the log has an entry of that very second, and it names nobody.
        Backups keep the wrapped key until they or the KEK are gone: rotate the KEK after the backup window.
        """
        gone = update(SUBJECT).where(SUBJECT.c.id == subject, SUBJECT.c.wrapped.is_not(None))
        done = await session.execute(gone.values(wrapped=None, head=None, n=0).returning(SUBJECT.c.id))
        if done.one_or_none() is None:
            raise SubjectError("subject_unknown")


def _opens(kek: bytes, wrapped: bytes, subject: str) -> bytes | None:
    try:
        return _decrypt(kek, wrapped, subject)
    except SubjectError:
        return None


def _decrypt(key: bytes, sealed: bytes, context: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise SubjectError("subject_unreadable") from error
