"""Runs a proof builder over the stored tiles: first learn what it reads, then read that once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from consent.ledger.proof import NodeReader, needs
from consent.ledger.tiles import node_reader, tile_of
from gateway.ledger import repository

T = TypeVar("T")


async def prove(session: AsyncSession, size: int, build: Callable[[NodeReader], T]) -> T:
    """What `build` makes from the tree of the first `size` entries; `size` MUST NOT exceed the log's."""
    wanted = {tile_of(level, index, size) for level, index in needs(build)}
    found = await repository.tiles(session, sorted(wanted, key=lambda tile: (tile.level, tile.index)))
    return build(node_reader(size, found.__getitem__))
