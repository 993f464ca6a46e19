"""Writes what happened into the ledger's outbox, in the transaction of the change itself.

Concurrency: the citizen's row is locked by raising its counter before the chain is read, and the outbox id
is taken under that lock; so a citizen's events have gapless numbers, form one chain by leaf hash, and can
only enter the log in their order. Durability is the caller's commit: if it fails nothing was said. After any
exception the caller MUST let its transaction roll back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from consent.canonical import canonical
from consent.errors import ConsentError
from consent.events import Event
from consent.ledger.entry import DIGEST_BYTES, Entry, encode
from consent.ledger.errors import LedgerFormatError
from consent.ledger.tree import leaf_hash
from consent.ledger_tables import OUTBOX, PAYLOAD
from consent.subjects import SUBJECT, SubjectError, SubjectId, SubjectKeys, commit

# Built once: building a statement anew for every event costs more than sending it.
_ENTER = insert(OUTBOX).returning(OUTBOX.c.id)
_CLAIM = {
    name: dialect.insert(PAYLOAD)
    .on_conflict_do_nothing(index_elements=["idem"])
    .returning(PAYLOAD.c.outbox_id)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


class JournalError(ConsentError):
    """`ledger_payload`: not plain JSON without fractions, or a party or time the log does not allow."""


@dataclass(frozen=True, slots=True)
class Said:
    """That `kind` happened at `at` (epoch seconds) to `subject`, done by or towards `party`."""

    kind: Event
    subject: SubjectId | None
    party: str
    payload: Mapping[str, object]
    at: int


@dataclass(frozen=True, slots=True)
class Link:
    """A citizen's chain while it is locked: the number of the next event, the last leaf, the wrapped key."""

    n: int
    head: bytes | None
    wrapped: bytes | None


@dataclass(frozen=True, slots=True)
class Appended:
    """A promise: this entry commits with the change and will be in the tree.

    `n` and `tag` are None for an event that concerns no citizen; `leaf` is the RFC 6962 leaf hash.
    """

    outbox_id: int
    n: int | None
    tag: bytes | None
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """What is stored of one event: the entry for the log, and beside it what opens its commitment."""

    entry: bytes
    at: int
    leaf: bytes
    body: bytes
    subject: SubjectId | None = None
    n: int | None = None
    tag: bytes | None = None
    salt: bytes | None = None


class Journal:
    """The only writer of the outbox. Safe for any number of tasks; state lives in the database."""

    def __init__(
        self, keys: SubjectKeys, instance: str, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """Write with citizens' `keys` as process `instance` (named in every payload)."""
        self.keys = keys
        self._instance = instance
        self._random = random

    async def append(
        self,
        session: AsyncSession,
        kind: Event,
        *,
        subject: SubjectId | None,
        party: str,
        payload: Mapping[str, object],
        at: int,
        idem: str | None = None,
    ) -> Appended:
        """Record that `kind` happened at `at` (epoch seconds) to `subject`, done by or towards `party`.

        `payload` stays off the log, readable only under the citizen's key: JSON of strings, whole numbers,
        booleans, null, lists and objects. The same `idem` (unique over the whole log, MUST name no person)
        gives the first call's Appended and adds nothing. Raises JournalError, SubjectError.
        """
        if idem is not None and (earlier := await _earlier(session, idem)):
            return earlier
        said = Said(kind, subject, party, payload, at)
        if subject is None:
            line = self.plain(said)
        else:
            self.check(said)
            line = self.chained(said, await self._locked(session, subject))
        appended = await _store(session, line, idem=idem)
        if appended is None:
            return await _give_way(session, line, str(idem))
        if subject is not None:
            chain = update(SUBJECT).where(SUBJECT.c.id == subject)
            await session.execute(chain.values(head=appended.leaf))
        return appended

    def check(self, said: Said) -> None:
        """Raise JournalError for what cannot be entered. Pure: nothing is read or changed."""
        self._fields(said)
        try:
            Entry(said.at, said.kind.value, said.party, None, bytes(DIGEST_BYTES))
        except LedgerFormatError as error:
            raise JournalError("ledger_payload", event=said.kind.value) from error

    def plain(self, said: Said) -> Line:
        """An event that concerns no citizen: a random salt of its own, the payload in clear. Pure."""
        salt, body = self._random(DIGEST_BYTES), self._fields(said)
        entry = self._entry(said, None, commit(salt, body))
        return Line(entry, said.at, leaf_hash(entry), body, salt=salt)

    def chained(self, said: Said, link: Link) -> Line:
        """The citizen's event number `link.n`, sealed and tied to the one before it. Pure.

        The caller MUST hold the lock on the citizen's row, number without gaps, and hand the leaf of this
        line on as the next `head`. Raises SubjectError, JournalError.
        """
        subject, n = SubjectId(str(said.subject)), link.n
        key = self.keys.unwrap(subject, link.wrapped)
        body = self._fields(said, n=n, prev=link.head.hex() if link.head else None)
        tag = key.tag(n)
        entry = self._entry(said, tag, key.com(n, body))
        sealed = key.seal(body, payload_context(subject, n))
        return Line(entry, said.at, leaf_hash(entry), sealed, subject, n, tag)

    async def forget(self, session: AsyncSession, subject: SubjectId, *, party: str, at: int) -> Appended:
        """Erase: a last entry says so, then the citizen's key and every opening are destroyed for good.

        The log keeps its proofs; nothing stored can tie one of its entries to the citizen any more.
        """
        last = await self.append(
            session, Event.SUBJECT_RECORD_ERASED, subject=subject, party=party, payload={}, at=at
        )
        await session.execute(delete(PAYLOAD).where(PAYLOAD.c.subject == subject))
        await self.keys.erase(session, subject)
        return last

    def _fields(self, said: Said, **chain: object) -> bytes:
        fields = {"event": said.kind.value, "by": self._instance, "body": said.payload, **chain}
        try:
            return canonical(fields)
        except ValueError as error:
            raise JournalError("ledger_payload", event=said.kind.value) from error

    def _entry(self, said: Said, tag: bytes | None, commitment: bytes) -> bytes:
        try:
            return encode(Entry(said.at, said.kind.value, said.party, tag, commitment))
        except LedgerFormatError as error:
            raise JournalError("ledger_payload", event=said.kind.value) from error

    async def _locked(self, session: AsyncSession, subject: SubjectId) -> Link:
        """Take the citizen's next number, and with it the lock."""
        lock = update(SUBJECT).where(SUBJECT.c.id == subject, SUBJECT.c.wrapped.is_not(None))
        taken = lock.values(n=SUBJECT.c.n + 1).returning(SUBJECT.c.n, SUBJECT.c.head, SUBJECT.c.wrapped)
        row = (await session.execute(taken)).one_or_none()
        if row is None:
            await self.keys.key(session, subject)
            raise SubjectError("subject_unknown")
        return Link(row.n, row.head, row.wrapped)


def payload_context(subject: SubjectId, n: int) -> str:
    """The context under which event `n`'s payload is sealed."""
    return f"ledger-payload/{subject}/{n}"


async def _store(session: AsyncSession, line: Line, *, idem: str | None) -> Appended | None:
    """Put entry and opening into the caller's transaction; None if another writer's `idem` came first."""
    added = await session.execute(_ENTER, {"entry": line.entry, "at": line.at})
    outbox_id = int(added.scalar_one())
    row = {
        "outbox_id": outbox_id,
        "subject": line.subject,
        "n": line.n,
        "idem": idem,
        "leaf": line.leaf,
        "tag": line.tag,
        "salt": line.salt,
        "body": line.body,
    }
    claimed = await session.execute(_CLAIM[session.get_bind().dialect.name], row)
    if claimed.one_or_none() is None:
        await session.execute(delete(OUTBOX).where(OUTBOX.c.id == outbox_id))
        return None
    return Appended(outbox_id, line.n, line.tag, line.leaf)


async def _give_way(session: AsyncSession, line: Line, idem: str) -> Appended:
    """Another transaction committed this `idem` after we looked: give the number back, answer with theirs."""
    if line.subject is not None:
        back = update(SUBJECT).where(SUBJECT.c.id == line.subject)
        await session.execute(back.values(n=SUBJECT.c.n - 1))
    earlier = await _earlier(session, idem)
    if earlier is None:
        raise JournalError("ledger_payload")
    return earlier


async def _earlier(session: AsyncSession, idem: str) -> Appended | None:
    query = select(PAYLOAD.c.outbox_id, PAYLOAD.c.n, PAYLOAD.c.tag, PAYLOAD.c.leaf)
    row = (await session.execute(query.where(PAYLOAD.c.idem == idem))).one_or_none()
    return Appended(row.outbox_id, row.n, row.tag, row.leaf) if row else None
