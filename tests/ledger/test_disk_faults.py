"""PostgreSQL on a disk of 32 MB that fills up: nothing said is lost, refusals are clear, room heals it.

The cluster ends by itself if its write-ahead log finds no room while it recovers; it is then started again,
as whatever watches over it would. The gateways are not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from gateway.database import Database
from gateway.migrations.tables import metadata
from tests import postgres
from tests.flows.test_store_full import entered
from tests.flows.told import shown
from tests.ledger.faulting import FAULTS, Faults
from tests.ledger.store import Store
from tests.world import open_world

MEGABYTES = 32
CLEAR = ("storage_full", "storage_unavailable", "ledger_timeout")
"""The last is for who wrote the last entry there was room for, while the log itself has none to move."""

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240 + FAULTS)]


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL whose disk can be filled."""
    try:
        with postgres.server(megabytes=MEGABYTES) as running:
            yield running
    except PermissionError:
        pytest.skip("group disk: no right to mount a file system on this machine")


async def emptied(server: postgres.Server) -> str:
    """The address of the one database there is room for, with nothing in it; its template makes way."""
    connection = await asyncpg.connect(host=str(server.home), user="mydata", database="postgres")
    await connection.execute("UPDATE pg_database SET datistemplate = false WHERE datname = 'template1'")
    await connection.execute("DROP DATABASE IF EXISTS template1")
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.execute("CHECKPOINT")
    await connection.close()
    return postgres.url(str(server.home), "postgres")


@contextmanager
def full(server: postgres.Server, pages: int) -> Iterator[None]:
    """Inside, the disk has so many pages of 4 kB left. Afterwards a cluster that ended is started again."""
    filler = server.home / "filler"
    with filler.open("wb", buffering=0) as file:
        with pytest.raises(OSError, match="No space left"):
            while file.write(bytes(4096)):
                pass
        file.truncate(max(0, file.tell() - pages * 4096))
    try:
        yield
    finally:
        filler.unlink()
    if server.ended():
        server.start()


async def test_a_full_disk_under_postgresql(server: postgres.Server, tmp_path: Path) -> None:
    """What was said stays; what cannot be stored is refused by name; with room the same gateway goes on."""
    faults = Faults("full disk under PostgreSQL", 20, 1)
    for number in faults:
        folder = tmp_path / f"store-{number}"
        folder.mkdir()
        store = await Store(await emptied(server), folder).make()
        ends = folder / "ends"
        running = store.write("full", "--until", str(ends), rounds=2000)
        running.wait_published()
        with full(server, number % 9):
            running.wait_failed()
            await asyncio.sleep(faults.chance(number).random() * 0.5)
        back = time.monotonic()
        running.wait_published(back)
        ends.touch()
        said = running.ended()
        assert running.process.returncode == 0, running.errors.read_text()[-2000:]
        again = running.published(back)
        assert again is not None, "it did not go on"
        refusals = [line for line in running.errors.read_text().splitlines() if line.startswith("failed")]
        assert all(any(code in line for code in CLEAR) for line in refusals), refusals
        outcome = await store.settle(said)
        faults.settled(number, outcome, felt=bool(refusals), seconds=again - back)


async def test_withdrawing_while_postgresql_has_no_room(server: postgres.Server, tmp_path: Path) -> None:
    """The page says that it could not be stored, or it was; with room a withdrawal works, and once."""
    url = await emptied(server)
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.close()
    async with open_world(tmp_path, url) as world:
        given = await world.given()
        await world.parts.log.integrate_now()
        world.clock.freeze()
        with full(server, 0):
            while await entered(world) not in CLEAR:
                pass
            page = await given.citizen.withdraw(given.consent_id)
            if page.status != 200:
                shown(page, "storage_full", 503)
        world.clock.thaw()
        if page.status != 200:
            assert (await given.citizen.withdraw(given.consent_id)).status == 200
        assert (await world.rows("consent"))[0]["state"] == "withdrawing"
