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

from consent.ledger import proof
from consent.ledger.checkpoint import Checkpoint, open_note, sign, vkey
from consent.ledger.cosignature import cosign
from consent.ledger.errors import LedgerFormatError
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
        origin: str,
        last_signed: Path,
        second: MLDSA44PrivateKey | None = None,
    ) -> None:
        """Sign as `origin`; `last_signed` is a file outside the database and its backups.

        `second` also signs what is published (ML-DSA-44); receipts and trails carry the short signature only.
        """
        self._second = second
        self._database = database
        self._key = key
        self._origin = origin
        self._file = LastSigned(last_signed)
        self.vkey = vkey(origin, key.public_key())

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
            checkpoint = Checkpoint(self._origin, head.size, head.root)
            note = sign(checkpoint, self._key)
            if known == note or await asyncio.to_thread(self._file.replace, known, note):
                if stored != (head.size, note):
                    await self._store(checkpoint, note)
                return checkpoint
        raise Problem("ledger_behind", detail="the last-signed file kept changing", retry_after=1)

    async def _store(self, checkpoint: Checkpoint, note: str) -> None:
        second = cosign(checkpoint, self._origin, self._second, 0) if self._second else ""
        async with self._database.transaction() as session:
            if not await repository.advance_checkpoint(session, checkpoint.size, note, second):
                stored = await repository.checkpoint(session)
                if stored is None or (stored[0] == checkpoint.size and stored[1] != note):
                    raise Problem("ledger_halted", detail="another checkpoint of this size is published")

    async def _continues(self, session: AsyncSession, head: repository.Head, known: str | None) -> None:
        """Refuse unless the tree `head` is the one last signed, or grew from it."""
        if known is None:
            if await repository.checkpoint(session) is not None:
                raise Problem(
                    "ledger_halted", detail=f"{self._file.path} is missing; restore it, do not restart"
                )
            return
        try:
            last = open_note(known, self.vkey)
        except LedgerFormatError as error:
            raise Problem("ledger_halted", detail=f"{self._file.path}: {error}") from error
        if last.size > head.size:
            raise Problem("ledger_halted", detail=f"signed {last.size} entries, the database has {head.size}")
        same = head.root == last.root if last.size == head.size else await _began_with(session, last)
        if not same:
            raise Problem("ledger_halted", detail=f"the first {last.size} entries are not those signed")


async def _began_with(session: AsyncSession, last: Checkpoint) -> bool:
    root = await prove(session, last.size, lambda read: proof.root(last.size, read))
    return root == last.root
