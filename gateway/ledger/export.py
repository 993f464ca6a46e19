"""Writes the published log to a folder anyone holding it can verify without the gateway."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from consent.ledger.tiles import bundle_path, bundles, hash_tiles, pack
from gateway.errors import Problem
from gateway.ledger import cosigned, repository
from gateway.ledger.layout import objects
from gateway.ledger.statements import FILE, statements

PUBLIC, LIST = "log", "objects.json"
"""In a public export: the folder to be served, and how."""


async def export_public(session: AsyncSession, folder: Path, *, now: int | None = None) -> int:
    """Write what everybody may have to `folder`/log, and to `folder`/objects.json how a store serves it.

    As `export`, without the entries: they are for mirrors and regulators.
    """
    _prepare(folder)
    size = await export(session, folder / PUBLIC, now=now, entries=False)
    files = (file for file in (folder / PUBLIC).rglob("*") if file.is_file())
    paths = [file.relative_to(folder / PUBLIC).as_posix() for file in files]
    _write(folder / LIST, objects(folder / PUBLIC, paths))
    return size


async def export(session: AsyncSession, folder: Path, *, now: int | None = None, entries: bool = True) -> int:
    """Write checkpoint, tiles, entry bundles and the log's statements to `folder`; the number of entries.

    With `now` (epoch seconds) the checkpoint is the one the world sees, cosigned by witnesses. The files are
    exactly those `consent.ledger.verify` expects, as stored: damage in the database is exported, too. Raises
    Problem `ledger_export_not_empty` (an older export is never mixed with this one) or `not_found` when no
    checkpoint was signed yet.
    """
    published = await cosigned.shown(session, now or 0, witnessed=now is not None)
    if published is None:
        raise Problem("not_found", detail="no checkpoint was signed yet")
    size, note = published
    _prepare(folder)
    for tile in hash_tiles(size):
        _write(folder / tile.path, (await repository.tiles(session, [tile]))[tile])
    for tile in bundles(size) if entries else ():
        if found := await repository.bundle(session, tile):  # none: removed, and the log must say so
            _write(folder / bundle_path(tile.index, tile.width), pack(found))
    if (made := await statements(session, size)) is not None:
        _write(folder / FILE, made)
    _write(folder / "checkpoint", note.encode())
    return size


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Problem("ledger_export_not_empty")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
