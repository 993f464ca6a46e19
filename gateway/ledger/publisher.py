"""Signs checkpoints, and refuses to sign a tree that does not continue the last one signed.

Two guards, because a database restored from a backup forgets: a compare-and-set row whose size only grows,
and the `last-signed` file outside the database. A refusal is final until an operator looks: signing two
different histories with one key would destroy what the log is for.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import Clock, utc_now
from consent.ledger import proof
from consent.ledger.checkpoint import Checkpoint, open_note, sign, vkey
from consent.ledger.cosignature import cosign
from consent.ledger.errors import LedgerFormatError
from consent.ledger.shards import base_of, is_later, is_sharded, origin_at
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import repository
from gateway.ledger.last_signed import LastSigned
from gateway.ledger.nodes import prove

_ATTEMPTS = 5


class Publisher:
    """Signs for one log with its one key. Any number of processes may publish: all sign the same tree."""

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        name: str,
        last_signed: Path,
        second: MLDSA44PrivateKey | None = None,
        *,
        clock: Clock = utc_now,
    ) -> None:
        """Sign as `name` (a sharded one: with the year); `last_signed` is a file outside the database.

        `second` also signs what is published (ML-DSA-44); receipts and trails carry the short signature only.
        """
        self._second = second
        self._database = database
        self._key = key
        self._name = name
        self._file = LastSigned(last_signed)
        self.origin = origin_at(name, clock())
        self.vkey  # noqa: B018 - refuses a name that no checkpoint can carry

    @property
    def vkey(self) -> str:
        """The key under the origin of the shard seen last."""
        return vkey(self.origin, self._key.public_key())

    def opened(self, note: str) -> Checkpoint:
        """A checkpoint this log signed, in whichever year; raises LedgerFormatError."""
        origin = note.partition("\n")[0]
        if not self._ours(origin):
            raise LedgerFormatError("the checkpoint is not of this log")
        return open_note(note, vkey(origin, self._key.public_key()))

    def closing(self, head: repository.Head) -> str:
        """The last checkpoint of the shard that ends with `head`. `check` MUST have been called before."""
        return sign(Checkpoint(head.origin, head.size, head.root), self._key)

    def _ours(self, origin: str) -> bool:
        if not is_sharded(self._name):
            return origin == self._name
        return is_later(origin, f"{base_of(self._name)}/0000")

    async def check(self) -> None:
        """Raise Problem `ledger_halted` if the stored tree does not continue the last one signed."""
        known = await asyncio.to_thread(self._file.read)
        async with self._database.reading() as session:
            await self._continues(session, await repository.head(session), known)

    async def publish(self) -> Checkpoint:
        """Sign the present tree, remember it in both guards, make it the public checkpoint.

        Raises Problem `ledger_halted`; then nothing was signed.
        """
        for _ in range(_ATTEMPTS):
            known = await asyncio.to_thread(self._file.read)
            async with self._database.reading() as session:
                head = await repository.head(session)
                await self._continues(session, head, known)
                stored = await repository.checkpoint(session)
            checkpoint = Checkpoint(self.origin, head.size, head.root)
            note = sign(checkpoint, self._key)
            if known == note or await asyncio.to_thread(self._file.replace, known, note):
                if stored != (head.size, note):
                    await self._store(checkpoint, note)
                return checkpoint
        raise Problem("ledger_behind", detail="the last-signed file kept changing", retry_after=1)

    async def _store(self, checkpoint: Checkpoint, note: str) -> None:
        second = cosign(checkpoint, checkpoint.origin, self._second, 0) if self._second else ""
        async with self._database.transaction() as session:
            if not await repository.advance_checkpoint(session, checkpoint.size, note, second):
                stored = await repository.checkpoint(session)
                if stored is None or (stored[0] == checkpoint.size and stored[1] != note):
                    raise Problem("ledger_halted", detail="another checkpoint of this size is published")

    async def _continues(self, session: AsyncSession, head: repository.Head, known: str | None) -> None:
        """Refuse unless the tree `head` is the one last signed, or grew from it; learn the shard's origin."""
        if known is None:
            if await repository.checkpoint(session) is not None:
                raise Problem(
                    "ledger_halted", detail=f"{self._file.path} is missing; restore it, do not restart"
                )
            self.origin = head.origin or self.origin
            return
        try:
            last = self.opened(known)
        except LedgerFormatError as error:
            raise Problem("ledger_halted", detail=f"{self._file.path}: {error}") from error
        if last.size > head.size:
            raise Problem("ledger_halted", detail=f"signed {last.size} entries, the database has {head.size}")
        same = head.root == last.root if last.size == head.size else await _began_with(session, last)
        if not same:
            raise Problem("ledger_halted", detail=f"the first {last.size} entries are not those signed")
        if is_later(last.origin, head.origin):
            raise Problem("ledger_halted", detail=f"signed as {last.origin}, the database is {head.origin}")
        self.origin = head.origin or last.origin


async def _began_with(session: AsyncSession, last: Checkpoint) -> bool:
    root = await prove(session, last.size, lambda read: proof.root(last.size, read))
    return root == last.root
