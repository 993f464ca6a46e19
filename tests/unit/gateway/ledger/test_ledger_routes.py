"""The public doors of the log: checkpoint and tiles, nothing else."""

from __future__ import annotations

import base64

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from consent.ledger.checkpoint import open_note
from consent.ledger.proof import verify_inclusion
from consent.ledger.tiles import hash_tiles, node_reader
from gateway.errors import Problem
from gateway.ledger import routes
from tests.unit.gateway.ledger.conftest import Ledger


def client(ledger: Ledger) -> httpx.AsyncClient:
    """A client of an application with only the log's routes."""

    async def answer(_request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return Response(problem.code, problem.status)

    app = Starlette(routes=routes(ledger.log), exception_handlers={Problem: answer})
    app.router.redirect_slashes = False
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://gateway.test")


async def test_the_served_tiles_give_the_served_root(ledger: Ledger) -> None:
    """Checkpoint and tiles fetched over HTTP fit each other and may be cached as they should."""
    await ledger.append(600)
    await ledger.log.integrate_now()
    async with client(ledger) as http:
        note = await http.get("/ledger/checkpoint")
        checkpoint = open_note(note.text, ledger.log.vkey)
        tiles = {tile: await http.get(f"/ledger/{tile.path}") for tile in hash_tiles(checkpoint.size)}
    read = node_reader(checkpoint.size, lambda tile: tiles[tile].content)

    assert note.headers["cache-control"] == "public, max-age=1"
    assert note.headers["content-type"].startswith("text/plain")
    for tile, answer in tiles.items():
        assert (answer.status_code, len(answer.content)) == (200, tile.width * 32)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert read(8, 1) == tiles[list(tiles)[-1]].content[32:64]


@pytest.mark.parametrize("index", [0, 255, 256, 599])
async def test_a_proof_as_a_file_verifies_from_its_own_lines(ledger: Ledger, index: int) -> None:
    """C2SP tlog-proof: header, index, hashes, empty line, checkpoint; it proves the leaf and no other."""
    appended = await ledger.append(600)
    await ledger.log.integrate_now()
    async with client(ledger) as http:
        answer = await http.get(f"/ledger/proof/{index}.tlog-proof")
    head, _, note = answer.text.partition("\n\n")
    kind, position, *hashes = head.split("\n")
    checkpoint = open_note(note, ledger.log.vkey)
    path = [base64.b64decode(one) for one in hashes]

    assert (kind, position) == ("c2sp.org/tlog-proof@v1", f"index {index}")
    assert answer.headers["cache-control"] == "public, max-age=1"
    for at, holds in ((index, True), (index ^ 1, False)):
        leaf = appended[at].leaf
        assert verify_inclusion(leaf, (index, checkpoint.size), path, checkpoint.root) is holds


NOT_THERE = ("3", "9" * 30, "9" * 5000, "00", "-1", "+1", "\u0662", "x")


async def test_there_is_no_proof_of_what_is_not_published(ledger: Ledger) -> None:
    """Before the first checkpoint, beyond the log, or no number: not found."""
    async with client(ledger) as http:
        early = await http.get("/ledger/proof/0.tlog-proof")
        await ledger.append(3)
        await ledger.log.integrate_now()
        answers = [await http.get(f"/ledger/proof/{one}.tlog-proof") for one in NOT_THERE]

    assert [early.status_code, *(answer.status_code for answer in answers)] == [404] * (1 + len(NOT_THERE))


async def test_a_narrower_partial_tile_stays_available(ledger: Ledger) -> None:
    """A reader of an older checkpoint gets the partial tile of that size, even after the tile is full."""
    await ledger.append(40)
    await ledger.log.integrate_now()
    async with client(ledger) as http:
        early = await http.get("/ledger/tile/0/000.p/40")
        await ledger.append(300)
        await ledger.log.integrate_now()
        late = await http.get("/ledger/tile/0/000.p/40")
        full = await http.get("/ledger/tile/0/000")

    assert early.content == late.content == full.content[: 40 * 32]


NOWHERE = (
    *("tile/0/000", "tile/0/000.p/41", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000.p/40", "tile/"),
    *("tile/0/000.p/0", "tile/0/x000/000.p/40", "entries/000.p/40", "checkpoint/"),
)


async def test_everything_else_is_not_there(ledger: Ledger) -> None:
    """Tiles beyond the checkpoint, other spellings and entry bundles answer 404."""
    await ledger.append(40)
    await ledger.log.integrate_now()
    async with client(ledger) as http:
        answers = {path: (await http.get(f"/ledger/{path}")).status_code for path in NOWHERE}

    assert answers == dict.fromkeys(NOWHERE, 404)


async def test_unpublished_entries_are_not_served(ledger: Ledger) -> None:
    """Before a checkpoint covers them, neither checkpoint nor tiles are there."""
    await ledger.append(3)
    async with client(ledger) as http:
        assert (await http.get("/ledger/checkpoint")).status_code == 404
        assert (await http.get("/ledger/tile/0/000.p/3")).status_code == 404
